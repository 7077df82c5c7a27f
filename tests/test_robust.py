"""Medians and deviations: solved by hand, and what outliers do to them."""

import numpy as np
import pytest

from soundfix.robust import GAUSSIAN, LEAST, deviation, medians


def test_the_median_distance_from_the_median():
    """1, 2, 4, 8, 100 lie 3, 2, 0, 4, 96 from 4: the middle one of these is 3."""
    assert deviation(np.array([1.0, 2, 4, 8, 100])) == GAUSSIAN * 3 + LEAST


def test_the_median_distance_from_zero():
    assert deviation(np.array([1.0, -2, 4, -8, 100]), about=0.0) == GAUSSIAN * 4 + LEAST


def test_rows_keep_their_axis():
    rows = np.array([[1.0, 2, 4, 8, 100], [10, 10, 10, 10, 10]])
    np.testing.assert_array_equal(deviation(rows, axis=1), [[GAUSSIAN * 3 + LEAST], [LEAST]])
    np.testing.assert_array_equal(deviation(rows, about=2.0, axis=1), [[GAUSSIAN * 2 + LEAST], [GAUSSIAN * 8 + LEAST]])


def test_a_gaussian_has_its_own_deviation_though_a_tenth_is_outliers(rng):
    values = 5 + 2 * rng.standard_normal(100_000)
    assert deviation(values) == pytest.approx(2, rel=0.01)
    values[:10_000] = 1e6
    assert deviation(values) == pytest.approx(2, rel=0.2)


def test_the_precision_is_that_of_the_values_or_as_asked(rng):
    values = rng.standard_normal(1001).astype(np.float32)
    single, double = deviation(values), deviation(values, dtype=np.float64)
    distance = np.median(np.abs(values - np.median(values)))
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    assert single == np.float32(GAUSSIAN) * distance + np.float32(LEAST)
    assert double == GAUSSIAN * float(distance) + LEAST


def test_of_nothing_and_of_equals_it_may_be_divided_by():
    assert deviation(np.zeros(0)) == deviation(np.zeros((0, 4)), about=0.0) == LEAST
    assert deviation(np.full(9, 3.0)) == LEAST


def test_medians_leave_nan_out():
    rows = np.array([[1.0, 5, 2], [np.nan, 3, 4], [np.nan, np.nan, np.nan]])
    assert medians(rows).tolist() == [2.0, 3.5, 0.0]
