"""States on disk: a damaged one is passed over, a full disk loses nothing, a run is not overwritten."""

import os
from pathlib import Path

import pytest
import torch

from helpers.disks import refuse, taken
from helpers.training import job, quick
from soundfix.errors import TrainingError
from soundfix.training.loop import train
from soundfix.training.runs import Run, State, read_newest, read_settings


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
    with pytest.raises(TrainingError, match=r"started with batch 2, and is to go on with 4: leave"):
        Run(tmp_path, {"recipe": {"steps": 3, "batch": 4}}, resume=True)


def test_what_may_change_is_taken_and_noted_with_its_step(tmp_path):
    """Every time; what may not change is refused, and nothing is noted, until the run goes on."""
    may = {"may_change": frozenset({"recipe.localization.steps", "words.device"})}
    run = Run(tmp_path, settings(steps=3, device="cpu"), resume=False, **may)
    assert run.changes == []
    run.save(State(step=2, tensors={}, numbers={}))
    run = Run(tmp_path, settings(steps=5, device="cuda"), resume=True, **may)
    assert [str(change) for change in run.changes] == ["localization.steps: 3 -> 5", "device: cpu -> cuda"]
    assert read_settings(tmp_path) == settings(steps=3, device="cpu")
    run.newest()
    with pytest.raises(TrainingError, match="started with recipe tiny, and is to go on with default"):
        Run(tmp_path, settings(steps=5, device="cuda", name="default"), resume=True, **may)
    Run(tmp_path, settings(steps=5, device="cpu"), resume=True, **may).newest()
    noted = read_settings(tmp_path)
    steps = {"step": 2, "setting": "recipe.localization.steps", "saved": 3, "given": 5}
    there, back = ({"step": 2, "setting": "words.device"} | dict(zip(("saved", "given"), pair, strict=True))
                   for pair in (("cpu", "cuda"), ("cuda", "cpu")))  # fmt: skip
    assert noted.pop("changed") == [steps, there, back]
    assert noted == settings(steps=5, device="cpu")


def settings(*, steps, device, name="tiny"):
    return {"recipe": {"name": name, "localization": {"steps": steps}}, "words": {"device": device}}


def test_a_run_begun_before_words_were_kept_goes_on(tmp_path):
    Run(tmp_path, {"seed": 0}, resume=False)
    assert Run(tmp_path, {"seed": 0, "words": {"device": "cpu"}}, resume=True).changes == []


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000, '{"changed": 3}', "\xff"])
def test_settings_of_another_program(tmp_path, text):
    (tmp_path / "settings.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(TrainingError, match=r"settings\.json (cannot be read|holds no settings of a run)"):
        Run(tmp_path, {"seed": 0}, resume=True)


def test_numbers_on_a_full_disk(tmp_path, monkeypatch):
    run = Run(tmp_path, {"seed": 0}, resume=False)
    monkeypatch.setattr(Path, "open", refuse(28))
    with pytest.raises(
        TrainingError, match=r"metrics\.jsonl: the disk is full; what was noted before is there.*--resume"
    ):
        run.note({"step": 1})
