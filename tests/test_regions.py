"""Factors of regions: what they depend on, and that places stay where they are."""

import numpy as np
import pytest

import soundfix
from soundfix import regions
from soundfix.testing import contract_scene


@pytest.fixture
def located(monkeypatch):
    """An estimate under these weights, and the circumstances that were looked at."""
    scene, seen = contract_scene(), []
    plain = regions.circumstances

    def noted(scene, consensus):
        seen.append(plain(scene, consensus))
        return seen[-1]

    monkeypatch.setattr(regions, "circumstances", noted)

    def locate(weights):
        monkeypatch.setattr(regions, "WEIGHTS", weights)
        return soundfix.load("three-stream").locate(scene), seen[-1]

    return locate


def test_a_factor_widens_the_region_and_moves_nothing(located):
    plain, _ = located((0.0,) * len(regions.NAMES))
    wide, _ = located((np.log(4.0), *(0.0,) * (len(regions.NAMES) - 1)))
    assert np.array_equal(plain.sources[0].position_m, wide.sources[0].position_m)
    assert wide.sources[0].covariance_m2 == pytest.approx(4 * plain.sources[0].covariance_m2)
    assert wide.sources[0].radius90_m == pytest.approx(2 * plain.sources[0].radius90_m)


def test_a_factor_has_an_end(located):
    widest, _ = located((50.0, *(0.0,) * (len(regions.NAMES) - 1)))
    plain, seen = located((0.0,) * len(regions.NAMES))
    assert widest.sources[0].radius90_m == pytest.approx(regions.LARGEST**0.5 * plain.sources[0].radius90_m)
    assert len(seen) == len(regions.NAMES) == len(regions.WEIGHTS)
    assert np.isfinite(seen).all()
