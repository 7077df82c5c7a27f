"""How good a list is: what bundle adjustment moved, by the coordinates that were heard of."""

import numpy as np
import pytest

from soundfix.calibration.bundle import Covariance, Freedom, Layout, Solution
from soundfix.calibration.list_errors import ALIKE, LEAST_M, PRIOR, USUAL_M, estimated, surprise

LISTED = np.zeros((8, 3))
EVERYBODY = np.ones(8, dtype=bool)


def solution(moved_m, left):
    """All microphones moved so far along each axis; this share of the variance that was told is left."""
    still = np.zeros(8)
    covariance = np.broadcast_to(left * 0.08**2 * np.eye(3), (8, 3, 3))
    return Solution(
        layout=Layout(positions=LISTED + moved_m, offset_m=still, drift_m_s=still, sources=np.zeros((1, 3))),
        residual_m=np.zeros((1, 8)),
        cost=0.0,
        covariance=Covariance(positions=covariance, offset_m=still, drift_m_s=still, kappa=0.0),
    )


def test_all_heard_of():
    wanted = np.sqrt((24 * 0.06**2 + PRIOR * USUAL_M**2) / (24 + PRIOR))
    assert estimated(solution(0.06, 0.0), LISTED, 0.08, EVERYBODY) == pytest.approx(wanted)


def test_what_was_not_heard_of_does_not_make_the_list_better():
    """A quarter of the coordinates moved as far as errors of 6 cm: three quarters stay where they were told."""
    half = solution(0.06 / 2, 0.75)
    assert estimated(half, LISTED, 0.08, EVERYBODY) == pytest.approx(0.06, abs=0.003)


def test_nothing_moved_and_nothing_heard_of():
    assert estimated(solution(0.0, 1.0), LISTED, 0.08, EVERYBODY) == pytest.approx(USUAL_M)
    assert LEAST_M < estimated(solution(0.0, 0.0), LISTED, 0.08, EVERYBODY) < 0.015


def test_only_those_that_are_asked_for():
    one = np.arange(8) == 3
    moved = np.where(one[:, None], 0.5, 0.01)
    assert estimated(solution(moved, 0.0), LISTED, 0.08, ~one) < 0.02


def test_what_could_have_been_anything_surprises_more():
    def of(positions, offset_m=0.0):
        still = np.zeros(8)
        freedom = Freedom(positions=still + positions, offset_m=still + offset_m, drift_m_s=still)
        return surprise(freedom, EVERYBODY)

    assert of(0.08) - of(0.02) == pytest.approx((24 - ALIKE) * np.log(4))
    assert of(np.inf) > of(0.08)
    assert of(0.08, np.where(EVERYBODY, np.inf, 0.0)) > of(0.08) + 8
