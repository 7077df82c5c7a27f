"""`soundfix info` and `soundfix train`."""

import json
import os
import signal
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from helpers.service import until
from helpers.training import TORCHRUN, run
from soundfix.cli import stopping
from soundfix.errors import TrainingError
from soundfix.networks import checkpoint
from soundfix.training import loop, request


def test_info_describes_a_recipe_and_a_checkpoint(command, weights):
    for model in ("tiny", weights):
        status, said, _ = command("info", model)
        assert status == 0
        assert "trainable" in said
        assert "one 0.5 s window of 11 microphones" in said


def test_info_refuses_what_it_does_not_know(command):
    status, _, complaint = command("info", "huge")
    assert status == 2
    assert "neither a file nor a recipe" in complaint


SMALL = ["correlation.steps=1", "autoencoder.steps=1", "localization.steps=2", "localization.batch=2"]


def small():
    return [word for change in SMALL for word in ("--set", change)]


def test_train_on_a_world_by_name_then_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(request, "VALIDATED", 3)  # windows
    monkeypatch.setattr(loop, "NORMALIZED_TO", 8)  # clips
    words = ["tiny", "--data", "luvira-twin", "--valid", "luvira-twin", "--out", tmp_path, "--workers", 0, *small()]
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert "localization 2 of 2" in result.output
    assert checkpoint.notes(tmp_path / "model.safetensors")["steps"] == 4
    last = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    assert {"mae_m", "acc", "srp_mae_m", "likelihood", "waiting", "windows_a_second"} <= last.keys()
    assert run(*words, "--resume").exit_code == 0
    again = run(*words)
    assert isinstance(again.exception, TrainingError)
    assert "--resume" in str(again.exception)
    assert {"curves.png", "curves.csv"} < {path.name for path in tmp_path.iterdir()}
    assert f"written: {tmp_path / 'model.safetensors'}" in result.output


@pytest.fixture
def started(tmp_path, monkeypatch):
    """A run that was stopped after its first steps, and its words."""
    monkeypatch.setattr(loop, "NORMALIZED_TO", 8)  # clips
    words = ["tiny", "--data", "luvira-twin", "--workers", 0, "--seed", 2, *small()]
    first = run(*words, "--out", tmp_path / "parts", "--minutes", 0.01)
    assert "--resume goes on with it" in first.output
    assert states(tmp_path / "parts")[-1] < 4
    return tmp_path / "parts", words


def test_going_on_needs_no_words(started, monkeypatch):
    """Not even where: this folder; the weights are those of a run that was not stopped."""
    folder, words = started
    assert run(*words, "--out", folder.parent / "whole").exit_code == 0
    whole = load_file(folder.parent / "whole" / "model.safetensors")
    monkeypatch.chdir(folder)
    result = run("--resume")
    assert result.exit_code == 0, result.output
    assert ". goes on after step" in result.output
    parts = load_file(folder / "model.safetensors")
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert "changed" not in json.loads((folder / "settings.json").read_text())


def test_what_is_said_again_and_differs_is_shown(started):
    folder, _ = started
    refused = run("--out", folder, "--resume", "--set", "network.width=32")
    assert "started with network.width 64, and is to go on with 32" in str(refused.exception)
    refused = run("--out", folder, "--resume", "--data", "luvira-hard")
    assert "started with data ['luvira-twin'], and is to go on with ['luvira-hard']" in str(refused.exception)
    result = run("--out", folder, "--resume", "--set", "localization.steps=3", "--device", "cpu", "--seed", 2)
    assert result.exit_code == 0, result.output
    assert "localization.steps: 2 -> 3\ndevice: auto -> cpu\n" in result.output
    assert "seed" not in result.output
    assert states(folder)[-1] == 5
    noted = json.loads((folder / "settings.json").read_text())["changed"]
    assert [change["setting"] for change in noted] == ["recipe.localization.steps", "words.device"]


def test_where_to_must_be_said():
    assert "Give --out FOLDER" in str(run("tiny", "--data", "luvira-twin").exception)


def test_of_several_processes_one_speaks(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "NORMALIZED_TO", 8)  # clips
    monkeypatch.setenv("RANK", "1")
    result = run("tiny", "--data", "luvira-twin", "--workers", 0, *small(), "--out", tmp_path)
    assert (result.exit_code, result.output) == (0, "")


LONG = ["correlation.steps=1", "autoencoder.steps=1", "localization.steps=2000", "localization.batch=2"]
WORDS = ["tiny", "--data", "luvira-twin", *(word for change in LONG for word in ("--set", change))]


MAIN = """
from soundfix.__main__ import main
from soundfix.training import loop
loop.NORMALIZED_TO = 8  # clips
main()
"""


def states(folder):
    return sorted(int(path.stem.split("-")[1]) for path in folder.glob("state-*.safetensors"))


@pytest.mark.parametrize(
    ("number", "send", "workers"), [(signal.SIGTERM, os.kill, 0), (signal.SIGINT, os.killpg, 1)], ids=["kill", "Ctrl-C"]
)
def test_stopped_by_a_signal_the_state_is_saved(tmp_path, number, send, workers):
    """Ctrl-C is told to the processes that make batches too, which the last step still needs."""
    words = [sys.executable, "-c", MAIN, "train", *WORDS, "--workers", str(workers), "--out", tmp_path / "run"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    until(lambda: states(tmp_path / "run"), 200)
    send(process.pid, number)
    said, errors = process.communicate(timeout=100)
    assert process.returncode == 128 + number
    assert "stopping after this step" in errors
    assert "Error" not in errors
    assert "--resume goes on with it" in said.replace("\n", " ")
    assert_is_saved(tmp_path / "run")


def assert_is_saved(folder):
    """Up to the last number that was noted."""
    last = states(folder)[-1]
    assert 0 < last < 2000
    assert last >= json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])["step"]


@pytest.mark.slow
def test_several_processes_are_stopped_as_one(tmp_path):
    words = [*TORCHRUN, "-m", "soundfix", "train", *WORDS, "--workers", "1", "--out", tmp_path / "run"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    until(lambda: states(tmp_path / "run"), 200)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=100)
    assert said.count("--resume goes on with it") == said.count("written: ") == 1
    assert_is_saved(tmp_path / "run")


def test_what_is_kept_first_may_be_interrupted_at_once(tmp_path, monkeypatch):
    """It may take hours, and goes on where it was: only a step is waited for."""
    begun = []

    def asked(request, watch, *, stop, saved):
        for act in (stop, lambda: watch({"keeping": "windows", "done": 1, "of": 2}), stop):
            act()
            begun.append(stops[0].has_begun)

    stops, real = [], stopping.Stop
    monkeypatch.setattr(stopping, "Stop", lambda what: stops.append(real(what)) or stops[0])
    monkeypatch.setattr(request, "run", asked)
    assert run("tiny", "--data", "luvira-twin", "--out", tmp_path).exit_code == 0
    assert begun == [True, False, True]


def test_so_many_minutes_and_then_more(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "NORMALIZED_TO", 8)  # clips
    result = run(*WORDS, "--workers", 0, "--out", tmp_path, "--minutes", "0.02")
    assert result.exit_code == 0, result.output
    first = states(tmp_path)[-1]
    assert 0 < first < 2000
    assert run(*WORDS, "--workers", 0, "--out", tmp_path, "--minutes", "0.02", "--resume").exit_code == 0
    assert states(tmp_path)[-1] >= first
