"""Recordings that do not begin together: who, by how much, and never where they do."""

import numpy as np
import pytest

from soundfix.microphones import Microphones
from soundfix.survey.start_offsets import FRAME_S, StartOffset, StartOffsets, lags_of, onsets, starts_of

RATE = 16_000.0
NAMES = tuple(f"mic{m + 1}" for m in range(5))


def clapping(rng, seconds=20.0):
    """Noise whose level jumps at random moments, as every microphone hears it, at its own gain and with its own noise."""
    jumps = np.sort(rng.uniform(0, seconds, 30))
    levels = rng.uniform(-3, 3, 31)[np.searchsorted(jumps, np.arange(round(seconds * RATE)) / RATE)]
    sound = np.exp(levels) * rng.standard_normal(len(levels))
    gains = rng.uniform(0.1, 10, (5, 1))
    return (gains * (sound + 0.05 * rng.standard_normal((5, len(sound))))).astype(np.float32)


def shifted(audio, late_s):
    """The middle, with channel m later by late_s[m]."""
    most = round(3 * RATE)
    starts = [most - round(late * RATE) for late in late_s]
    return np.stack([samples[s : s + audio.shape[1] - 2 * most] for samples, s in zip(audio, starts, strict=True)])


def heard(audio, *, window_s=0.5, hop_s=0.5, rate=RATE, first_s=0.0):
    starts = StartOffsets(names=NAMES, reach_s=0.1)
    length, hop = round(window_s * rate), round(hop_s * rate)
    for start in range(0, audio.shape[1] - length + 1, hop):
        starts.hear(first_s + start / rate, audio[:, start : start + length], rate)
    return starts.apart()


@pytest.mark.parametrize("late_s", [2.0, 0.25, -1.5])
def test_one_that_begins_elsewhere_is_named_with_its_lateness(rng, late_s):
    (start,) = heard(shifted(clapping(rng), [0, 0, late_s, 0, 0]))
    assert (start.microphone, start.reference) == ("mic3", "mic1")
    assert start.late_s == pytest.approx(late_s, abs=2 * FRAME_S)


def test_all_that_begin_elsewhere_are_told_against_one(rng):
    late_s = np.array([0.0, 1.3, -2.0, 0.7, 2.4])
    found = heard(shifted(clapping(rng), late_s))
    assert len(found) == 4
    base = late_s[NAMES.index(found[0].reference)]
    for start in found:
        assert start.late_s == pytest.approx(late_s[NAMES.index(start.microphone)] - base, abs=2 * FRAME_S)


@pytest.mark.parametrize("late_s", [0.0, 0.02, 0.09])
def test_what_sound_takes_through_the_array_is_no_other_start(rng, late_s):
    assert heard(shifted(clapping(rng), [0, 0, late_s, 0, 0])) == ()


def test_noise_silence_and_a_dead_channel_begin_nowhere(rng):
    audio = clapping(rng)
    dead = np.where(np.arange(5)[:, None] == 2, 0, audio)
    for each in (rng.standard_normal(audio.shape).astype(np.float32), np.zeros_like(audio), dead):
        assert heard(each) == ()


@pytest.mark.parametrize("value", [0.0, np.nan])
@pytest.mark.parametrize("dead", [(0,), (0, 1)])
def test_who_has_no_sound_is_no_reference(rng, value, dead):
    audio = shifted(clapping(rng), [0, 0, 0, 0, 2.0])
    audio[list(dead)] = value
    (start,) = heard(audio)
    assert (start.microphone, start.reference) == ("mic5", NAMES[len(dead)])


def test_samples_that_are_no_numbers_do_not_matter(rng):
    audio = shifted(clapping(rng), [0, 0, 2.0, 0, 0])
    audio[1, 5000:9000], audio[3, 77] = np.nan, np.inf
    assert [start.microphone for start in heard(audio)] == ["mic3"]


def test_a_few_seconds_say_nothing(rng):
    assert heard(shifted(clapping(rng, 11.0), [0, 0, 2.0, 0, 0])) == ()


def test_windows_that_overlap_and_a_recording_that_goes_on_are_the_same(rng):
    audio = shifted(clapping(rng), [0, 0, 2.0, 0, 0])
    assert heard(audio) == heard(audio, hop_s=0.25) == heard(audio, first_s=3600.0)


def test_silence_later_does_not_hide_what_was_heard(rng):
    """Blocks of a minute: the one that tells it most clearly counts."""
    audio = shifted(clapping(rng), [0, 0, 2.0, 0, 0])
    long = np.concatenate([audio, np.zeros((5, round(110 * RATE)), np.float32)], axis=1)
    assert heard(long) == heard(audio)


def test_a_lag_by_hand():
    """One rise each, the third microphone's ten frames later."""
    power = np.ones((4, 600))
    for m, frame in enumerate([300, 300, 310, 300]):
        power[m, frame:] = 100.0
    lags, clarity, ahead = lags_of(onsets(power), 5)
    assert lags.tolist() == [0, 0, 10, 0]
    assert ahead[0] == 0 < ahead[2]
    assert np.isfinite(clarity).all()


def test_in_words():
    sentence = StartOffset("mic3", -2.004, "mic1").sentence
    assert sentence.startswith("does not hear the same event: everything comes 2.00 s earlier than mic1; cut the")
    assert "soundfix calibrate --free-clocks" in sentence


def test_a_wide_array_hears_later_and_begins_together():
    wide = Microphones(positions=np.array([[0.0, 0, 0], [343.0, 0, 0], [0, 1, 0]]))
    assert starts_of(wide, 343.0).reach_s == pytest.approx(1.06, abs=0.01)
