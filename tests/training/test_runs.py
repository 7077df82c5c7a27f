"""States on disk: a damaged one is passed over, a full disk loses nothing, a run is not overwritten."""

import os

import pytest
import torch

from helpers.disks import taken
from helpers.training import job, quick
from soundfix.errors import TrainingError
from soundfix.training.loop import train
from soundfix.training.runs import Run, State, read_newest


def test_a_damaged_state_is_passed_over(tmp_path):
    train(job(tmp_path, recipe=quick(localization=0)))
    newest, before = sorted(tmp_path.glob("state-*.safetensors"), reverse=True)
    newest.write_bytes(newest.read_bytes()[:1000])
    assert read_newest(tmp_path).step == int(before.stem.split("-")[1])
    before.write_bytes(b"")
    assert read_newest(tmp_path) is None


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    run = Run(tmp_path, {"seed": 0}, resume=False)
    run.save(State(step=1, tensors={"a": torch.ones(3)}, numbers={}))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match=r"state-00000002.*the disk is full.*--resume"):
        run.save(State(step=2, tensors={"a": torch.zeros(3)}, numbers={}))
    assert read_newest(tmp_path).step == 1
    assert not list(tmp_path.glob("*.part"))


def test_two_runs_in_one_folder_take_turns(tmp_path, monkeypatch):
    with taken(tmp_path, monkeypatch):
        train(job(tmp_path))


def test_what_a_kill_left_half_written_goes(tmp_path):
    Run(tmp_path, {"seed": 0}, resume=False)
    (tmp_path / ".soundfix-0123456789abcdef.part").touch()
    Run(tmp_path, {"seed": 0}, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match=r"cannot be used.*writable"):
        Run(tmp_path / "file" / "run", {}, resume=False)


def test_what_differs_is_said_alone(tmp_path):
    """A setting that is new, and not given, is none."""
    Run(tmp_path, {"recipe": {"steps": 3, "batch": 2}}, resume=False)
    Run(tmp_path, {"recipe": {"steps": 3, "batch": 2, "clip": None}}, resume=True)
    with pytest.raises(TrainingError, match=r"started with recipe\.batch 2, and is to go on with 4: give"):
        Run(tmp_path, {"recipe": {"steps": 3, "batch": 4}}, resume=True)
