"""The filter: a step by hand, and against the textbook's batch form."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from soundfix.tracking.kalman import LEAST_SIGMA_M, Fix, State, expected, log_density, smoothed_back, updated

NOISE_M2 = 0.04 - LEAST_SIGMA_M**2
FIX = Fix(np.array([1.0, 0.0, 0.0]), NOISE_M2 * np.eye(3))
MOVE = np.eye(6) + 0.5 * np.eye(6, k=3)


def test_a_fix_as_sure_as_the_state_meets_it_halfway():
    state = updated(State(np.zeros(6), 0.04 * np.eye(6)), FIX)
    assert state.mean == pytest.approx([0.5, 0, 0, 0, 0, 0])
    assert np.diag(state.covariance) == pytest.approx([0.02] * 3 + [0.04] * 3)


def test_the_density_is_that_of_a_gaussian():
    state = State(np.arange(6.0) / 10, np.diag([0.1, 0.2, 0.3, 1, 1, 1]))
    density = multivariate_normal(state.mean[:3], state.covariance[:3, :3] + FIX.noise).logpdf(FIX.position_m)
    assert log_density(state, FIX) == pytest.approx(density)


def test_smoothing_is_what_all_fixes_together_say(rng):
    """Against the joint Gaussian of both states, solved at once."""
    first = State(np.zeros(6), np.diag([0.1] * 3 + [1.0] * 3))
    drift, later = 0.05 * np.eye(6), Fix(rng.normal(0, 1, 3), NOISE_M2 * np.eye(3))
    foreseen = expected(first, MOVE, drift)
    smooth = smoothed_back(first, MOVE, foreseen, updated(foreseen, later))
    sees = np.eye(3, 6) @ MOVE
    spread = sees @ first.covariance @ sees.T + drift[:3, :3] + later.noise
    gain = first.covariance @ sees.T @ np.linalg.inv(spread)
    assert smooth.mean == pytest.approx(first.mean + gain @ (later.position_m - sees @ first.mean))
    assert smooth.covariance == pytest.approx(first.covariance - gain @ sees @ first.covariance)
