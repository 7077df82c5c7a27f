"""A stream is a recording that is not over: the same windows, the same answers, whatever way the sound comes in."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

import soundfix
from helpers.streams import RATE, Clock, Ears, blocks_of, sent
from soundfix.errors import ConfigError, SceneError
from soundfix.simulation.faults import break_scene, parse_fault
from soundfix.testing import contract_scene
from soundfix.tracking.tracker import Tracker

SAME_M = 1e-6


@pytest.fixture(scope="module")
def scene():
    return contract_scene(6, seconds=2.2)


def heard(scene, **options):
    """A Stream of its microphones, and the scenes its method is given."""
    ears = Ears()
    return soundfix.Stream(scene.microphones, method=ears, **options), ears.scenes


def windows(audio, microphones, rate=RATE, **options):
    """Offline, as (start in s, sound)."""
    ears = Ears()
    soundfix.locate(audio, float(rate), microphones, method=ears, **options)
    return ears.scenes


def assert_same(streamed, offline):
    assert [each.start_s for each in streamed] == [each.start_s for each in offline]
    for one, other in zip(streamed, offline, strict=True):
        np.testing.assert_array_equal(one.audio, other.audio)


@pytest.mark.parametrize("longest", [40, 3000, 40_000])
@pytest.mark.parametrize("hop_s", [0.1, 0.3333, 0.7])
def test_blocks_of_any_length_give_the_windows_of_the_recording(scene, rng, hop_s, longest):
    stream, streamed = heard(scene, hop_s=hop_s)
    for start, stop in blocks_of(scene.audio.shape[1], rng, longest):
        stream.push(scene.audio[:, start:stop])
    stream.close()
    assert_same(streamed, windows(scene.audio, scene.microphones, hop_s=hop_s))


@pytest.mark.parametrize("rate", [16_000, 48_000, 44_100, 8000])
def test_late_doubled_and_exchanged_blocks_give_the_windows_of_the_recording(scene, rng, rate):
    audio = rng.standard_normal((6, rate * 2)).astype(np.float32)
    stream, streamed = heard(scene, sample_rate=float(rate), patience_s=0.5)
    for m, first, block in sent(audio, rng, lateness=rate // 5):
        stream.push(block, scene.microphones.names[m], first_sample=first)
    stream.close()
    assert_same(streamed, windows(audio, scene.microphones, rate, hop_s=0.1))


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_lost_blocks_are_nan_as_in_a_recording_that_lacks_them(scene, rng, rate):
    audio = rng.standard_normal((6, rate * 2)).astype(np.float32)
    stream, streamed = heard(scene, sample_rate=float(rate))
    blocks = sent(audio, rng, longest=rate // 10)
    lost = {(m, first) for m, first, block in blocks if rng.random() < 0.2 and 2 < len(block) < 2 * rate - first}
    for m, first, block in blocks:
        if (m, first) in lost:
            audio[m, first : first + len(block)] = np.nan
        else:
            stream.push(block, scene.microphones.names[m], first_sample=first)
    assert len(streamed) > 5
    stream.close()
    assert_same(streamed, windows(audio, scene.microphones, rate, hop_s=0.1))


def test_answers_are_those_of_the_recording_to_a_micrometre(rng):
    """With a microphone that dies and one that is late: verdicts, states, events and places."""
    scene = break_scene(contract_scene(8, seconds=4.0), [parse_fault("late:2:0.01")], rng)
    audio = scene.audio.copy()
    audio[5, 30_000:] = np.nan
    offline = soundfix.locate(audio, 16_000.0, scene.microphones, method="srp-phat", hop_s=0.25)
    stream = soundfix.Stream(scene.microphones, method="srp-phat", hop_s=0.25, patience_s=0.3)
    answers = [
        each for m, first, block in sent(audio, rng, lateness=900) for each in _push(stream, scene, m, first, block)
    ]
    answers += stream.close()
    streamed = [answer.estimate for answer in answers]
    assert len(streamed) == len(offline.estimates) == 15
    for one, other in zip(streamed, offline.estimates, strict=True):
        assert (one.verdict, one.reasons, one.start_s) == (other.verdict, other.reasons, other.start_s)
        for mine, theirs in zip(one.sources, other.sources, strict=True):
            assert np.abs(mine.position_m - theirs.position_m).max() < SAME_M
    assert stream.conclusion().events == offline.events
    assert [each.status for each in stream.conclusion().microphones] == [each.status for each in offline.microphones]
    assert {each.status for each in offline.microphones} >= {"dead", "ok"}


def test_who_is_who_as_the_live_tracker_says(rng):
    """Of the same answers, in turn; the sound does not change."""
    scene = contract_scene(8, seconds=3.0)
    plain, followed = (
        soundfix.Stream(scene.microphones, method="srp-phat", hop_s=0.25, tracks=tracks) for tracks in (False, True)
    )
    said = [[each.estimate for each in stream.push(scene.audio)] for stream in (plain, followed)]
    tracker = Tracker()
    expected = [tracker.add(each) for each in said[0]]
    assert [tracks(each) for each in said[1]] == [tracks(each) for each in expected]
    assert [tracks(each) for each in said[1]] == [[None], [None], *[[1]] * 9]
    located = soundfix.locate(scene.audio, 16_000.0, scene.microphones, method="srp-phat", hop_s=0.25, tracks=True)
    for one, before, offline in zip(said[1], said[0], located.estimates, strict=True):
        assert one.sources[0].position_m == pytest.approx(before.sources[0].position_m, abs=SAME_M)
        assert one.sources[0].level_dbfs == pytest.approx(offline.sources[0].level_dbfs, abs=1e-3)
        assert before.sources[0].level_dbfs is None


def tracks(estimate):
    return [each.track for each in estimate.sources]


def _push(stream, scene, m, first, block):
    return stream.push(block, scene.microphones.names[m], first_sample=first)


def test_who_does_not_deliver_is_missing_and_comes_back(scene):
    """Nobody waits for it a second time; its sound from when it is back is there."""
    clock = Clock()
    stream, streamed = heard(scene, clock=clock, patience_s=0.2)
    answers, block = [], 800
    for start in range(0, 2 * RATE, block):
        clock.now = (start + block) / RATE
        for m, name in enumerate(scene.microphones.names):
            if m != 3 or not 8000 <= start < 16_000:
                answers += stream.push(scene.audio[m, start : start + block], name, first_sample=start)
        assert stream.missing == (("mic4",) if 11_200 <= start < 16_000 else ())
    assert [round(each.estimate.start_s, 3) for each in answers] == [round(0.1 * k, 3) for k in range(len(answers))]
    assert [np.isnan(each.audio[3]).sum() for each in streamed[:7]] == [0, 1600, 3200, 4800, 6400, 8000, 6400]
    assert np.isfinite(np.delete(streamed[4].audio, 3, axis=0)).all()
    first_back = next(each for each in streamed if each.start_s >= 1.0)
    assert np.array_equal(first_back.audio, scene.audio[:, 16_000:24_000])
    assert answers[0].latency_s == 0.0
    assert answers[1].latency_s == pytest.approx(0.15)  # waited for it, 0.2 s from its last sample on
    assert max(each.latency_s for each in answers[3:6]) == 0.0  # did not


def test_a_stalled_line_that_catches_up_loses_nothing_after_the_first_wait(scene):
    """As TCP: a second of nothing, then all of it."""
    stream, streamed = heard(scene)
    rest = scene.microphones.names[1:]
    stream.push(scene.audio[:, :8000])
    with pytest.raises(SceneError, match="in other company"):
        stream.push(scene.audio[1:, 8000:9000], rest)
    stream, streamed = heard(scene)
    for start in range(0, 2 * RATE, 1600):
        stream.push(scene.audio[1:, start : start + 1600], rest, first_sample=start)
        if start < 8000 or start > 24_000:
            stream.push(scene.audio[0, start : start + 1600], "mic1", first_sample=start)
        if start == 24_000:
            stream.push(scene.audio[0, 8000:25_600], "mic1", first_sample=8000)
    last = [each for each in streamed if each.start_s >= 1.2]
    assert last
    assert all(np.isfinite(each.audio).all() for each in last)


def test_one_wild_counter_moves_nobody(scene):
    stream, streamed = heard(scene)
    for start in range(0, RATE, 1600):
        for m, name in enumerate(scene.microphones.names):
            first = start + (10**9 if m == 2 and start >= 3200 else 0)
            stream.push(scene.audio[m, start : start + 1600], name, first_sample=first)
    assert [each.start_s for each in streamed] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    stream.close()
    assert np.isnan(streamed[4].audio[2]).all()
    assert np.isfinite(np.delete(streamed[4].audio, 2, axis=0)).all()
    assert stream.missing == ("mic3",)
    assert stream.close() == []


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_an_hour_without_sound_is_passed_over(scene, rate):
    stream, streamed = heard(scene, sample_rate=float(rate))
    audio = np.random.default_rng(1).standard_normal((6, rate)).astype(np.float32)
    hour = 3600 * rate
    for first in (0, hour):
        for start in range(0, rate, rate // 10):
            stream.push(audio[:, start : start + rate // 10], first_sample=first + start)
    stream.close()
    before, after = [[each for each in streamed if (each.start_s > 1800) == late] for late in (False, True)]
    assert len(streamed) < 30
    whole = [each for each in after if each.start_s >= 3600 and each.audio.shape[1] == 8000]
    assert before[0].start_s == 0.0
    assert whole[0].start_s == pytest.approx(3600.0)
    offline = windows(audio, scene.microphones, rate, hop_s=0.1)
    np.testing.assert_allclose(whole[0].audio[:, 1:], offline[0].audio[:, 1:], atol=1e-5)


def test_two_of_six_are_not_enough(scene):
    """As in files: while fewer than three have sound nothing is located."""
    stream, streamed = heard(scene)
    audio = scene.audio[:, :RATE].copy()
    audio[2:] = np.nan
    assert stream.push(audio) == []
    assert streamed == []


def test_the_newest_window_is_answered_where_not_all_can_be(scene):
    """A method that needs 0.25 s at a hop of 0.1 s: answers are no older than they must be, and say what was skipped."""
    clock = Clock()
    ears = Ears(clock, 0.25)
    stream = soundfix.Stream(scene.microphones, method=ears, clock=clock)
    answers, pushed = [], 0
    while pushed < scene.audio.shape[1]:
        due = int(clock.now * RATE)
        if due > pushed:
            stream.put(scene.audio[:, pushed:due])
            pushed = due
        if answer := stream.newest():
            answers.append(answer)
        else:
            clock.now += 0.01
    assert len(answers) > 4
    assert all(answer.latency_s < 0.25 + 0.25 + 0.01 for answer in answers)
    assert {answer.skipped for answer in answers[1:]} <= {1, 2}
    starts = [answer.estimate.start_s for answer in answers]
    for answer, (before, after) in zip(answers[1:], pairwise(starts), strict=True):
        assert answer.skipped == round((after - before) / 0.1) - 1
        assert answer.estimate.reasons == ("windows_skipped",)
        assert f"{answer.skipped} window" in answer.estimate.notes[0]
    assert answers[0].estimate.reasons == ()


def test_who_never_asks_keeps_no_more_than_seconds(scene):
    """And is told what became of the rest."""
    stream, _ = heard(scene)
    block = np.ones((6, RATE), np.float32)
    for _ in range(60):
        stream.put(block)
    assert stream._assembly._ring._audio.nbytes < 6 * 4 * RATE * 25
    answer = stream.newest()
    assert answer.estimate.end_s == pytest.approx(60.0)
    assert answer.skipped == 595


@pytest.mark.slow
def test_an_hour_takes_no_more_memory_than_a_minute(scene, rng):
    """With blocks lost, doubled and exchanged, and a microphone that stays away for half of the hour."""
    ears, taken = Ears(), []
    stream = soundfix.Stream(scene.microphones, method=ears, hop_s=1.0, sample_rate=48_000.0)
    sound = rng.standard_normal((6, 24_000)).astype(np.float32)
    tracemalloc.start()
    for half in range(2 * 3600):
        for m in rng.permutation(6):
            for _ in range(int(rng.choice(3, p=[0.02, 0.93, 0.05]))):
                if m != 4 or not 600 < half < 4200:
                    stream.push(sound[m], scene.microphones.names[m], first_sample=24_000 * half)
        del ears.scenes[1:]
        if half in (240, 7199):
            taken.append(tracemalloc.get_traced_memory()[0] / 2**20)
    tracemalloc.stop()
    assert taken[1] - taken[0] < 1.0  # MiB
    assert taken[1] < 60.0


def test_one_long_block_is_all_answered(scene):
    stream, streamed = heard(scene, hop_s=1.0)
    stream.push(np.ones((6, 40 * RATE), np.float32))
    assert len(streamed) == 40
    assert stream.close() == []


def test_whole_numbers_are_full_scale(scene):
    stream, streamed = heard(scene)
    stream.push(np.full((6, 8000), 2**14, np.int16))
    assert streamed[0].audio[0, 0] == pytest.approx(0.5, abs=1e-4)


def test_options_reach_the_windows(scene):
    room = ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))
    options = {"room": room, "temperature_c": 10.0, "band_hz": (500.0, 4000.0), "height_m": 1.5, "wind_m_s": 2.0}
    stream, streamed = heard(scene, window_s=0.25, sample_rate=48_000.0, position_sigma_m=0.03, **options)
    stream.push(np.random.default_rng(0).standard_normal((6, 24_000)))
    assert (streamed[0].room, streamed[0].temperature_c, streamed[0].band_hz) == (room, 10.0, (500.0, 4000.0))
    assert streamed[0].wind_m_s == 2.0
    assert (streamed[0].sample_rate, streamed[0].duration_s) == (8534.0, pytest.approx(0.25, abs=1e-4))
    assert streamed[0].search.bounds[0, 2] == pytest.approx(1.5, abs=0.1)
    assert (streamed[0].microphones.sigma_m == 0.03).all()


@pytest.mark.parametrize(
    ("options", "block", "how", "message"),
    [
        ({}, np.zeros((5, 10)), {}, r"shape \(5, 10\) for 6 microphones"),
        ({}, np.zeros((10, 6)), {}, "is it transposed"),
        ({}, np.zeros(10), {"microphone": "mic9"}, "'mic9' is not in the list, which has mic1"),
        ({}, np.zeros(10, complex), {"microphone": "mic1"}, "wanted real numbers"),
        ({}, np.zeros(10), {"microphone": "mic1", "sample_rate": 16.0}, "kHz"),
        ({"sample_rate": 48.0}, np.zeros((6, 10)), {}, "kHz"),
        ({"hop_s": 0.0}, np.zeros((6, 10)), {}, "hop_s is 0.0 s"),
        ({"window_s": -1.0}, np.zeros((6, 10)), {}, "window_s is -1.0 s"),
        ({"patience_s": -1.0}, np.zeros((6, 10)), {}, "patience_s is -1.0"),
        ({"band_hz": (500.0, 9000.0)}, np.zeros((6, 10)), {}, "nothing above"),
    ],
)
def test_what_cannot_be_is_refused(scene, options, block, how, message):
    with pytest.raises((SceneError, ConfigError), match=message):
        heard(scene, **options)[0].push(block, **how)


def test_nothing_comes_after_the_end(scene):
    stream, _ = heard(scene)
    stream.close()
    with pytest.raises(SceneError, match="after close"):
        stream.push(scene.audio)
