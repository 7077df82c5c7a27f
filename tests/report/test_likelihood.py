"""Curves that are sent lose no peak, and say of a place what the evidence says."""

from base64 import b64decode

import numpy as np
import pytest

from soundfix import physics
from soundfix.localization.evidence import Evidence
from soundfix.report.likelihood import likelihood_dict, thinned

PLACES_M = np.array([[0, 0, 1], [4, 0, 2], [4, 3, 1], [0, 3, 2]], float)
PAIRS = np.array([(0, 1), (0, 2), (1, 3)])
STEP_M = 0.0107


def evidence(lags=1001):
    values = np.random.default_rng(0).normal(size=(3, lags)).astype(np.float32)
    return Evidence(pairs=PAIRS, values=values, step_m=STEP_M, positions=PLACES_M)


@pytest.mark.parametrize("grain_m", [0.001, 0.04, 0.05, 0.2])
def test_a_block_keeps_its_highest_value_and_the_middle_is_zero(grain_m):
    curves, step_m = thinned(evidence(), grain_m)
    width = round(step_m / STEP_M)
    assert width % 2 == 1
    assert curves.shape[1] % 2 == 1
    middle = curves.shape[1] // 2
    for block in (0, 1, middle, 2 * middle):
        centre = 500 + (block - middle) * width
        np.testing.assert_array_equal(
            curves[:, block], evidence().values[:, centre - width // 2 : centre + width // 2 + 1].max(axis=1)
        )
    assert grain_m == 0.001 or abs(step_m - grain_m) <= STEP_M


def test_what_is_sent_is_the_evidence_to_a_hundredth_of_its_highest_value():
    told = likelihood_dict(evidence(), grain_m=0.001)
    curves = np.frombuffer(b64decode(told["values"]), np.int8).reshape(3, told["lags"]) * told["unit"]
    place = np.array([1.4, 2.1, 1.3])
    ranges = physics.distances(place[None], np.array(told["positions_m"]))[0]
    first, second = np.array(told["pairs"]).T
    lag = np.rint((ranges[first] - ranges[second]) / told["step_m"]).astype(int) + told["lags"] // 2
    nearest = np.rint((ranges[first] - ranges[second]) / STEP_M).astype(int) + 500
    highest = np.abs(evidence().values).max()
    np.testing.assert_allclose(curves[np.arange(3), lag], evidence().values[np.arange(3), nearest], atol=highest / 100)


def test_nothing_is_sent_beyond_what_microphones_are_apart():
    told = likelihood_dict(evidence(), grain_m=0.001)
    widest = np.linalg.norm(PLACES_M[PAIRS[:, 0]] - PLACES_M[PAIRS[:, 1]], axis=1).max()
    assert abs(told["lags"] * told["step_m"] - 2 * widest) < 6 * STEP_M


def test_curves_of_nothing_are_finite():
    silent = Evidence(pairs=PAIRS, values=np.zeros((3, 101), np.float32), step_m=0.1, positions=PLACES_M)
    assert np.isfinite(likelihood_dict(silent)["unit"])
