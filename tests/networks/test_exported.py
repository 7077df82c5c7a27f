"""The description of an exported network: read whole, or refused in a sentence."""

import json
import shutil

import pytest

from soundfix.errors import CheckpointError
from soundfix.networks import exported
from soundfix.networks.exported import DESCRIPTION, PACKAGED, folder_of, read_exported


@pytest.fixture
def folder(tmp_path):
    about = read_exported(PACKAGED)
    for name in (*about.files, DESCRIPTION):
        shutil.copyfile(PACKAGED / name, tmp_path / name)
    return tmp_path


def test_the_packaged_one_is_that_of_the_checkpoint_beside_it():
    about = read_exported(PACKAGED)
    assert about.graphs == ("listen", "mask", "curves", "joint", "reranker")
    assert "default.safetensors" in about.files
    assert about.runtime == "onnxruntime"


def test_what_is_meant(tmp_path, monkeypatch):
    assert folder_of(tmp_path) == tmp_path
    assert folder_of(tmp_path / "joint.onnx") == tmp_path
    assert folder_of(tmp_path / DESCRIPTION) == tmp_path
    assert folder_of(tmp_path / "model.safetensors") is None
    assert folder_of(None) is None
    monkeypatch.setattr(exported, "find_spec", lambda name: None)
    assert folder_of(None) == PACKAGED


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no network\.json in it"):
        read_exported(tmp_path)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format": 2}', b"\xff\xfe", b"[" * 100_000])
def test_a_broken_description_is_refused(folder, content):
    (folder / DESCRIPTION).write_bytes(content)
    with pytest.raises(CheckpointError, match=DESCRIPTION):
        read_exported(folder)


def test_an_unknown_field_is_refused(folder):
    told = json.loads((folder / DESCRIPTION).read_text())
    (folder / DESCRIPTION).write_text(json.dumps(told | {"colour": "blue"}))
    with pytest.raises(CheckpointError, match="colour"):
        read_exported(folder)


@pytest.mark.parametrize("name", ["joint.onnx", "default.safetensors"])
def test_a_file_that_is_missing_or_another_is_refused(folder, name):
    (folder / name).write_bytes((folder / name).read_bytes()[:-1] + b"?")
    with pytest.raises(CheckpointError, match=f"{name} is not the file that was exported"):
        read_exported(folder)
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"{name} is missing"):
        read_exported(folder)


def test_a_graph_that_is_not_listed_is_refused(folder):
    told = json.loads((folder / DESCRIPTION).read_text())
    del told["files"]["mask.onnx"]
    (folder / DESCRIPTION).write_text(json.dumps(told))
    with pytest.raises(CheckpointError, match=r"mask\.onnx is not the file"):
        read_exported(folder)
