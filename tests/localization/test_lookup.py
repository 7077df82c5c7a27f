"""Compiled loops say what a few lines of numpy say; so does what stands in for them at first (test_in_numpy.py)."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d

from soundfix.compiled import PATIENCE_S, Compiled
from soundfix.localization.lookup import (
    blurred,
    highest_between,
    highest_round,
    mean_at,
    mean_between,
    mean_nearest,
    slopes_nearest,
)
from soundfix.physics import pair_indices

PAIRS = pair_indices(4)
MIDDLE = 20


@pytest.fixture(autouse=True)
def is_compiled(monkeypatch):
    monkeypatch.setattr(Compiled, "spent_s", PATIENCE_S)


@pytest.fixture
def curves(rng):
    return rng.standard_normal((len(PAIRS), 2 * MIDDLE + 1)).astype(np.float32)


def differences(lags):
    return (lags[PAIRS[:, 0]] - lags[PAIRS[:, 1]]).T


def test_each_pair_is_looked_up_at_its_own_lag(curves, rng):
    wanted = rng.integers(0, 2 * MIDDLE + 1, (len(PAIRS), 7)).astype(np.uint32)
    assert np.allclose(mean_at(curves, wanted), np.take_along_axis(curves, wanted.astype(int), axis=1).mean(axis=0))


@pytest.mark.parametrize("widest", [5, 40])
def test_the_nearest_lag_counts_and_beyond_the_ends_the_last(curves, rng, widest):
    lags = rng.uniform(0, widest, (4, 50)).astype(np.float32)
    nearest = np.floor(differences(lags) + MIDDLE + 0.5).astype(int).clip(0, 2 * MIDDLE)
    found = mean_nearest(curves, PAIRS, lags)
    assert np.allclose(found, [curves[range(len(PAIRS)), each].mean() for each in nearest], atol=1e-6)


@pytest.mark.parametrize("widest", [5, 40])
def test_between_lags_curves_are_straight_and_beyond_the_ends_level(curves, rng, widest):
    lags, grid = rng.uniform(0, widest, (4, 50)), np.arange(-MIDDLE, MIDDLE + 1)
    straight = [[np.interp(d, grid, c) for d, c in zip(each, curves, strict=True)] for each in differences(lags)]
    assert np.allclose(mean_between(curves, PAIRS, lags), np.mean(straight, axis=1), atol=2e-6)


@pytest.mark.parametrize(("block", "width"), [(1, 1), (1, 3), (3, 3), (3, 5)])
def test_blurred_is_the_box_filter_twice_on_means_of_positive_values(curves, block, width):
    first, count = 2, 36 // block
    blocks = np.maximum(curves[:, first : first + count * block], 0).reshape(len(curves), count, block).mean(axis=2)
    for _ in range(2):
        blocks = uniform_filter1d(blocks, width, axis=1, mode="nearest")
    assert np.allclose(blurred(curves, first, count, block, width), blocks, atol=1e-6)


def test_the_highest_round_a_lag_by_the_weight_of_its_offset_and_of_its_pair(curves, rng):
    weight = rng.uniform(0, 1, (5, len(PAIRS))).astype(np.float32)
    found = highest_round(curves, weight)
    expected = [
        [max(0, *(weight[k, p] * curves[p, n + k] for k in range(5))) for n in range(2 * MIDDLE + 1 - 4)]
        for p in range(len(PAIRS))
    ]
    assert np.array_equal(found, np.array(expected, dtype=np.float32))


def test_slopes_are_those_of_the_sum_and_what_bends_upwards_is_straight(curves, rng):
    lags, uphill = rng.uniform(0, 40, (2, 4, 50)).astype(np.float32), rng.standard_normal((len(PAIRS), 3))
    pieces = np.stack([curves, curves[::-1]])
    gradient, curvature = slopes_nearest(pieces, PAIRS, lags, uphill.astype(np.float32), 2)
    for k in range(2):
        nearest = np.floor(differences(lags[k]) + MIDDLE + 0.5).astype(int).clip(2, 2 * MIDDLE - 2)
        before, at, after = (np.take_along_axis(pieces[k], (nearest + off).T, axis=1).T for off in (-2, 0, 2))
        assert np.allclose(gradient[:, k], (after - before) / 4 @ uphill, atol=1e-5)
        bends = np.maximum(2 * at - before - after, 0) / 4
        assert np.allclose(curvature[:, k], np.einsum("np,px,py->nxy", bends, uphill, uphill), atol=1e-5)


def test_the_highest_of_some_lags_the_first_of_several(curves):
    first, last = np.arange(len(PAIRS)), np.full(len(PAIRS), 2 * MIDDLE)
    curves[0, 30] = curves[0, 33] = 9.0
    curves[1, 0] = 9.0  # before the first
    curves[2, last[2]] = 9.0
    wanted = [a + curve[a : b + 1].argmax() for curve, a, b in zip(curves, first, last, strict=True)]
    assert list(highest_between(curves, first, last)) == wanted
    assert wanted[0] == 30
    assert wanted[2] == 2 * MIDDLE
