"""Curves of three pairs, each with a peak, added up by hand."""

import numpy as np
import pytest

from soundfix import physics
from soundfix.localization.aligned import curves_of, sum_about

PAIRS = physics.pair_indices(3)
ALL = np.ones(3, dtype=bool)


def peaks(*lags, reach=5):
    """A curve for each pair: 1 at its lag."""
    curves = np.zeros((len(lags), 2 * reach + 1), dtype=np.float32)
    curves[np.arange(len(lags)), np.array(lags) + reach] = 1
    return curves


def test_curves_are_turned_as_if_the_microphone_came_first():
    """Arrivals 0, 1, 3: pairs (0, 1), (0, 2), (1, 2) say -1, -3, -2, and microphone 1 is 1 later than 0."""
    values = peaks(-1, -3, -2)
    curves, others = curves_of(1, values, PAIRS, ALL)
    assert others.tolist() == [0, 2]
    np.testing.assert_array_equal(curves, peaks(1, -2))
    curves, others = curves_of(2, values, PAIRS, np.array([True, False, True]))
    assert others.tolist() == [0]
    np.testing.assert_array_equal(curves, peaks(3))


def test_they_add_up_where_all_say_the_same():
    curves, others = curves_of(1, peaks(-1, -3, -2), PAIRS, ALL)
    total, count = sum_about(curves, 1 - np.array([0, 1, 3])[others], 2)
    assert (total.tolist(), count) == ([0, 0, 2, 0, 0], 2)
    total, _ = sum_about(curves, -np.array([0, 1, 3])[others], 2)  # expected a step too early: both are a step late
    assert total.tolist() == [0, 0, 0, 2, 0]


@pytest.mark.parametrize(("lag", "count"), [(3, 1), (-3, 1), (4, 0), (-4, 0), (60, 0)])
def test_a_curve_that_does_not_reach_is_left_out(lag, count):
    total, heard = sum_about(np.ones((1, 11), dtype=np.float32), np.array([lag]), 2)
    assert heard == count
    assert total.tolist() == [count] * 5


def test_without_partners_there_is_nothing():
    curves, others = curves_of(0, peaks(-1, -3, -2), PAIRS, ~ALL)
    total, count = sum_about(curves, others, 1)
    assert (curves.shape, total.tolist(), count) == ((0, 11), [0, 0, 0], 0)
