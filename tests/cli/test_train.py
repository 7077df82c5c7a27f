"""`soundfix info` and `soundfix train`."""

import json
import signal
import subprocess
import sys

from helpers.service import until
from helpers.training import run
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


LONG = ["correlation.steps=1", "autoencoder.steps=1", "localization.steps=2000", "localization.batch=2"]
WORDS = ["tiny", "--data", "luvira-twin", "--workers", "0", *(word for change in LONG for word in ("--set", change))]


def states(folder):
    return sorted(int(path.stem.split("-")[1]) for path in folder.glob("state-*.safetensors"))


def test_stopped_by_a_signal_the_state_is_saved(tmp_path):
    words = [sys.executable, "-m", "soundfix", "train", *WORDS, "--out", tmp_path / "run"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: (tmp_path / "run" / "metrics.jsonl").exists(), 200)
    process.send_signal(signal.SIGTERM)
    said, errors = process.communicate(timeout=100)
    assert process.returncode == 128 + signal.SIGTERM
    assert "stopping after this step" in errors
    assert "--resume goes on with it" in said.replace("\n", " ")
    last = states(tmp_path / "run")[-1]
    assert 0 < last < 2000
    assert last >= json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])["step"]


def test_so_many_minutes_and_then_more(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "NORMALIZED_TO", 8)  # clips
    result = run(*WORDS, "--out", tmp_path, "--minutes", "0.02")
    assert result.exit_code == 0, result.output
    first = states(tmp_path)[-1]
    assert 0 < first < 2000
    assert run(*WORDS, "--out", tmp_path, "--minutes", "0.02", "--resume").exit_code == 0
    assert states(tmp_path)[-1] >= first
    monkeypatch.setenv("RANK", "0")
    assert "--minutes is for one process" in str(run(*WORDS, "--out", tmp_path, "--minutes", "1").exception)
