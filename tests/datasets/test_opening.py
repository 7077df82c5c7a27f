"""--data: worlds by name, folders by what lies in them."""

import numpy as np
import pytest

from helpers.clips import Clips
from helpers.scenes import drawn
from soundfix.datasets import opening
from soundfix.datasets.folder import SceneFolder
from soundfix.datasets.measured import Measured
from soundfix.datasets.opening import open_dataset
from soundfix.datasets.shards import Shards
from soundfix.datasets.simulated import Simulated
from soundfix.datasets.writing import write_set
from soundfix.errors import DatasetError
from soundfix.files.scenes import write_scene
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import LUVIRA_TWIN


def test_a_world_by_name_never_ends():
    world = open_dataset("luvira-twin", seed=4)
    assert isinstance(world, Simulated)
    assert len(world) == 10**6
    again = Simulated(world=LUVIRA_TWIN, sounds=BuiltInSounds(), seed=4, count=3)
    assert np.array_equal(world[2].audio, again[2].audio)


def test_shards_of_a_simulated_set(tmp_path):
    write_set(tmp_path / "set", Simulated(world=LUVIRA_TWIN, sounds=BuiltInSounds(), seed=4, count=2))
    opened = open_dataset(str(tmp_path / "set"))
    assert isinstance(opened, Shards)
    assert len(opened) == 2


def test_a_folder_of_scenes(tmp_path):
    for number in range(2):
        write_scene(tmp_path / str(number), drawn(LUVIRA_TWIN, np.random.default_rng(number)))
    opened = open_dataset(str(tmp_path))
    assert isinstance(opened, SceneFolder)
    assert len(opened) == 2
    assert opened[1].truth is not None


def test_measured_impulse_responses(tmp_path, rng):
    responses = rng.standard_normal((4, 800)) * np.exp(-np.arange(800) / 100)
    positions = rng.uniform(0, 3, (4, 3))
    np.savez(
        tmp_path / "room.npz", rir=responses, mic_positions=positions, source_position=np.ones(3), fs=16000.0, c=343.0
    )
    opened = open_dataset(str(tmp_path))
    assert isinstance(opened, Measured)
    assert opened[0].audio.shape == (4, 32000)


def test_what_is_no_data_set(tmp_path):
    with pytest.raises(
        DatasetError,
        match="neither a folder nor a world; worlds are clean-rooms, random-rooms, rough-rooms, luvira-twin",
    ):
        open_dataset("luvira-twim")
    with pytest.raises(DatasetError, match=r"holds no data set: wanted manifest.json .*Track 1.wav"):
        open_dataset(str(tmp_path))


def test_luvira_by_split_or_by_name(tmp_path, monkeypatch):
    asked = {}
    monkeypatch.setattr(opening, "luvira", lambda root, **chosen: asked.update(chosen) or Clips())
    (tmp_path / "speech0003").mkdir()
    (tmp_path / "speech0003" / "Track 1.wav").write_bytes(b"")
    for which, wanted in (("", {"split": "all"}), (":train", {"split": "train"}), (":music1,Grid110", None)):
        asked.clear()
        open_dataset(f"{tmp_path}{which}")
        assert asked == (wanted or {"recordings": ["music1", "Grid110"]})
