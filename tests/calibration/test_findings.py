"""Of two microphones that would stand on one spot, who has a place of its own finding is not sure."""

import numpy as np
import pytest

from soundfix.calibration.findings import MicrophoneFinding, _apart


def finding(kind, *place):
    return MicrophoneFinding(
        name="mic", finding=kind, position_m=np.array(place, dtype=float), covariance_m2=np.eye(3), moved_m=None,
        offset_s=0.0, offset_sigma_s=0.0, drift_ppm=0.0, drift_sigma_ppm=0.0, before_m=None, after_m=None,
    )  # fmt: skip


def kinds(*findings):
    return [each.finding for each in _apart(findings)]


@pytest.mark.parametrize("kind", ["placed", "misplaced", "late and misplaced"])
def test_who_would_stand_where_another_is_listed_is_not_sure(kind):
    assert kinds(finding("good", 1, 2, 1), finding(kind, 1, 2, 1.001)) == ["good", "unsure"]
    assert kinds(finding("good", 1, 2, 1), finding(kind, 1, 3, 1)) == ["good", kind]


def test_of_two_that_were_placed_on_one_spot_one_is_left():
    assert kinds(finding("placed", 1, 2, 1), finding("placed", 1, 2, 1)) == ["unsure", "placed"]


def test_who_is_unsure_takes_nobody_s_place():
    assert kinds(finding("unsure", 1, 2, 1), finding("placed", 1, 2, 1)) == ["unsure", "placed"]
