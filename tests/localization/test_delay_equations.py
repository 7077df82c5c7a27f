"""The equations of delays: their derivatives, their probabilities, and what they expect."""

import numpy as np
import pytest

from soundfix.localization.delay_equations import OUTLIERS, Equations


def equations(incidence, **changes):
    positions = np.array([[0.0, 0, 0], [10, 0, 0], [0, 10, 0], [0, 0, 10]])
    told = {
        "incidence": np.array(incidence, dtype=float),
        "path_m": np.linspace(1.0, 2.0, len(incidence)),
        "sigma_m": np.full(len(incidence), 0.5),
        "wind_m": np.zeros((len(incidence), 3)),
        "doubt": 1.0,
        "positions": positions,
        "origin": np.zeros(3),
        "axes": np.eye(3),
        "box": np.array([[0.0, 0, 0], [10, 10, 10]]),
        "expected_m": np.full(3, 4.0),
        "is_open": np.zeros(3, dtype=bool),
    }
    return Equations(**(told | changes))


ARRIVALS = np.eye(4)
PAIRS = [[1, -1, 0, 0], [0, 1, -1, 0], [1, 0, 0, -1]]


def test_arrivals_have_a_moment_and_pairs_none():
    assert equations(ARRIVALS).unknowns == 4
    assert equations(PAIRS).unknowns == 3
    assert equations(ARRIVALS, axes=np.eye(3)[:2]).unknowns == 3


@pytest.mark.parametrize("incidence", [ARRIVALS, PAIRS])
def test_slopes_are_the_derivatives_of_the_misfits(incidence):
    told = equations(incidence, axes=np.array([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]))
    at = np.array([[3.0, 4.0, 0.7][: told.unknowns]])
    for axis in range(told.unknowns):
        step = np.zeros_like(at)
        step[0, axis] = 1e-6
        measured = (told.misfits(at - step) - told.misfits(at + step)) / 2e-6
        assert told.slopes(at)[0, :, axis] == pytest.approx(measured[0], abs=1e-6)


def test_misfits_by_hand():
    """From the first microphone it is 0 m to itself and 10 m to the others; 2 m before that it was made."""
    told = equations(ARRIVALS, path_m=np.array([2.0, 12.0, 12.0, 13.0]))
    assert told.misfits(np.array([[0.0, 0.0, 0.0, 2.0]]))[0] == pytest.approx([0, 0, 0, 1])


def test_a_delay_is_right_or_anywhere_within_reach():
    told = equations(ARRIVALS)
    is_right, likelihood = told.likelihood(np.array([[0.0, 0.0, 0.0, 20.0]]), np.array([2.0]))
    anywhere, near = OUTLIERS / told.reach_m, (1 - OUTLIERS) / np.sqrt(2 * np.pi)  # of a standard error of 1 m
    assert is_right[0] == pytest.approx([near / (near + anywhere)] * 3 + [0])
    assert likelihood[0] == pytest.approx(3 * np.log(near + anywhere) + np.log(anywhere))


def test_what_is_expected_of_a_place():
    """A standard deviation of 4 m about 5 m: 4 m off costs half; twelve off as little as 1 in 10 where that is a guess."""
    told, guessed = (equations(PAIRS, axes=np.eye(3)[:2], is_open=np.full(3, is_open)) for is_open in (False, True))
    assert told.middle == pytest.approx([5, 5])
    assert told.prior_degrees == 0.5
    at = np.array([[9.0, 5.0], [17.0, 5.0]])
    information, cost = told.prior(at)
    assert information == pytest.approx(np.full((2, 2), 1 / 16))
    assert cost - 2 * np.log(4) == pytest.approx([0.5, 4.5])
    information, cost = guessed.prior(at)
    assert information == pytest.approx(np.array([[1, 2], [0.2, 2]]) / 16)
    assert cost - 2 * np.log(4) == pytest.approx([np.log(2), np.log(10)])
