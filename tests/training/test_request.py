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
from soundfix.training.request import TrainRequest, _cached, chosen_device, named_recipe


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


def test_windows_are_drawn_once_where_they_are_kept(tmp_path):
    """With a folder for them four of each clip, or as many as the recipe says; without one, all are drawn anew."""
    given = {"recipe": "gnn", "data": [], "valid": [], "out": tmp_path, "changes": [], "seed": 0, "resume": False}
    given |= {"start": None, "beats": None, "audio": [], "workers": 0, "device": "cpu", "tracks": False}
    plain, kept = TrainRequest(**given), TrainRequest(**given, cache=tmp_path / "kept")
    gnn = recipes.gnn()
    assert _cached(gnn, plain).localization.windows_a_clip == 0
    assert _cached(gnn, kept).localization.windows_a_clip == 4
    seven = replace(gnn, localization=replace(gnn.localization, windows_a_clip=7))
    assert _cached(seven, kept) == seven


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
