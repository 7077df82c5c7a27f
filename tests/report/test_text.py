"""Answers in words: one line a window, one a microphone that is not sound, one an event."""

import numpy as np
import pytest

from helpers.drawings import directed
from soundfix.estimate import Estimate, Finding, MicrophoneReport, Source
from soundfix.report.text import clock, describe, describe_direction, describe_events, describe_microphones, length
from soundfix.session.microphone_history import Event


def source(*place, radius_m=0.123):
    return Source(position_m=np.array(place), covariance_m2=0.01 * np.eye(3), radius90_m=radius_m, score=0.5)


def window(verdict, *sources, reasons=()):
    findings = tuple(Finding(code, "") for code in reasons)
    return Estimate(method="srp-phat", start_s=1.0, end_s=1.5, verdict=verdict, sources=sources, findings=findings)


def test_one_place_with_its_radius_in_centimetres():
    assert (
        describe(window("ok", source(1.0, 2.0, 3.456)))
        == "    1.00 -    1.50 s  ok         (1.00, 2.00, 3.46) m ±12 cm"
    )


def test_candidates_are_said_with_or_and_sources_with_and():
    pair = source(1.0, 2.0, 3.0), source(4.0, 5.0, 6.0)
    assert "±12 cm or (4.00" in describe(window("ambiguous", *pair))
    assert "±12 cm and (4.00" in describe(window("degraded", *pair))


def test_a_direction_is_said_in_degrees_on_both_sides_and_with_its_range():
    head = "    0.00 -    0.50 s  direction only  "
    assert describe(directed()) == head + "azimuth 20°, elevation 14° ±6°  direction_only"
    assert describe(directed(is_flat=True)) == head + "azimuth 20°, elevation 14° or -14° ±6°  direction_only"
    assert describe(directed(range_m=(0.5, 3.0))) == (
        head + "azimuth 20°, elevation 14° ±6°, 0.5 to 3.0 m away  direction_only"
    )


def test_where_the_plane_is_no_level_one_azimuths_differ_too():
    first, second = directed().direction, directed(azimuth_deg=-50.0, elevation_deg=-3.0).direction
    said = describe_direction(first.mirrored_by(second))
    assert said == "azimuth 20°, elevation 14° or azimuth -50°, elevation -3° ±6°"


def test_an_abstention_has_reasons_and_no_place():
    assert describe(window("abstain", reasons=("no_signal", "no_fix"))).endswith("abstain    no_signal no_fix")


def test_only_microphones_that_are_not_sound_have_a_line():
    reports = [
        MicrophoneReport(name=name, status=status, weight=1.0, position_m=np.zeros(3))
        for name, status in (("a", "ok"), ("b", "dead"), ("c", "ok"))
    ]
    assert list(describe_microphones(reports)) == ["microphones: 2 of 3 ok", "  b: dead"]


def test_events_begin_with_hours_minutes_and_seconds():
    events = [Event(time_s=3723.0, microphone="a", status="dead"), Event(time_s=4000.0, microphone="a", status="ok")]
    assert list(describe_events(events)) == ["01:02:03  a: dead", "01:06:40  a: ok again"]
    assert clock(59.0) == "00:00:59"


@pytest.mark.parametrize(
    ("metres", "told"), [(0.034, "3 cm"), (0.994, "99 cm"), (4.56, "4.6 m"), (999.0, "999.0 m"), (1234.0, "1.2 km")]
)
def test_a_length_is_told_in_the_unit_that_fits(metres, told):
    assert length(metres) == told


def test_where_a_height_is_hardly_known_the_rest_is_told_apart():
    covariance = np.diag([0.01, 0.01, 25.0])
    source = Source(position_m=np.zeros(3), covariance_m2=covariance, radius90_m=8.2, score=0.5)
    estimate = Estimate(method="m", start_s=0.0, end_s=1.0, verdict="ok", sources=(source,))
    assert "(0.00, 0.00, 0.00) m ±21 cm across, 8.2 m with its height" in describe(estimate)
