"""Messages as ODAS' viewers take them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from soundfix.estimate import Direction, Estimate, Source
from soundfix.microphones import Microphones
from soundfix.report.odas import SLOTS, middle, potential_line, tracked_line

MICROPHONES = Microphones(
    positions=np.array([[0, 0, 1], [2, 0, 1], [2, 2, 1], [0, 2, 1], [np.nan] * 3])
)  # the middle: 1, 1, 1


def source(*place, score=0.75, track=None):
    return Source(position_m=np.array(place, float), covariance_m2=np.eye(3), radius90_m=1.0, score=score, track=track)


def estimate(*sources, verdict="ok"):
    return Estimate(method="x", start_s=0.0, end_s=0.5, sources=sources, verdict=verdict if sources else "abstain")


def test_the_middle_is_of_those_whose_place_is_known():
    np.testing.assert_array_equal(middle(MICROPHONES), [1, 1, 1])


def test_a_tracked_source_by_hand():
    told = json.loads(tracked_line(estimate(source(4, 5, 1, track=7)), MICROPHONES, 12))
    assert told["timeStamp"] == 12
    assert told["src"][0] == {"id": 7, "tag": "dynamic", "x": 0.6, "y": 0.8, "z": 0.0, "activity": 0.75}
    assert told["src"][1:] == [{"id": 0, "tag": "", "x": 0.0, "y": 0.0, "z": 0.0, "activity": 0.0}] * 3


def test_a_potential_source_by_hand():
    told = json.loads(potential_line(estimate(source(1, 1, 3), source(1, 0, 1), verdict="ambiguous"), MICROPHONES, 1))
    assert told["src"][0] == {"x": 0.0, "y": 0.0, "z": 1.0, "E": 0.75}
    assert told["src"][1] == {"x": 0.0, "y": -1.0, "z": 0.0, "E": 0.75}
    assert told["src"][2] == {"x": 0.0, "y": 0.0, "z": 0.0, "E": 0.0}


def test_what_is_of_no_track_is_not_tracked():
    told = json.loads(tracked_line(estimate(source(1, 1, 3), source(1, 0, 1, track=12)), MICROPHONES, 1))
    assert [each["id"] for each in told["src"]] == [12, 0, 0, 0]
    assert told["src"][0]["y"] == -1.0


def test_of_a_direction_the_likelier_side_is_told():
    side = Direction(azimuth_deg=90.0, elevation_deg=0.0, cone90_deg=5.0, from_m=np.ones(3))
    sources = (source(1, 3, 1), source(1, -1, 1))
    said = replace(estimate(*sources), verdict="direction only", direction=side)
    told = json.loads(tracked_line(said, MICROPHONES, 1))
    assert [(each["id"], each["y"]) for each in told["src"]] == [(1, 1.0), (0, 0.0), (0, 0.0), (0, 0.0)]


@pytest.mark.parametrize("line", [tracked_line, potential_line])
@pytest.mark.parametrize("count", [0, 1, 6])
def test_there_are_always_as_many_on_one_line(line, count):
    said = line(estimate(*[source(k, 5, 1, score=1.5, track=k + 1) for k in range(count)]), MICROPHONES, 1)
    assert "\n" not in said
    told = json.loads(said)["src"]
    assert len(told) == SLOTS
    assert max(each.get("activity", each.get("E")) for each in told) == min(count, 1)
