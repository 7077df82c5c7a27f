"""A small simulated set on disk, and a copy to damage; a recording of LuViRA."""

import shutil

import pytest

from helpers.luvira_files import write_csv, write_tracks
from helpers.responses import save
from helpers.sets import write
from soundfix.datasets.measured import read_npz


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A set written by one process, without interruption. Not to be changed: `copy` may be."""
    folder = tmp_path_factory.mktemp("sets") / "whole"
    write(folder)
    return folder


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "copy")


@pytest.fixture
def grid(tmp_path):
    """The original layout: cut sound of 16 bits, and a trajectory elsewhere below the root."""
    write_tracks(tmp_path / "audio_grid/Grid101")
    write_csv(tmp_path / "ground_truth/extracted/Grid101.csv")
    return tmp_path


@pytest.fixture
def room(tmp_path):
    return read_npz(save(tmp_path / "lab.npz"))
