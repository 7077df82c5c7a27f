"""Factors of regions: they widen, they move nothing, and what a place has been given for its doubt is not given again."""

import numpy as np
import pytest

import soundfix
from soundfix import regions
from soundfix.consensus import Consensus
from soundfix.evidence import Evidence
from soundfix.refine import Mode
from soundfix.testing import contract_scene


def place(probability):
    """A consensus of two microphones on one place."""
    yes, no = np.ones(2, dtype=bool), np.zeros(2, dtype=bool)
    evidence = Evidence(pairs=np.array([[0, 1]]), values=np.zeros((1, 3), dtype=np.float32), step_m=0.01)
    mode = Mode(position=np.zeros(3), score=1.0, probability=probability)
    return Consensus(
        is_kept=yes, is_named=no, is_inverted=no, profiles=(None, None), modes=[mode], evidence=evidence,
        is_contradicted=False,
    )  # fmt: skip


def test_a_factor_widens_the_region_and_moves_nothing(monkeypatch):
    found = {}
    for times in (1.0, 4.0):
        monkeypatch.setattr(regions, "WEIGHTS", (np.log(times), 0.0))
        found[times] = soundfix.load("three-stream").locate(contract_scene()).sources[0]
    assert np.array_equal(found[1.0].position_m, found[4.0].position_m)
    assert found[4.0].covariance_m2 == pytest.approx(4 * found[1.0].covariance_m2)
    assert found[4.0].radius90_m == pytest.approx(2 * found[1.0].radius90_m)


def test_doubt_widens_until_the_place_is_widened_anyway():
    factors = [regions.factor(place(probability)) for probability in (None, 1.0, 0.99, 0.95, 0.9)]
    assert factors[0] == factors[1] == pytest.approx(np.exp(regions.WEIGHTS[0]))
    assert sorted(factors) == factors
    assert factors[-1] > 4 * factors[0]
    assert regions.factor(place(0.89)) == regions.factor(place(0.0)) == factors[0]
