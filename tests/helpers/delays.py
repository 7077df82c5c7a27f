"""Delays by geometry."""

import numpy as np

from soundfix import physics

BOX = np.array([[0.0, 0, 0], [6, 5, 3]])


def geometry(seed, *, is_flat=False):
    """A random array, a source and the exact range differences of all pairs."""
    rng = np.random.default_rng(seed)
    positions = rng.uniform(BOX[0], BOX[1], (rng.integers(5, 15), 3))
    source = rng.uniform(BOX[0] + 0.1, BOX[1] - 0.1)
    if is_flat:
        positions[:, 2], source[2] = 0.0, max(source[2], 0.4)
    pairs = physics.pair_indices(len(positions))
    return positions, source, pairs, physics.range_differences(source, positions, pairs)
