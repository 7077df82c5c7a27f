"""`soundfix train` as a user calls it: recipes and their changes, data by name, the table, what is measured on the way."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from helpers.clips import Clips
from soundfix.cli.app import app
from soundfix.errors import ConfigError, DatasetError, TrainingError
from soundfix.networks import checkpoint
from soundfix.networks.model import Network
from soundfix.training import loop, recipes, request
from soundfix.training.request import chosen_device, named_recipe
from soundfix.training.table import TrainingTable, duration, line
from soundfix.training.validation import Validation

SMALL = ["correlation.steps=1", "autoencoder.steps=1", "localization.steps=2", "localization.batch=2"]
NUMBERS = {
    "step": 40, "stage": "localization", "of": 100, "done": 40, "likelihood": 1.234, "sound": 0.01,
    "windows_a_second": 21.5, "waiting": 0.031, "left_s": 7260.0,
}  # fmt: skip
VALIDATED = {
    "mae_m": 0.31, "median_m": 0.02, "acc": 0.91, "srp_mae_m": 0.62, "srp_median_m": 0.03, "srp_acc": 0.81,
    "decoder_error_m": 0.9,
}  # fmt: skip


def run(*words):
    return CliRunner().invoke(app, ["train", *map(str, words)])


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


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        (["big"], TrainingError, "no recipe is called 'big'; there are paper, default, tiny"),
        (["tiny", "--set", "localisation.steps=3"], ConfigError, "did you mean 'localization'"),
        (["tiny", "--set", "localization.step=3"], ConfigError, "did you mean 'steps'"),
        (["tiny", "--set", "localization.steps=many"], ConfigError, "steps"),
        (["tiny", "--data", "nowhere"], DatasetError, "neither a folder nor a world; worlds are clean-rooms"),
    ],
)
def test_words_that_are_wrong(tmp_path, words, kind, message):
    result = run(*words, "--out", tmp_path, *([] if "--data" in words else ["--data", "luvira-twin"]))
    assert isinstance(result.exception, kind)
    assert message in str(result.exception)


def test_a_change_reaches_the_recipe():
    changed = named_recipe("default", ["localization.steps=7", "network.keep=0.3", "localization.windows_s=[0.5]"])
    assert changed.localization.steps == 7
    assert changed.network.keep == 0.3
    assert changed.localization.windows_s == (0.5,)
    assert changed.autoencoder == recipes.default().autoencoder


def test_a_gpu_that_is_not_there():
    import torch

    if torch.cuda.is_available():
        assert chosen_device("auto") == "cuda"
    else:
        assert chosen_device("auto") == "cpu"
        with pytest.raises(TrainingError, match="sees no GPU"):
            chosen_device("cuda")


def test_starting_from_a_checkpoint_of_another_network(tmp_path):
    other = Network(replace(recipes.tiny().network, width=32))
    checkpoint.save(other, tmp_path / "other.safetensors")
    result = run("tiny", "--data", "luvira-twin", "--out", tmp_path / "run", "--from", tmp_path / "other.safetensors")
    assert isinstance(result.exception, TrainingError)
    assert "another network" in str(result.exception)


def test_a_line_says_where_it_is_what_it_lost_and_how_long_it_takes():
    text = line(NUMBERS | VALIDATED)
    assert text == (
        "localization 40 of 100  likelihood 1.23  sound 0.01  validation 31 cm, 91 % < 30 cm  "
        "(srp-phat 62 cm, 81 % < 30 cm  windows/s 21.5  waiting 3 %  left 2 h 01 min"
    ).replace("< 30 cm  windows", "< 30 cm)  windows")


def test_the_table_keeps_the_last_validation_on_a_terminal():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with TrainingTable(console) as show:
        show(NUMBERS | VALIDATED)
        show(NUMBERS | {"done": 60})
    drawn = console.file.getvalue()
    assert "60 of 100" in drawn
    assert drawn.rindex("31 cm, 91 %") > drawn.index("60 of 100") - 2000


@pytest.mark.parametrize(("seconds", "text"), [(20.0, "0 min"), (100.0, "2 min"), (7260.0, "2 h 01 min")])
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_an_untrained_network_validates_as_srp_phat_does():
    """Its evidence is the same; windows and truth are the same for both."""
    stage = replace(recipes.tiny().localization, windows_s=(0.25,), microphones=(6, 6))
    validation = Validation([Clips(unknown=False)], stage, windows=10)
    head = replace(recipes.tiny().network.head, lags_a_sample=2)
    numbers = validation(Network(replace(recipes.tiny().network, head=head)).eval())
    assert numbers["srp_mae_m"] < 0.02
    assert numbers["mae_m"] == pytest.approx(numbers["srp_mae_m"], abs=0.01)
    assert numbers["acc"] == 1.0
    assert numbers["decoder_error_m"] > 0.3


def test_nothing_to_validate_with():
    unseen = [replace(Clips()[k], truth=replace(Clips()[k].truth, sources=np.full((1, 3), np.nan))) for k in range(2)]
    clips = type(
        "Unseen", (), {"name": "unseen", "__len__": lambda self: 2, "__getitem__": lambda self, k: unseen[k]}
    )()
    with pytest.raises(TrainingError, match="nothing to validate with"):
        Validation([clips], recipes.tiny().localization, windows=3)
