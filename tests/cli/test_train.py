"""`soundfix info` and `soundfix train`."""

import json

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
