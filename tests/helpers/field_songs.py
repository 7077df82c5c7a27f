"""A recording of songs in a wood, by recorders whose clocks are off."""

from functools import cache

import numpy as np

from soundfix.simulation.outdoors import RATE_HZ, Wood, draw_recorders, draw_singer, record_songs
from soundfix.simulation.synthesis import birds

GAP_S = 5.0


@cache
def wood_with_songs(*, songs, seed=1000):
    """The scene, and how late each of nine recorders is (s): two by tens of milliseconds, the others by tenths of one."""
    rng, wood = np.random.default_rng(seed), Wood(gps_m=0.5)
    places = draw_recorders(wood, rng)
    late_s = 2e-4 * rng.standard_normal(len(places))
    late_s[[1, 5]] = 0.035, -0.022
    sung = [
        (2.0 + GAP_S * k, birds(0.8, sample_rate=RATE_HZ, rng=rng), draw_singer(places, wood, rng))
        for k in range(songs)
    ]
    return record_songs(wood, sung, places, late_s, rng, duration_s=GAP_S * songs), late_s
