"""A parabola's top is found between the lags."""

import numpy as np
import pytest

from soundfix.signal.summit import summit


@pytest.mark.parametrize("top", [4.0, 4.3, 5.5, 3.6])
def test_the_top_of_a_parabola(top):
    curve = -np.square(np.arange(10.0) - top)
    peak = int(curve.argmax())
    assert peak + summit(curve[None], np.array([peak]))[0] == pytest.approx(top)


def test_an_end_and_a_plateau_are_left_as_they_are():
    curves = np.array([[3.0, 2.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    assert summit(curves, np.array([0, 2])).tolist() == [0.0, 0.0]


def test_never_further_than_half_a_lag():
    assert abs(summit(np.array([[0.0, 1.0, 0.999, 0.0]]), np.array([2]))[0]) == 0.5
