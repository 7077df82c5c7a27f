"""`soundfix train` as a user calls it: recipes and their changes, data by name, the table, what is measured on the way."""

from dataclasses import replace

import pytest

from helpers.training import run
from soundfix.datasets.simulated import Simulated
from soundfix.datasets.writing import write_set
from soundfix.errors import ConfigError, DatasetError, TrainingError
from soundfix.networks import checkpoint
from soundfix.networks.model import Network
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import LUVIRA_LIKE
from soundfix.training import recipes
from soundfix.training.request import chosen_device


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


def test_the_command_keeps_what_it_makes(tmp_path):
    clips = Simulated(world=replace(LUVIRA_LIKE, duration_s=0.5), sounds=BuiltInSounds(), seed=1, count=2)
    write_set(tmp_path / "set", clips)
    words = ["gnn", "--data", tmp_path / "set", "--out", tmp_path / "run", "--cache", tmp_path / "kept", "--workers", 0]
    small = ["localization.steps=1", "localization.batch=1", "localization.windows_s=[0.128]", "localization.points=1"]
    changes = [word for change in (*small, "network.width=32", "network.cells=[4,4,2]") for word in ("--set", change)]
    result = run(*words, *changes)
    assert result.exit_code == 0, result.exception
    assert len(list((tmp_path / "kept").glob("windows-*/*.safetensors"))) == 1


def test_a_world_without_end_is_not_kept(tmp_path):
    result = run("gnn", "--data", "luvira-like", "--out", tmp_path / "run", "--cache", tmp_path / "kept")
    assert isinstance(result.exception, TrainingError)
    assert "simulated without end" in str(result.exception)
