"""What windows in turn say of a microphone: what lasts, what fades, when it began, and why."""

import numpy as np
import pytest

from helpers.walks import ROOM, array, walk
from soundfix.api.locate import locate
from soundfix.calibration.hypotheses import FaultHypothesis
from soundfix.estimate import MicrophoneReport
from soundfix.localization.profile import profile_of_curve
from soundfix.microphones import Microphones
from soundfix.physics import SPEED_OF_SOUND_M_S
from soundfix.report.text import clock, describe_events, describe_microphones
from soundfix.session.microphone_history import LASTING_WINDOWS, Event, MicrophoneHistory
from soundfix.simulation.faults import break_scene, parse_fault

STEP_M = 0.01
PLACE = np.array([1.0, 2.0, 1.0])


def report(status="ok", *, pull_m=None, height=20.0, rng=None):
    """Of a microphone whose profile peaks at this pull, over noise of deviation 1."""
    profile = None
    if pull_m is not None:
        delays = np.arange(-400, 401) * STEP_M
        curve = (rng or np.random.default_rng(0)).standard_normal(801)
        curve += height * np.exp(-0.5 * ((delays - pull_m) / 0.01) ** 2)
        profile = profile_of_curve(curve.astype(np.float32), STEP_M)
    return MicrophoneReport(name="mic1", status=status, weight=1.0, position_m=PLACE, profile=profile)


def told(*reports, place=PLACE):
    history = MicrophoneHistory(name="mic1")
    for k, each in enumerate(reports):
        history.add(each, time_s=k / 2, place=place)
        history.note(each.status, k / 2)
    return history


def test_agreement_is_no_guilt():
    assert not told(*[report(pull_m=0.0)] * 10).is_faulty(20.0)


def test_a_lasting_contradiction_is():
    history = told(*[report(pull_m=2.0)] * 5)
    assert history.is_faulty(20.0)
    assert history.verdict(is_faulty=True) == "late"


def test_what_is_long_ago_is_forgiven():
    """A clock that was off for 10 windows and is right for 60."""
    late, right = [report(pull_m=2.0)] * 10, [report(pull_m=0.0)] * 60
    assert not told(*late, *right).is_faulty(20.0)


def test_a_clock_that_steps_is_found_out_soon_though_it_was_right_for_long():
    right, late = [report(pull_m=0.0)] * 100, [report(pull_m=2.0)] * 6
    assert told(*right, *late).is_faulty(20.0)


def test_who_hears_nothing_of_what_the_others_hear(rng):
    """Noise alone makes low peaks by chance, anywhere; far away they are low too, but where they should be."""
    deaf = told(*[report(pull_m=0.0, height=0.0, rng=rng) for _ in range(8)])
    far = told(*[report(pull_m=0.0, height=6.0, rng=rng) for _ in range(8)])
    assert deaf.is_deaf(20.0)
    assert not far.is_deaf(20.0)


def test_a_state_is_an_event_from_where_it_began():
    history = told(*[report()] * 4, *[report("dead")] * 5, report(), *[report("dead")] * 2, *[report()] * 4)
    assert history.events == [
        Event(time_s=2.0, microphone="mic1", status="dead"),
        Event(time_s=6.0, microphone="mic1", status="ok"),
    ]
    assert len(told(*[report("dead")] * (LASTING_WINDOWS - 1), report()).events) == 0


def test_who_was_sound_for_long_and_then_hears_nothing_is_lost_from_there(rng):
    """Far less than the others hear, and never where it should: after seven windows, but told from the first of them."""
    sound, chance = report(pull_m=0.0), report(pull_m=3.0, height=3.0, rng=rng)
    assert not told(*[sound] * 40, *[chance] * 6).is_deaf(20.0)
    history = told(*[sound] * 40, *[chance] * 7)
    assert history.is_deaf(20.0)
    for k in range(47, 50):
        history.note("excluded", k / 2)
    assert history.events == [Event(time_s=20.0, microphone="mic1", status="excluded")]
    assert not told(*[sound] * 40, *[chance] * 7, sound).is_deaf(20.0)


def test_dead_for_a_fifth_of_the_recording_is_dead_in_the_summary():
    assert told(*[report()] * 7, *[report("dead")] * 3).verdict(is_faulty=False) == "dead"
    assert told(*[report()] * 19, report("dead")).verdict(is_faulty=False) == "ok"


def explained_history(rng, *, pulls):
    """Windows along a walk, with these pulls (m)."""
    history = MicrophoneHistory(name="mic1")
    for k, (place, pull_m) in enumerate(zip(walk(rng, 30), pulls, strict=True)):
        history.add(report(pull_m=float(pull_m)), time_s=k / 2, place=place)
    return history


@pytest.fixture
def microphones(rng):
    return Microphones(positions=array(rng, 6))


def test_a_late_clock_is_explained_by_its_offset(rng, microphones):
    found = explained_history(rng, pulls=np.full(30, 2.0)).explanation(microphones, np.array(ROOM))
    assert found.is_late
    assert not found.is_elsewhere
    assert found.offset_m == pytest.approx(2.0, abs=0.02)


def test_a_wrong_position_is_explained_by_the_right_one(rng, microphones):
    true = microphones.positions[0] + np.array([0.8, 0.6, 0.3])
    sources = walk(np.random.default_rng(5), 30)
    pulls = np.linalg.norm(sources - true, axis=1) - np.linalg.norm(sources - microphones.positions[0], axis=1)
    history = explained_history(np.random.default_rng(5), pulls=pulls)
    found = history.explanation(microphones, np.array(ROOM) + np.array([[-1.0], [1.0]]))
    assert found.is_elsewhere
    assert np.linalg.norm(found.position_m - true) < 0.1


def test_too_few_windows_explain_nothing(microphones):
    assert told(*[report(pull_m=2.0)] * 3).explanation(microphones, np.array(ROOM)) is None


def test_in_words():
    late = FaultHypothesis(position_m=PLACE, offset_m=0.006 * SPEED_OF_SOUND_M_S, is_late=True)
    elsewhere = FaultHypothesis(position_m=PLACE + 0.1, is_elsewhere=True)
    reports = [
        MicrophoneReport(name=name, status=status, weight=0.0, position_m=place)
        for name, status, place in (
            ("mic1", "late", PLACE + 2),
            ("mic2", "misplaced", PLACE + 4),
            ("mic3", "ok", PLACE),
            ("mic4", "misplaced", PLACE + 6),
        )
    ]
    lines = list(describe_microphones(reports, {"mic1": late, "mic2": elsewhere}))
    assert lines[1] == "  mic1: late, its clock is +6.0 ms off"
    assert lines[2].endswith("where mic3 is listed: are their channels, or their rows, exchanged?")
    assert lines[3] == "  mic4: misplaced"
    assert clock(3 * 3600 + 723.4) == "03:12:03"
    events = [
        Event(time_s=723.0, microphone="mic4", status="dead"),
        Event(time_s=800.0, microphone="mic4", status="ok"),
    ]
    assert list(describe_events(events)) == ["00:12:03  mic4: dead", "00:13:20  mic4: ok again"]


def test_a_pulled_cable_is_an_event_of_the_recording(rng):
    """Row 2 of what may go wrong: excluded from then on, and said when."""
    from helpers.scenes import anechoic_scene

    scene = anechoic_scene(array(rng, 8), np.array([3.0, 4.0, 1.2]), rng, seconds=6.0, room=ROOM)
    cut = break_scene(scene, [parse_fault("cut:3:3.0")], rng)
    located = locate(
        cut.audio, cut.sample_rate, cut.microphones, room=cut.room, method="srp-phat", speed_of_sound_m_s=cut.speed
    )
    assert located.events == (Event(time_s=3.0, microphone="mic3", status="dead"),)
    assert located.estimates[0].microphones[2].weight == 1.0
    assert located.estimates[-1].microphones[2].weight == 0.0
    assert located.microphones[2].status == "dead"
