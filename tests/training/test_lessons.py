"""What a network is told before it learns: arrays and a room."""

import numpy as np
import pytest

from helpers.clips import Clips
from helpers.training import job, quick
from soundfix.networks import checkpoint
from soundfix.training.lessons import know_arrays
from soundfix.training.loop import train


def test_an_array_that_all_clips_share_is_remembered(tmp_path):
    clips = Clips()
    train(job(tmp_path, recipe=quick(0, 0, 1), data=[clips]))
    (array,) = checkpoint.load(tmp_path / "model.safetensors").config.arrays
    assert np.allclose(array, clips[0].microphones.positions, atol=0.1)


def test_a_network_that_goes_on_elsewhere_keeps_its_arrays(tmp_path):
    first = train(job(tmp_path / "one", recipe=quick(0, 0, 1)))
    (own,) = first.config.arrays
    know_arrays(first, [np.zeros((4, 3)) + np.arange(4)[:, None]])
    assert own in first.config.arrays
    assert len(first.config.arrays) == 2


def test_coordinates_are_normalised_to_the_sources(tmp_path):
    network = train(job(tmp_path, recipe=quick(0, 0, 1)))
    places = np.array([clip.truth.sources[0] - [3.0, 2.5, 1.5] for clip in map(Clips().__getitem__, range(32))])
    assert network.origin_m.numpy() == pytest.approx(places.mean(axis=0), abs=1e-5)
