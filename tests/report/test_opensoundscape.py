"""What PositionEstimate.from_dict takes: its fields, the sign of its delays, and its residuals."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from helpers.foreign import MICROPHONES, OF_EVENTS, answer, direction, event, source
from soundfix.files.delays import read_delays
from soundfix.files.events.reading import read_events
from soundfix.report.opensoundscape import json_line, position_dicts

FIELDS = {  # of PositionEstimate in OpenSoundscape 0.13
    "location_estimate", "class_name", "receiver_files", "receiver_locations", "tdoas", "cc_maxs", "start_timestamp",
    "receiver_start_time_offsets", "duration", "distance_residuals",
}  # fmt: skip
PLACE = np.array([1.0, 2.0, 1.5])
WHEN = datetime(2025, 6, 15, 12, tzinfo=UTC)


def position(**changed):
    (told,) = position_dicts(
        replace(answer(source(*PLACE), event=event(), residuals=(0.02, 0.0, -0.3, None), clock=WHEN), **changed),
        OF_EVENTS,
    )
    return told


def test_the_fields_are_those_of_a_position_estimate():
    told = position()
    assert set(told) == FIELDS
    assert told["location_estimate"] == PLACE.tolist()
    assert (told["class_name"], told["duration"], told["start_timestamp"]) == ("owl", 0.5, "2025-06-15T12:00:00+00:00")
    assert told["receiver_files"] == ["a", "b", "c"]
    assert told["receiver_start_time_offsets"] == [1.0] * 3
    assert told["receiver_locations"] == MICROPHONES.positions[:3].tolist()


def test_delays_and_residuals_are_those_that_opensoundscape_computes():
    """Its residual: what the place says of a delay after the first receiver, less what was heard, in metres."""
    told = position()
    reach = np.linalg.norm(np.array(told["receiver_locations"]) - PLACE, axis=1) / 340.0
    residuals = (reach - reach[0] - np.array(told["tdoas"])) * 340.0
    np.testing.assert_allclose(told["distance_residuals"], residuals, atol=1e-12)
    np.testing.assert_allclose(residuals, [0.0, 0.02, 0.32], atol=1e-12)
    assert told["tdoas"][0] == 0.0


def test_a_microphone_that_does_not_count_is_no_receiver():
    reports = (*answer(residuals=(0.0, None, 0.1)).microphones, *answer(residuals=(0.0,) * 4).microphones[3:])
    told = position(microphones=reports)  # b is left out, of d nobody knows the place
    assert told["receiver_files"] == ["a", "c"]


def test_without_receivers_and_without_a_name_it_is_still_a_position():
    (told,) = position_dicts(answer(source(*PLACE)), OF_EVENTS)
    assert (told["receiver_files"], told["tdoas"], told["class_name"]) == ([], [], None)


def test_no_place_no_entry():
    assert position_dicts(answer(), OF_EVENTS) == position_dicts(direction(), OF_EVENTS) == []


def test_it_is_read_back_as_events_and_as_delays(tmp_path):
    (tmp_path / "p.json").write_text(f"[{json_line(position())}]")
    (read,) = read_events(tmp_path / "p.json").events
    assert (read.start_s, read.end_s, read.label, read.stations) == (1.0, 1.5, "owl", ("a", "b", "c"))
    (delays,) = read_delays(tmp_path / "p.json", MICROPHONES)
    assert delays.first.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(delays.delay_s, position()["tdoas"])


def test_numbers_stay_numbers():
    assert json.loads(json_line(position()))["duration"] == pytest.approx(0.5)
