"""A simulated scene is its seed and its number."""

import numpy as np

from helpers.sets import WORLD, Hiss, simulated
from soundfix.simulation.worlds import draw_world


def test_simulated_scenes_are_their_number():
    """Whatever was asked for before; another seed is another scene."""
    scenes = simulated()
    first, _, again = scenes[4], scenes[2], scenes[4]
    assert np.array_equal(first.audio, again.audio, equal_nan=True)
    assert np.array_equal(first.audio, simulated(count=5)[4].audio, equal_nan=True)
    assert not np.array_equal(first.truth.sources, simulated(seed=8)[4].truth.sources)
    direct = draw_world(WORLD, Hiss(), np.random.default_rng([7, 4]))
    assert np.array_equal(first.audio, direct.audio, equal_nan=True)
