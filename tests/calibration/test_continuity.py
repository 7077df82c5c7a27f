"""Arrivals that jump are left out; those of a walk, of a turn, of clocks that are off, and of sources that jump all stay."""

import numpy as np
import pytest

from soundfix.calibration.continuity import without_jumps

TIMES_S = np.arange(0.25, 30, 0.25)
MICROPHONES = np.random.default_rng(0).uniform([0, 0, 0], [7, 8, 2.5], (9, 3))


def walked(corners, m_s=0.8):
    """Path to every microphone, from corner to corner; each moment's sound at a time of its own."""
    along = np.append(0, np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1)))
    places = np.stack([np.interp(TIMES_S * m_s, along, xs) for xs in np.transpose(corners)], axis=1)
    return np.linalg.norm(places[:, None] - MICROPHONES, axis=-1)


@pytest.fixture
def path_m(rng):
    exact = walked([(1, 1, 1.5), (6, 7, 1.2), (6, 1, 1.8), (1, 6, 1.5), (3, 3, 1.5)])
    return exact + rng.uniform(-5, 5, (len(exact), 1)) + 0.01 * rng.standard_normal(exact.shape)


def test_a_walk_stays_but_for_its_sharpest_turns(path_m):
    assert np.isfinite(without_jumps(path_m, TIMES_S)).mean() > 0.95


def test_what_jumps_goes_and_the_rest_stays(path_m, rng):
    is_wrong = rng.random(path_m.shape) < 0.15
    wrong = path_m + is_wrong * rng.choice([-1, 1], path_m.shape) * rng.uniform(0.8, 3.0, path_m.shape)
    left = np.isfinite(without_jumps(wrong, TIMES_S))
    assert left[is_wrong].mean() < 0.05
    assert left[~is_wrong].mean() > 0.8


def test_missing_arrivals_stay_missing_and_harm_nobody(path_m, rng):
    path_m[rng.random(path_m.shape) < 0.3] = np.nan
    left = without_jumps(path_m, TIMES_S)
    assert np.array_equal(left[np.isfinite(left)], path_m[np.isfinite(left)])
    assert np.isfinite(left).sum() > 0.9 * np.isfinite(path_m).sum()


def test_clocks_that_are_off_or_drift_do_not_matter(path_m, rng):
    late_m = rng.uniform(-5, 5, 9) + rng.uniform(-0.03, 0.03, 9) * TIMES_S[:, None]
    assert np.isfinite(without_jumps(path_m + late_m, TIMES_S)).mean() > 0.95


def test_where_sources_jump_everything_stays(rng):
    places = rng.uniform([0, 0, 0], [7, 8, 2.5], (len(TIMES_S), 3))
    path_m = np.linalg.norm(places[:, None] - MICROPHONES, axis=-1)
    assert np.array_equal(without_jumps(path_m, TIMES_S), path_m)


def test_moments_far_apart_in_time_say_nothing_of_each_other(path_m):
    assert np.array_equal(without_jumps(path_m, 10 * TIMES_S), path_m)
