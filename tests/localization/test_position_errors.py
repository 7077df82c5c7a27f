"""The compromise: better than a vote where positions are off, the vote itself where they are not."""

from dataclasses import replace

import numpy as np
import pytest

from soundfix import physics
from soundfix.localization import position_errors
from soundfix.localization.evidence import Evidence
from soundfix.localization.position_errors import _step, fit_with_position_errors, peaks_near

BOX = np.array([[0.0, 0, 0], [6, 5, 3]])
STEP_M, REACH = 0.002, 4000
POSITIONS = np.array(
    [
        [0.3, 0.4, 0.5],
        [5.6, 0.5, 1.1],
        [5.5, 4.6, 0.4],
        [0.4, 4.5, 1.3],
        [0.5, 0.3, 2.6],
        [5.4, 4.4, 2.5],
        [3, 2.4, 2.8],
    ]
)
SOURCE = np.array([3.9, 1.8, 1.3])


def heard(truly):
    """One narrow peak a pair, where microphones that truly stand there hear the source."""
    pairs = physics.pair_indices(len(truly))
    lag_m = (np.arange(2 * REACH + 1) - REACH) * STEP_M
    differences = physics.range_differences(SOURCE[None], truly, pairs)[0]
    values = np.exp(-np.square((lag_m - differences[:, None]) / 0.01) / 2)
    return Evidence(pairs=pairs, values=values.astype(np.float32), step_m=STEP_M, positions=POSITIONS)


def sigma(value):
    return np.full(len(POSITIONS), value)


def test_exact_positions_are_left_to_the_vote():
    start = SOURCE + 0.02
    assert np.array_equal(fit_with_position_errors(heard(POSITIONS), sigma(0.0), start, BOX), start)


def test_from_beside_the_source_to_the_source():
    found = fit_with_position_errors(heard(POSITIONS), sigma(0.02), SOURCE + np.array([0.03, -0.03, 0.02]), BOX)
    assert np.linalg.norm(found - SOURCE) < 0.01  # from 4.7 cm


def test_nearer_than_the_vote_where_positions_are_off():
    errors = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        truly = POSITIONS + 0.02 * rng.standard_normal(POSITIONS.shape)
        start = SOURCE + 0.05 * rng.standard_normal(3)
        found = fit_with_position_errors(heard(truly), sigma(0.02), start, BOX)
        errors.append([np.linalg.norm(start - SOURCE), np.linalg.norm(found - SOURCE)])
    before, after = np.median(errors, axis=0)
    assert after < 0.6 * before


@pytest.mark.parametrize("off_m", [0.5, 1.5])
def test_it_never_goes_further_than_the_region(off_m):
    start = SOURCE + np.array([off_m, 0, 0])
    found = fit_with_position_errors(heard(POSITIONS), sigma(0.02), start, BOX)
    covariance = physics.cramer_rao(start, POSITIONS, np.hypot(0.006, 0.02), BOX)
    away = found - start
    assert away @ np.linalg.solve(covariance, away) <= 6.26
    assert np.isfinite(found).all()


def test_a_known_coordinate_stays_and_the_others_are_the_best_for_it(rng):
    """Positions off by 3 cm: at the right height the place is nearer than where the free compromise lies."""
    flat = np.array([[0.0, 0, SOURCE[2]], [6, 5, SOURCE[2]]])
    errors = {"flat": [], "free": []}
    for _ in range(20):
        evidence = heard(POSITIONS + 0.03 * rng.standard_normal(POSITIONS.shape))
        for label, box in (("flat", flat), ("free", BOX)):
            found = fit_with_position_errors(evidence, sigma(0.03), SOURCE.copy(), box)
            errors[label].append(np.linalg.norm(found - SOURCE))
            assert label == "free" or found[2] == SOURCE[2]
    assert np.mean(errors["flat"]) < np.mean(errors["free"])


def test_a_pair_counts_by_the_squared_height_of_its_peak(rng):
    """Against the normal equations of least squares with these weights, written out."""
    pairs, truly = physics.pair_indices(7), POSITIONS + 0.01 * rng.standard_normal(POSITIONS.shape)
    evidence, heights = heard(truly), rng.uniform(0.1, 1, len(pairs))
    lower = replace(evidence, values=(evidence.values * heights[:, None]).astype(np.float32))
    point = SOURCE + 0.02
    step = _step(lower, np.full(len(pairs), 2.0), point, np.ones(3, dtype=bool))  # so wide that no pair is an outlier
    unit = (point - POSITIONS) / np.linalg.norm(point - POSITIONS, axis=1)[:, None]
    slope = unit[pairs[:, 0]] - unit[pairs[:, 1]]
    off_m = (
        physics.range_differences(SOURCE[None], truly, pairs)[0]
        - physics.range_differences(point[None], POSITIONS, pairs)[0]
    )
    weight = np.diag(heights**2)
    assert step == pytest.approx(np.linalg.solve(slope.T @ weight @ slope, slope.T @ weight @ off_m), abs=2e-3)
    assert np.linalg.norm(step - np.linalg.solve(slope.T @ slope, slope.T @ off_m)) > 2e-3


def test_a_peak_three_standard_errors_away_is_still_heard():
    """The list says 2 cm: the difference of two is off by 8 cm and counts; by 13 cm it does not."""
    error_m = np.hypot(np.hypot(0.02, 0.02), 0.006)
    expected = physics.range_differences(SOURCE[None], POSITIONS, physics.pair_indices(7))[0]
    reach_m = np.full(len(expected), position_errors.REACH * error_m + position_errors.REACH_M)
    for off_m, is_heard in ((0.08, True), (0.13, False)):
        evidence = heard(POSITIONS)
        moved = replace(evidence, values=np.roll(evidence.values, round(off_m / STEP_M), axis=1))
        found, height = peaks_near(moved, expected, reach_m)
        assert (height > 0.9).all() == is_heard
        assert not is_heard or found == pytest.approx(expected + off_m, abs=STEP_M)
