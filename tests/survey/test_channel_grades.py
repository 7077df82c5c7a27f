"""Grades of channels: what is broken is said, and nobody else is accused."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.surveys import CORNERS, ROOM, graded
from soundfix.microphones import Microphones
from soundfix.report.survey import survey_lines
from soundfix.simulation.faults import Fault, break_scene
from soundfix.survey.channel_grades import LOUDEST_KEPT, tally_channels
from soundfix.survey.survey import survey


def test_sound_microphones_are_good(windows):
    report = survey(windows[0].microphones, room=ROOM, windows=iter(windows))
    assert [m.grade for m in report.microphones] == ["good"] * 8
    assert report.windows == 8
    assert report.is_used.all()
    assert all(abs(m.level_db) < 1 for m in report.microphones)


@pytest.mark.parametrize(
    ("fault", "grade", "word"),
    [
        (Fault("dead", "3"), "dead", "constant"),
        (Fault("noisy", "3", 40.0), "poor", "nothing in common"),
        (Fault("clipped", "3", 0.3), "poor", "clipped"),
        (Fault("nan", "3", 0.1), "fair", "no numbers"),
        (Fault("inverted", "3"), "fair", "polarity"),
    ],
)
def test_a_broken_microphone_is_graded_and_the_others_stay_good(windows, rng, fault, grade, word):
    report = graded(windows, fault, rng=rng)
    assert report.microphones[2].grade == grade
    assert word in report.microphones[2].why
    assert [m.grade for k, m in enumerate(report.microphones) if k != 2] == ["good"] * 7
    assert report.is_used[2] == (grade == "fair")
    assert any("mic3" in line and grade in line for line in survey_lines(report))


def test_a_copied_channel_is_poor(windows):
    copied = [replace(w, audio=w.audio[[0, 0, 2, 3, 4, 5, 6, 7]]) for w in windows]
    report = survey(windows[0].microphones, room=ROOM, windows=copied)
    assert report.microphones[1].grade == "poor"
    assert "very same samples" in report.microphones[1].why


def test_a_fault_in_some_windows_says_in_how_many(windows, rng):
    report = survey(
        windows[0].microphones, room=ROOM, windows=[break_scene(windows[0], [Fault("dead", "1")], rng), *windows[1:]]
    )
    assert report.microphones[0].grade == "fair"
    assert "(12 % of the windows)" in report.microphones[0].why


def test_a_quiet_microphone_is_told_by_its_level(windows):
    gain = np.array([0.01, 1, 1, 1, 1, 1, 1, 1], dtype=np.float32)[:, None]
    report = survey(windows[0].microphones, room=ROOM, windows=[replace(w, audio=gain * w.audio) for w in windows])
    assert report.microphones[0].grade == "fair"
    assert report.microphones[0].level_db == pytest.approx(-40, abs=0.5)
    assert "40 dB quieter" in report.microphones[0].why
    assert [m.grade for m in report.microphones[1:]] == ["good"] * 7


def test_mere_noise_accuses_nobody_but_asks_for_a_sound(windows, rng):
    noise = [replace(w, audio=rng.standard_normal(w.audio.shape).astype(np.float32)) for w in windows]
    report = survey(windows[0].microphones, room=ROOM, windows=noise)
    assert {m.grade for m in report.microphones} == {"fair"}
    assert all("clap" in m.why for m in report.microphones)


def test_a_microphone_of_unknown_position_is_graded_but_not_counted(windows, rng):
    report = survey(
        (broken := break_scene(windows[0], [Fault("unknown", "1")], rng)).microphones,
        room=ROOM,
        windows=[replace(w, microphones=broken.microphones) for w in windows],
    )
    assert report.microphones[0].grade == "good"
    assert report.microphones[0].why.endswith("its position is unknown")
    assert report.microphones[0].position_m is None
    assert report.is_used.tolist() == [False] + [True] * 7


def test_only_the_loudest_windows_are_kept(windows):
    quiet_first = [replace(w, audio=w.audio * np.float32(k + 1)) for k, w in enumerate(windows)]
    heard = tally_channels(windows[0].microphones, iter(quiet_first))
    assert len(heard.loudest) == LOUDEST_KEPT
    assert [window.start_s for *_, window in heard.loudest] == [1.75, 1.5, 1.25]


def test_the_order_of_the_microphones_does_not_matter(windows, rng):
    order = rng.permutation(8)
    names = Microphones(positions=CORNERS).names
    shuffled = Microphones(positions=CORNERS[order], names=tuple(names[m] for m in order))
    broken = [break_scene(w, [Fault("dead", "mic5")], rng) for w in windows]
    turned = survey(
        shuffled, room=ROOM, windows=[replace(w, audio=w.audio[order], microphones=shuffled) for w in broken]
    )
    straight = survey(Microphones(positions=CORNERS), room=ROOM, windows=broken)
    assert {m.name: m.grade for m in turned.microphones} == {m.name: m.grade for m in straight.microphones}
    assert turned.prediction.median_m == pytest.approx(straight.prediction.median_m, rel=1e-9)
    assert vars(turned.geometry) == vars(straight.geometry)
