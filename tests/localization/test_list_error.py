"""A list that declares nothing is doubted where the peaks of pairs do not meet."""

from dataclasses import replace

import numpy as np
import pytest

from soundfix import physics
from soundfix.localization.evidence import Evidence
from soundfix.localization.list_error import ERROR_M, LARGEST_M, USUAL, list_error_m, meeting

POSITIONS = np.array([[0.0, 0, 1], [6, 0, 1.2], [6, 5, 0.8], [0, 5, 1.5], [3, 2.5, 2.8]])
SOURCE = np.array([2.0, 1.5, 1.2])
STEP_M, LAGS, WIDTH_M = 0.005, 1601, 0.01


def peaked(at_m, heights=None) -> Evidence:
    """Each pair's curve has one peak, at these range differences."""
    pairs = physics.pair_indices(len(POSITIONS))
    lags_m = STEP_M * (np.arange(LAGS) - LAGS // 2)
    values = np.exp(-np.square((lags_m - at_m[:, None]) / WIDTH_M) / 2)
    values = values if heights is None else values * np.asarray(heights)[:, None]
    return Evidence(pairs=pairs, values=values.astype(np.float32), step_m=STEP_M, positions=POSITIONS)


def expected_m() -> np.ndarray:
    return physics.range_differences(SOURCE, POSITIONS, physics.pair_indices(len(POSITIONS)))


def test_peaks_that_meet_leave_the_list_alone():
    evidence = peaked(expected_m())
    assert meeting(evidence, SOURCE) == pytest.approx(1, abs=0.01)
    assert list_error_m(evidence, SOURCE) == 0


@pytest.mark.parametrize("off_m", [-0.05, 0.05])
def test_peaks_that_miss_each_other_are_an_error_of_the_list(off_m):
    wrong = expected_m() + off_m * (np.arange(10) < 3)
    evidence = peaked(wrong)
    assert meeting(evidence, SOURCE) == pytest.approx(0.7, abs=0.02)
    assert list_error_m(evidence, SOURCE) == LARGEST_M


def test_the_error_grows_with_what_is_missing():
    """One pair of ten misses by one width of a peak: exp(-1/2) of its height is left."""
    evidence = peaked(expected_m() + WIDTH_M * (np.arange(10) == 0))
    missing = 0.1 * (1 - np.exp(-0.5))
    assert meeting(evidence, SOURCE) == pytest.approx(1 - missing, abs=0.01)
    assert list_error_m(evidence, SOURCE) == pytest.approx(ERROR_M * (USUAL - 1 + missing), abs=0.025)


def test_low_curves_say_little():
    low = np.where(np.arange(10) < 3, 0.1, 1.0)
    evidence = peaked(expected_m() + 0.05 * (np.arange(10) < 3), low)
    assert meeting(evidence, SOURCE) > 0.98


def test_a_peak_far_away_is_no_matter_of_positions():
    evidence = peaked(expected_m() + 0.5 * (np.arange(10) < 3))
    assert list_error_m(evidence, SOURCE) == 0


def test_without_any_evidence_nothing_is_said():
    evidence = peaked(expected_m())
    assert meeting(replace(evidence, values=np.zeros_like(evidence.values)), SOURCE) == 1
