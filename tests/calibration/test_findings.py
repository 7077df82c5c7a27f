"""Of two microphones that would stand on one spot, who has a place of its own finding is not sure; two may be exchanged."""

import numpy as np
import pytest

from soundfix.calibration.bundle import Layout
from soundfix.calibration.findings import SWAP_M, MicrophoneFinding, _apart, _doubted, _standing, _swaps
from soundfix.microphones import Microphones


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


@pytest.mark.parametrize(("off_m", "kind"), [(0.9 * SWAP_M, "swapped"), (1.1 * SWAP_M, "misplaced")])
def test_two_that_stand_where_the_list_has_each_other_are_exchanged(off_m, kind):
    """Nearly there; one alone, or one that hears rightly, is not."""
    listed = Microphones(positions=np.array([[1.0, 1, 1], [3, 1, 1], [1, 4, 1], [5, 5, 1]]))
    one, other, third = (
        finding("misplaced", 3, 1 + off_m, 1),
        finding("misplaced", 1, 1 + off_m, 1),
        finding("good", 1, 4, 1),
    )
    alone = finding("misplaced", 1, 4, 1)
    found = _swaps((one, other, third, alone), listed)
    assert [each.finding for each in found] == [kind, kind, "good", "misplaced"]
    assert [each.other for each in found[:2]] == (["mic2", "mic1"] if kind == "swapped" else [None, None])


@pytest.mark.parametrize("room", [((0.0, 0.0, 1.0), (5.0, 4.0, 4.0)), ((0.0, 0.0, 1.0), (90.0, 40.0, 9.0))])
def test_who_is_to_make_one_more_sound_can_stand_there(room):
    """Within the room, as high above its floor as a mouth is; not at hundreds of places in a hall."""
    microphones = Layout(
        positions=np.zeros((2, 3)), offset_m=np.zeros(2), drift_m_s=np.zeros(2), sources=np.zeros((1, 3))
    )
    places, (low, high) = _standing(microphones, room), np.array(room)
    assert 20 < len(places) <= 200
    assert ((places > low) & (places < high)).all()
    assert places[:, 2] - low[2] == pytest.approx(1.5, abs=0.3)


def test_under_a_low_roof_the_sound_is_made_at_the_roof():
    stand = Layout(
        positions=np.array([[0.0, 0, 0], [4, 3, 0.8]]), offset_m=np.zeros(2), drift_m_s=np.zeros(2),
        sources=np.array([[1.0, 1, 0.4]]),
    )  # fmt: skip
    assert set(_standing(stand, None)[:, 2]) == {0.8}


def test_of_a_solution_in_doubt_nobody_is_good_and_who_is_at_fault_stays_so():
    found = _doubted((finding("good", 1, 2, 1), finding("late", 1, 3, 1), finding("unheard", 2, 3, 1)))
    assert [each.finding for each in found] == ["unsure", "late", "unheard"]
