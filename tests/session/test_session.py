"""A whole array through soundfix.locate: what lasts over windows is named, what is chance is not."""

from dataclasses import replace

import numpy as np
import pytest
import soxr

import soundfix
from helpers.scenes import anechoic_scene
from helpers.session import CORNERS, RATE, SOURCE, locate
from soundfix.errors import SceneError, UnknownMethodError
from soundfix.localization.stations import Stretch
from soundfix.methods.catalog import load
from soundfix.session.session import Session
from soundfix.simulation.faults import break_scene, parse_fault

ROOM = ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))


@pytest.fixture(scope="module")
def broken(studio):
    """The same with mic2 6 ms late and mic8 1 m from its place in the list."""
    faults = [parse_fault("late:2:0.006"), parse_fault("moved:8:1.0")]
    return break_scene(studio, faults, np.random.default_rng(3))


@pytest.fixture(scope="module")
def in_studio(studio):
    return locate(studio)


@pytest.fixture(scope="module")
def in_broken(broken):
    return locate(broken)


@pytest.fixture(scope="module")
def in_outdoors(outdoors):
    return locate(outdoors)


def places(located):
    return np.array([estimate.sources[0].position_m for estimate in located.estimates])


def test_a_static_source_is_found_in_every_window(in_studio, studio):
    assert np.linalg.norm(places(in_studio) - studio.truth.sources[0], axis=1).max() < 0.03
    assert [estimate.verdict for estimate in in_studio.estimates] == ["ok"] * 4


def test_clean_microphones_are_not_accused(in_studio):
    assert {report.status for report in in_studio.microphones} == {"ok"}


def test_a_late_and_a_moved_microphone_are_named_and_no_other(in_broken, broken, studio):
    located = in_broken
    found = {report.name: report.status for report in located.microphones if report.status != "ok"}
    assert found == {"mic2": "late", "mic8": "misplaced"}
    assert [located.microphones[m].weight for m in (1, 7)] == [0.0, 0.0]
    assert np.linalg.norm(places(located) - studio.truth.sources[0], axis=1).max() < 0.03
    pull = located.microphones[1].pull_m
    assert pull == pytest.approx(0.006 * broken.speed, abs=0.05)


@pytest.mark.parametrize(("method", "off_m"), [("srp-phat", 0.0), ("three-stream", 0.002)])
def test_later_windows_do_not_hear_the_convicted(in_broken, broken, method, off_m):
    """After the first window mic2 and mic8 may hear anything: the places stay the same, of SRP-PHAT to the last bit.

    The network still listens to them, to judge them, and so does its mask a little.
    """
    other = broken.audio.copy()
    later = slice(round(0.5 * RATE), None)
    other[[1, 7], later] = 0.1 * np.random.default_rng(5).standard_normal(other[[1, 7], later].shape)
    first = in_broken if method == "three-stream" else locate(broken, method=method)
    second = locate(replace(broken, audio=other), method=method)
    assert {"late:mic2", "misplaced:mic8"} <= set(first.estimates[0].reasons)
    assert np.abs(places(first) - places(second)).max() <= off_m


def test_the_convicted_are_named_in_every_later_window_and_have_no_weight(in_broken):
    for estimate in in_broken.estimates[1:]:
        assert estimate.verdict == "degraded"
        assert {"mic2", "mic8"} == {reason.split(":")[1] for reason in estimate.reasons}
        assert estimate.microphones[1].weight == estimate.microphones[7].weight == 0


def test_a_session_in_pieces_is_locate_at_once(in_broken, broken):
    """The interface that streams gives what the whole recording gives."""
    session = Session(
        localizer=load(), microphones=broken.microphones, room=broken.room, speed_of_sound_m_s=broken.speed
    )
    pieces = [session.hear(k / 2, broken.audio[:, 8000 * k : 8000 * (k + 1)], RATE) for k in range(4)]
    assert [piece.to_dict() for piece in pieces] == [estimate.to_dict() for estimate in in_broken.estimates]
    assert [report.status for report in session.summary()] == [report.status for report in in_broken.microphones]


def test_a_sentence_is_lifted_when_the_fault_ends(studio):
    """mic2 is late for 1 s and right for 3 s more: the sum of its profiles acquits it in the end."""
    late = break_scene(studio, [parse_fault("late:2:0.006")], np.random.default_rng(3))
    audio = np.concatenate([late.audio[:, :16_000], studio.audio, studio.audio[:, 16_000:]], axis=1)
    session = Session(
        localizer=load(), microphones=studio.microphones, room=studio.room, speed_of_sound_m_s=studio.speed
    )
    convicted = []
    for k in range(8):
        session.hear(k / 2, audio[:, 8000 * k : 8000 * (k + 1)], RATE)
        convicted.append(bool(session.is_excluded[1]))
    assert convicted[1]
    assert not convicted[-1]


def test_at_least_five_are_left(broken):
    """With six microphones of known position, two wrong ones: only the stronger case is convicted."""
    few = broken.where(np.isin(np.arange(11), [1, 7, 0, 3, 5, 9]))
    session = Session(localizer=load(), microphones=few.microphones, room=few.room, speed_of_sound_m_s=few.speed)
    for k in range(4):
        session.hear(k / 2, few.audio[:, 8000 * k : 8000 * (k + 1)], RATE)
        assert session.is_excluded.sum() <= 1


def test_a_dead_microphone_is_dead_in_the_summary(studio):
    dead = break_scene(studio, [parse_fault("dead:4")], np.random.default_rng(0))
    reports = locate(dead).microphones
    assert [report.name for report in reports if report.status != "ok"] == ["mic4"]
    assert reports[3].status == "dead"


@pytest.mark.parametrize("number", [1, 9])
def test_an_unknown_position_gets_a_range(studio, number):
    unknown = break_scene(studio, [parse_fault(f"unknown:{number}")], np.random.default_rng(0))
    report = locate(unknown).microphones[number - 1]
    distance = np.linalg.norm(studio.microphones.positions[number - 1] - studio.truth.sources[0])
    assert report.status == "unknown-position"
    assert report.range_m == pytest.approx(distance, abs=0.05)


@pytest.mark.parametrize(
    ("seconds", "window_s", "hop_s", "spans"),
    [
        (2.0, 0.5, None, [(0.0, 0.5), (0.5, 1.0), (1.0, 1.5), (1.5, 2.0)]),
        (1.3, 0.5, None, [(0.0, 0.5), (0.5, 1.0), (1.0, 1.3)]),
        (1.2, 0.5, None, [(0.0, 0.5), (0.5, 1.0)]),
        (0.3, 0.5, None, [(0.0, 0.3)]),
        (0.1, 0.5, None, [(0.0, 0.1)]),
        (2.0, 0.5, 0.75, [(0.0, 0.5), (0.75, 1.25), (1.5, 2.0)]),
    ],
)
def test_windows_cover_the_recording(outdoors, seconds, window_s, hop_s, spans):
    scene = replace(outdoors, audio=outdoors.audio[:, : round(seconds * RATE)])
    located = locate(scene, window_s=window_s, hop_s=hop_s, method="srp-phat")
    assert np.array([(e.start_s, e.end_s) for e in located.estimates]) == pytest.approx(np.array(spans))
    assert np.linalg.norm(places(located) - SOURCE, axis=1).max() < 0.02


def test_overlapping_windows_are_whole(outdoors):
    """Docstring: full windows, and one last shorter one at most; as the command line counts them."""
    located = locate(replace(outdoors, audio=outdoors.audio[:, :16_000]), window_s=0.5, hop_s=0.1, method="srp-phat")
    assert [e.start_s for e in located.estimates] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert all(e.end_s - e.start_s == pytest.approx(0.5) for e in located.estimates)


@pytest.mark.parametrize(
    ("window_s", "hop_s"),
    [(0.0, None), (-0.5, None), (0.5, 0.0), (0.5, -0.1), (np.nan, None), (np.inf, None), (0.5, np.nan)],
)
def test_impossible_windows_are_refused(outdoors, window_s, hop_s):
    with pytest.raises(SceneError, match=r"window|hop"):
        locate(outdoors, window_s=window_s, hop_s=hop_s, method="srp-phat")


@pytest.mark.parametrize("rate", [44_100.0, 96_000.0])
def test_higher_rates_give_the_same_place(in_studio, studio, rate):
    higher = soxr.resample(studio.audio.T, RATE, rate).T
    located = soundfix.locate(higher, rate, studio.microphones, room=studio.room, speed_of_sound_m_s=studio.speed)
    assert np.linalg.norm(places(located) - places(in_studio), axis=1).max() < 0.01
    assert located.estimates[-1].end_s == pytest.approx(2.0, abs=1e-3)


def test_one_bad_sample_survives_resampling(studio):
    """NaN goes through soxr: it may cost milliseconds of its microphone, not the microphone and not the others."""
    higher = soxr.resample(studio.audio.T, RATE, 48_000.0).T.copy()
    higher[0, 30_000] = np.nan
    located = soundfix.locate(higher, 48_000.0, studio.microphones, room=studio.room, speed_of_sound_m_s=studio.speed)
    assert {report.status for report in located.microphones} == {"ok"}
    assert located.microphones[0].weight > 0.97
    assert located.microphones[1].weight == 1
    assert np.linalg.norm(places(located) - studio.truth.sources[0], axis=1).max() < 0.03


def test_a_thin_room_gives_the_known_height(studio):
    x, y, z = studio.truth.sources[0]
    thin = ((0.0, 0.0, z), (7.2, 8.0, z))
    found = places(locate(studio, room=thin))
    assert found[:, 2] == pytest.approx(z, abs=1e-6)
    assert found[:, :2] == pytest.approx(np.array([[x, y]] * 4), abs=0.03)


def test_the_temperature_counts_and_the_speed_wins(outdoors):
    """Sound made at 343 m/s: at -40 degC (306 m/s) the same delays are another place."""
    plain = {"speed_of_sound_m_s": None, "temperature_c": -40.0, "method": "srp-phat"}
    right, cold = places(locate(outdoors, method="srp-phat")), places(locate(outdoors, **plain))
    both = places(locate(outdoors, **plain | {"speed_of_sound_m_s": 343.0}))
    assert np.linalg.norm(right - SOURCE, axis=1).max() < 0.01
    assert np.linalg.norm(cold - SOURCE, axis=1).min() > 0.05
    assert np.array_equal(right, both)


def test_the_method_is_a_name_or_a_localizer(outdoors):
    by_name, by_object = (locate(outdoors, method=method) for method in ("multilateration", load("multilateration")))
    assert {estimate.method for estimate in by_name.estimates} == {"multilateration"}
    assert np.array_equal(places(by_name), places(by_object))
    with pytest.raises(UnknownMethodError, match="srp-phat"):
        locate(outdoors, method="magic")


def test_positions_may_be_a_plain_list(in_outdoors, outdoors):
    located = soundfix.locate(outdoors.audio.tolist(), RATE, CORNERS.tolist(), speed_of_sound_m_s=343.0)
    assert np.array_equal(places(located), places(in_outdoors))


def test_samples_may_be_integers(in_studio, studio):
    """16-bit samples are the same sound; nothing new is found wrong with it."""
    loud = soundfix.locate(
        np.round(studio.audio * 2**15).astype(np.int16), RATE, studio.microphones,
        room=studio.room, speed_of_sound_m_s=studio.speed,
    )  # fmt: skip
    assert np.linalg.norm(places(loud) - places(in_studio), axis=1).max() < 0.01
    assert [estimate.reasons for estimate in loud.estimates] == [()] * 4


def test_silence_then_sound(outdoors):
    audio = outdoors.audio.copy()
    audio[:, :8000] = 0
    located = locate(replace(outdoors, audio=audio))
    assert [e.verdict for e in located.estimates] == ["abstain", "ok", "ok", "ok"]
    assert {report.status for report in located.microphones} == {"ok"}


def test_a_wide_array_survives_a_short_last_window(rng):
    """120 m need 0.35 s; the last window of 1.3 s is 0.3 s long. It may say nothing, but not end the run."""
    scene = anechoic_scene(CORNERS * 20, SOURCE * 20, rng, seconds=1.3, snr_db=60.0)
    assert len(locate(scene, window_s=0.5).estimates) >= 2


def test_estimates_keep_no_profiles_and_a_session_does_not_grow(studio):
    session = Session(
        localizer=load(), microphones=studio.microphones, room=studio.room, speed_of_sound_m_s=studio.speed
    )
    sizes = []
    for k in range(6):
        part = studio.audio[:, 8000 * (k % 4) : 8000 * (k % 4 + 1)]
        estimate = session.hear(k / 2, part, RATE)
        assert all(report.profile is None for report in estimate.microphones)
        sizes.append(sum(past.profile.curve.nbytes for past in session._history))
    assert all(report.profile is None for report in session.summary())
    assert max(sizes) <= sizes[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"audio": np.zeros((6, 8000), np.float32)}, "6 channels for 7 microphones"),
        ({"audio": np.zeros((8000, 7), np.float32)}, "transposed"),
        ({"audio": np.zeros((7, 0), np.float32)}, "empty"),
        ({"sample_rate": 16.0}, "kHz"),
        ({"positions": CORNERS[:, :2]}, "wanted"),
        ({"room": (ROOM[1], ROOM[0])}, "lowest corner first"),
        ({"temperature_c": 293.0}, "K"),
    ],
)
def test_what_cannot_be_is_refused(outdoors, change, message):
    given = {"audio": outdoors.audio, "sample_rate": RATE, "positions": CORNERS} | change
    with pytest.raises(SceneError, match=message):
        soundfix.locate(given.pop("audio"), given.pop("sample_rate"), given.pop("positions"), **given)


def test_smoothing_gives_the_same_windows_with_other_places(studio):
    given = studio.audio, studio.sample_rate, studio.microphones
    options = {"room": studio.room, "method": "srp-phat"}
    usual, smooth = (soundfix.locate(*given, **options, smooth=s).estimates for s in (False, True))
    assert [e.start_s for e in smooth] == [e.start_s for e in usual]
    assert any((a.sources[0].position_m != b.sources[0].position_m).any() for a, b in zip(usual, smooth, strict=True))
    source = studio.truth.sources[0]
    assert max(np.linalg.norm(e.sources[0].position_m - source) for e in smooth) < 0.05


def test_windows_that_are_passed_over_still_tell_that_recordings_begin_apart(outdoors):
    """Bursts of noise, one station 1 s late: of windows that are not located as well."""
    rng = np.random.default_rng(9)
    bursts = np.repeat(rng.random(300) < 0.15, 800) * rng.standard_normal(240_000) + 0.01 * rng.standard_normal(240_000)
    audio = np.stack([np.roll(bursts, 16_000 * (m == 2)) for m in range(7)]).astype(np.float32)
    session = Session(localizer=load("srp-phat"), microphones=outdoors.microphones)
    for start in range(0, audio.shape[1], 8000):
        session.pass_over(start / RATE, audio[:, start : start + 8000], RATE)
    (late,) = session.conclusion().starts
    assert (late.microphone, late.late_s) == ("mic3", pytest.approx(1.0, abs=0.02))
    assert session.conclusion().passed_over == 30


def test_only_those_that_are_asked_learn_from_an_event(outdoors):
    session = Session(localizer=load("srp-phat"), microphones=outdoors.microphones, speed_of_sound_m_s=343.0)
    stretch = Stretch(audio=outdoors.audio[:, 8000:16_000], sample_rate=RATE, start_s=0.5)
    is_chosen = np.arange(7) != 4
    estimate = session.hear_event(stretch, is_chosen, (1000.0, 6000.0))
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.02
    assert (estimate.start_s, estimate.end_s) == (0.5, 1.0)
    names = [name for name, chosen in zip(outdoors.microphones.names, is_chosen, strict=True) if chosen]
    assert [report.name for report in estimate.microphones] == names
    assert [report.name for report in session.summary()] == names
