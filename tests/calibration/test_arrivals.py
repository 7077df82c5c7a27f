"""Arrivals on which most pairs agree: from curves with right peaks, echoes and chance; no position is needed."""

import numpy as np
import pytest

from helpers.walks import array
from soundfix import physics
from soundfix.calibration.arrivals import arrivals

STEP_M = 0.01


def curves(ranges_m, rng, *, missing=0.0, echoes=2, noise=0.05):
    """A peak at each pair's true difference (some are missing), echoes anywhere, and noise."""
    pairs = physics.pair_indices(len(ranges_m))
    lags = np.arange(-1200, 1201) * STEP_M
    values = noise * rng.standard_normal((len(pairs), len(lags)))
    for row, (i, j) in zip(values, pairs, strict=True):
        if rng.random() >= missing:
            row += np.exp(-0.5 * ((lags - (ranges_m[i] - ranges_m[j])) / 0.015) ** 2)
        for echo in rng.uniform(-9, 9, echoes):
            row += rng.uniform(0.4, 1.2) * np.exp(-0.5 * ((lags - echo) / 0.015) ** 2)
    return values.astype(np.float32), pairs


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_arrivals_are_those_of_the_direct_sound(rng, missing):
    ranges = np.linalg.norm(array(rng) - np.array([3.0, 4.0, 1.2]), axis=1)
    values, pairs = curves(ranges, rng, missing=missing)
    heard = arrivals(values, pairs, STEP_M, microphones=11)
    off = heard.path_m - (ranges - ranges.mean())
    assert np.median(np.abs(off - np.median(off))) < 0.005
    assert (np.abs(off - np.median(off)) < 0.02).sum() >= 10
    assert np.median(heard.partners) >= 5


def test_chance_agrees_with_few(rng):
    values, pairs = curves(np.zeros(11), rng, missing=1.0)
    assert np.median(arrivals(values, pairs, STEP_M, microphones=11).partners) <= 3
