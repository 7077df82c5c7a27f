"""The last seconds: what was written is read, what was not is NaN, what is old is gone."""

import numpy as np
import pytest

from soundfix.streaming.ring import Ring


def sound(start, stop, channels=2):
    """Whose samples are their own numbers."""
    return np.repeat(np.arange(start, stop, dtype=np.float32)[:, None], channels, axis=1)


def test_what_was_written_is_read():
    ring = Ring(3, 10)
    ring.write([0, 2], 2, sound(2, 6))
    heard = ring.read(0, 8)
    assert heard.dtype == np.float32
    for row in (0, 2):
        np.testing.assert_array_equal(heard[row], [np.nan, np.nan, 2, 3, 4, 5, np.nan, np.nan])
    assert np.isnan(heard[1]).all()


def test_a_window_is_a_copy():
    ring = Ring(2, 10)
    ring.write([0, 1], 0, sound(0, 4))
    ring.read(0, 4)[:] = 0
    np.testing.assert_array_equal(ring.read(0, 4)[0], [0, 1, 2, 3])


@pytest.mark.parametrize("step", [1, 3, 7, 50])
def test_the_last_samples_are_kept_for_ever(step):
    ring, size = Ring(2, 10), None
    for start in range(0, 300, step):
        ring.write([0, 1], start, sound(start, start + step))
        end = start + step
        last = max(0, end - 10)
        np.testing.assert_array_equal(ring.read(last, end)[1], np.arange(last, end))
        size = size or ring._audio.nbytes
        assert ring._audio.nbytes == size
    assert np.isnan(ring.read(0, 5)).all()
    assert ring.first > 250


def test_what_is_too_old_is_left_out():
    ring = Ring(1, 10)
    ring.write([0], 100, sound(100, 110, 1))
    ring.write([0], ring.first - 3, sound(ring.first - 3, ring.first + 2, 1))
    np.testing.assert_array_equal(ring.read(ring.first, ring.first + 2)[0], [ring.first, ring.first + 1])
    assert np.isnan(ring.read(0, 50)).all()


def test_a_leap_forgets_all():
    ring = Ring(1, 10)
    ring.write([0], 0, sound(0, 5, 1))
    ring.write([0], 10_000, sound(10_000, 10_004, 1))
    assert np.isnan(ring.read(0, 5)).all()
    np.testing.assert_array_equal(ring.read(9_999, 10_004)[0], [np.nan, 10_000, 10_001, 10_002, 10_003])
