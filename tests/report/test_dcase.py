"""DCASE's conventions: azimuth from the front to the left, elevation upwards, whole degrees, cm, frames of 0.1 s."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.foreign import AHEAD, MICROPHONES, RECORDED, answer, direction, event, source
from soundfix.report.dcase import CLASSES, seld_lines
from soundfix.report.recorded import Listener, Recorded

HEARD = replace(RECORDED, listener=AHEAD)
KINDS = {"speech": 0.1, "music": 0.7, "other": 0.1, "none": 0.1}


def lines(estimate, recorded=HEARD):
    return [[int(cell) for cell in line.split(",")] for line in seld_lines(estimate, recorded).splitlines()]


def test_a_window_by_hand():
    """2 m ahead, 2 m to the left, 1 m higher: 45 degrees, asin(1/3) = 19.5, 3 m."""
    assert lines(answer(source(3, 3, 2, track=4, kinds=KINDS))) == [
        [frame, 1, 4, 45, 19, 300] for frame in range(10, 15)
    ]


@pytest.mark.parametrize(
    ("place", "azimuth", "elevation"),
    [
        ((9, 1, 1), 0, 0),
        ((1, 9, 1), 90, 0),
        ((1, -9, 1), -90, 0),
        ((-9, 1, 1), -180, 0),
        ((1, 1, 9), 0, 90),
        ((1, 1, -9), 0, -90),
    ],
)
def test_left_is_positive_and_up_is_positive(place, azimuth, elevation):
    assert lines(answer(source(*place)))[0][3:5] == [azimuth, elevation]


def test_the_heading_turns_what_is_ahead():
    turned = replace(RECORDED, listener=Listener(np.array([1.0, 1.0, 1.0]), 90.0))
    assert lines(answer(source(1, 9, 1)), turned)[0][3] == 0
    assert lines(answer(source(-9, 1, 1)), turned)[0][3] == 90
    assert lines(answer(source(-9, -9, 1)), turned)[0][3] == 135


def test_overlapping_windows_share_no_frame():
    recorded = replace(HEARD, hop_s=0.25)
    frames = [
        line[0]
        for k in range(8)
        for line in lines(answer(source(9, 1, 1), start_s=0.25 * k, end_s=0.25 * k + 0.5), recorded)
    ]
    assert frames == list(range(1, 21))


def test_an_event_has_a_frame_at_least():
    short = replace(answer(source(9, 1, 1), event=event(label="7")), start_s=1.02, end_s=1.03)
    assert [line[:2] for line in lines(short)] == [[10, 7]]
    assert len(lines(answer(source(9, 1, 1), event=event()))) == 5


def test_without_tracks_sources_of_a_window_are_numbered():
    assert [line[2] for line in lines(answer(source(9, 1, 1), source(1, 9, 1)))[:2]] == [0, 1]


def test_classes():
    assert CLASSES == ("speech", "music", "other")
    noise = {"speech": 0.1, "music": 0.1, "other": 0.1, "none": 0.7}
    for told, number in ((None, 2), (noise, 2), (KINDS, 1)):
        assert lines(answer(source(9, 1, 1, kinds=told)))[0][1] == number
    for label, number in (("12", 12), ("owl", 2), ("9" * 5000, 2)):
        assert lines(answer(source(9, 1, 1), event=event(label=label)))[0][1] == number


def test_a_direction_has_no_distance_and_is_seen_from_the_array_alone():
    assert lines(direction())[0] == [10, 2, 0, 90, 10]
    assert lines(direction(from_m=(1.0, 1.4, 1.0)))[0] == [10, 2, 0, 90, 10]
    assert lines(direction(from_m=(1.0, 1.6, 1.0))) == []
    assert (
        lines(direction(azimuth_deg=-170.0), replace(RECORDED, listener=Listener(AHEAD.position_m, 90.0)))[0][3] == 100
    )


def test_no_answer_is_no_line():
    assert lines(answer()) == []


def test_no_frame_is_before_the_start():
    early = Recorded(microphones=MICROPHONES, hop_s=1.0, listener=AHEAD)
    assert lines(answer(source(9, 1, 1), start_s=-0.2, end_s=0.2), early)[0][0] == 0
