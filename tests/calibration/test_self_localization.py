"""Shapes of arrays without any position: the rank-one heights, what is mirrored, and whole arrays from a walk."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.walks import array, hearing, walk
from soundfix.calibration import self_localization
from soundfix.calibration.bundle import Layout
from soundfix.calibration.continuity import without_jumps
from soundfix.calibration.initial_guess import procrustes
from soundfix.calibration.self_localization import heights, refined, shapes, upright
from soundfix.simulation.worlds import LUVIRA_TWIN

STUDIO = np.array(LUVIRA_TWIN.positions_m)
FLAT = np.array([1.0, 1.0, 0.0])


def laid_out(positions, sources):
    still = np.zeros(len(positions))
    return Layout(positions=positions, offset_m=still, drift_m_s=still, sources=sources)


def off_m(layout, places):
    return float(np.sqrt(np.mean(np.sum((procrustes(layout, places).positions - places) ** 2, axis=1))))


def cost(solution):
    return solution.cost


@pytest.fixture
def sources(rng):
    return walk(rng, 110, corners=5)


def heard(places, sources, rng, **errors):
    """As a recording's arrivals are: those that jump are left out."""
    arrivals = hearing(places, sources, rng, **errors).arrivals
    return replace(arrivals, path_m=without_jumps(arrivals.path_m, arrivals.times_s))


def test_heights_are_the_rank_one_part_of_squared_ranges(sources, rng):
    """With the plane as it is; up and down exchanged is as good, and how high microphones are by which sources are not."""
    arrivals = heard(STUDIO, sources, rng, noise_m=0.001)
    found = heights(laid_out(FLAT * STUDIO, FLAT * sources), arrivals, rng)
    assert abs(np.corrcoef(found.microphones, STUDIO[:, 2])[0, 1]) > 0.95
    product = np.outer(found.moments, found.microphones)
    true = np.outer(*(z - z.mean() for z in (sources[:, 2], STUDIO[:, 2])))
    assert np.corrcoef(product.ravel(), true.ravel())[0, 1] > 0.8
    assert np.std(found.microphones) == pytest.approx(np.std(found.moments), rel=1e-6)


def test_a_microphone_mirrored_in_the_plane_of_the_sources_is_mirrored_back(sources, rng):
    arrivals, wrong = heard(STUDIO, sources, rng), STUDIO.copy()
    wrong[2, 2] = 2 * np.median(sources[:, 2]) - wrong[2, 2]
    assert off_m(refined(laid_out(wrong, sources), arrivals, rng).layout, STUDIO) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_studio_from_a_walk(seed):
    rng = np.random.default_rng(seed)
    arrivals = heard(STUDIO, walk(rng, 110, corners=5), rng, wrong=0.08)
    assert off_m(min(shapes(arrivals, rng), key=cost).layout, STUDIO) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_an_array_as_high_as_the_room(seed):
    rng = np.random.default_rng(seed)
    places = array(rng)
    arrivals = heard(places, walk(rng, 110, corners=5), rng)
    assert off_m(min(shapes(arrivals, rng), key=cost).layout, places) < 0.15


def test_the_same_seed_the_same_shape(rng, monkeypatch):
    monkeypatch.setattr(self_localization, "STARTS", 2)
    sound = hearing(STUDIO, walk(rng, 40), rng, wrong=0.0, missing=0.0)
    monkeypatch.setattr(self_localization, "FLIPS", 4)
    first, second = (list(shapes(sound.arrivals, np.random.default_rng(1))) for _ in range(2))
    assert np.array_equal(first[0].layout.positions, second[0].layout.positions)
    assert len({each.cost for each in first}) == len(first)


def test_upright_is_level_about_its_middle(sources):
    turned = upright(laid_out(STUDIO[:, [2, 0, 1]] + 40.0, sources))
    assert np.abs(turned.positions.mean(axis=0)).max() < 1e-9
    assert np.ptp(turned.positions[:, 2]) < 2.0
    assert off_m(turned, STUDIO) < 1e-6
