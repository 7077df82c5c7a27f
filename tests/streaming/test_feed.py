"""Blocks come in as they like; samples go out in their turn."""

import numpy as np
import pytest

from helpers.streams import blocks_of
from soundfix.resample import resampled
from soundfix.streaming.feed import Feed


def sound(start, stop):
    return np.arange(start, stop, dtype=np.float32)[:, None]


def given(placed):
    """What went out, as (position, samples)."""
    return [(position, block[:, 0].tolist()) for position, block in placed]


def feed(rate_hz=16_000.0, wanted_hz=16_000.0, keeps=1000):
    return Feed([0], rate_hz, wanted_hz, keeps)


def test_blocks_without_a_number_follow_each_other():
    one = feed()
    assert given(one.take(sound(0, 3), None)) == [(0, [0, 1, 2])]
    assert given(one.take(sound(3, 5), None)) == [(3, [3, 4])]
    assert (one.written, one.came, one.reach) == (5, 5, 5)


def test_what_is_ahead_waits():
    one = feed()
    assert given(one.take(sound(4, 8), 4)) == []
    assert (one.written, one.came, one.first_waiting) == (0, 8, 4)
    assert given(one.take(sound(0, 4), 0)) == [(0, [0, 1, 2, 3]), (4, [4, 5, 6, 7])]
    assert one.first_waiting is None


def test_what_comes_twice_is_heard_once():
    one = feed()
    list(one.take(sound(0, 4), 0))
    assert given(one.take(-sound(0, 4), 0)) == []
    assert given(one.take(np.vstack([-sound(2, 4), sound(4, 6)]), 2)) == [(4, [4, 5])]


def test_what_is_given_up_is_nan():
    one = feed()
    list(one.take(sound(0, 2), 0))
    list(one.take(sound(6, 8), 6))
    placed = list(one.give_up(5))
    heard = np.concatenate([block[:, 0] for _, block in placed])
    np.testing.assert_array_equal(heard[:3], [np.nan] * 3)
    assert one.written >= 5
    list(one.give_up(8))
    assert one.written == 8
    assert given(one.take(sound(2, 6), 2)) == []  # too late


def test_nothing_is_given_up_while_nothing_waits():
    """Who stalls may come with all of it."""
    one = feed()
    list(one.take(sound(0, 2), 0))
    assert list(one.give_up(100)) == []
    assert given(one.take(sound(2, 4), 2)) == [(2, [2, 3])]


@pytest.mark.parametrize("missing", [1, 2])
def test_a_slip_of_a_clock_is_bridged(missing):
    one = feed()
    list(one.take(sound(0, 4), 0))
    assert given(one.take(sound(7, 9), 4 + missing)) == [(4, [3] * missing), (4 + missing, [7, 8])]


def test_three_are_a_loss():
    one = feed()
    list(one.take(sound(0, 4), 0))
    assert given(one.take(sound(7, 9), 7)) == []


def test_little_waits():
    one = feed(keeps=10)
    for start in range(100, 1000, 5):
        list(one.take(sound(start, start + 5), start))
    assert sum(len(block) for *_, block in one._waiting) <= 10
    assert given(one.take(sound(0, 5), 0)) == [(0, [0, 1, 2, 3, 4])]  # that is next is never what is lost


@pytest.mark.parametrize("rate_hz", [48_000.0, 44_100.0, 8000.0])
def test_resampled_as_the_whole_is(rng, rate_hz):
    audio = rng.standard_normal((1, 20_000)).astype(np.float32)
    audio[0, 700:720] = np.nan
    one, heard = feed(rate_hz), []
    for start, stop in blocks_of(20_000, rng, 900):
        heard += list(one.take(audio[:, start:stop].T, start))
        assert 0 <= one.came - one.written < 0.15 * 16_000
        assert one.reach == one.written
    heard += list(one.finish(one.came))
    assert [position for position, _ in heard] == np.cumsum([0, *(len(block) for _, block in heard)])[:-1].tolist()
    np.testing.assert_array_equal(np.concatenate([b[:, 0] for _, b in heard]), resampled(audio, rate_hz, 16_000.0)[0])


@pytest.mark.parametrize("rate_hz", [16_000.0, 48_000.0, 44_100.0])
def test_after_a_long_silence_everything_is_in_its_place(rng, rate_hz):
    """Of hours of silence nothing is made, but what follows is where it would be."""
    after = rng.standard_normal((1, 30_000)).astype(np.float32)
    first = 10_000 * int(rate_hz) + 441
    one = feed(rate_hz, keeps=10**6)
    list(one.take(np.ones((100, 1), np.float32), 0))
    placed = [*one.take(after.T, first), *one.give_up(one.placed(first + 20_000))]
    assert sum(len(block) for _, block in placed) < 100_000
    expected = resampled(np.hstack([np.zeros((1, 441_000), np.float32), after]), rate_hz, 16_000.0)[0]
    start, sound_after = placed[-1]
    assert len(sound_after) > 5000
    heard = sound_after[max(0, one.placed(first) + 1 - start) :, 0][:3000]
    assert len(heard) == 3000
    there = (
        max(start, one.placed(first) + 1) - one.placed(first) + one.placed(441_000)
    )  # in what was resampled as a whole
    np.testing.assert_allclose(heard, expected[there : there + 3000], atol=2e-5)


def test_the_end_beyond_is_left():
    one = feed()
    list(one.take(sound(0, 4), 0))
    list(one.take(sound(7, 9), 7))
    list(one.take(sound(500, 504), 500))
    rest = np.concatenate([block[:, 0] for _, block in one.finish(9)])
    np.testing.assert_array_equal(rest, [np.nan, np.nan, np.nan, 7, 8])
