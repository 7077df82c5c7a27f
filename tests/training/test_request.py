"""`soundfix train` as a user calls it: recipes and their changes, data by name, the table, what is measured on the way."""

from dataclasses import replace

import pytest

from helpers.training import run
from soundfix.errors import ConfigError, DatasetError, TrainingError
from soundfix.networks import checkpoint
from soundfix.networks.model import Network
from soundfix.training import recipes
from soundfix.training.request import chosen_device, named_recipe


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
