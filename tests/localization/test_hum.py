"""Mains hum is found on the channel that has it, taken out, and nothing else is touched."""

import numpy as np
import pytest

from soundfix.localization.hum import without_hum

RATE = 16_000.0


@pytest.fixture
def sound(rng):
    return rng.standard_normal((5, 8000)).astype(np.float32)


def hum(frequency_hz, partials=10):
    number = np.arange(1, partials + 1)
    return np.sin(2 * np.pi * np.outer(np.arange(8000) / RATE, number * frequency_hz) + number).sum(axis=1)


@pytest.mark.parametrize("frequency_hz", [49.8, 50.0, 50.2, 59.8, 60.2])
@pytest.mark.parametrize("times", [3, 10])
def test_what_is_left_is_the_sound(sound, frequency_hz, times):
    """Of hum many times louder than the sound less is left than a tenth of the sound."""
    heard = sound.copy()
    heard[2] += np.float32(times) * hum(frequency_hz)
    cleaned, is_humming = without_hum(heard, RATE)
    assert is_humming.tolist() == [False, False, True, False, False]
    assert np.mean(np.square(cleaned[2] - sound[2])) < 0.1 * np.mean(np.square(sound[2]))
    others = [0, 1, 3, 4]
    assert np.array_equal(cleaned[others], heard[others])


def test_a_little_hum_is_left_alone(sound):
    sound[2] += 0.2 * hum(50.0)
    cleaned, is_humming = without_hum(sound, RATE)
    assert not is_humming.any()
    assert np.array_equal(cleaned, sound)


def test_what_all_hear_is_a_sound(sound):
    """A transformer may be what is sought."""
    assert not without_hum((sound + 30 * hum(50.0)).astype(np.float32), RATE)[1].any()


@pytest.mark.parametrize("frequency_hz", [55.0, 98.0, 110.0, 130.8])
def test_a_note_is_no_hum(sound, frequency_hz):
    sound[2] += 30 * hum(frequency_hz)
    assert not without_hum(sound, RATE)[1].any()


def test_silence_and_too_short_a_sound_are_left_alone(sound):
    sound[2] += 30 * hum(50.0)
    assert not without_hum(sound[:, :3000], RATE)[1].any()
    assert not without_hum(np.zeros_like(sound), RATE)[1].any()


@pytest.mark.parametrize(("samples", "is_found"), [(4800, True), (3800, False)])
def test_a_quarter_of_a_second_is_enough_to_know_it(sound, samples, is_found):
    sound[2] += 10 * hum(50.0)
    assert without_hum(sound[:, :samples], RATE)[1].tolist() == [False, False, is_found, False, False]


def test_at_a_low_rate_only_lines_that_it_holds_are_taken_out(rng):
    """The twelfth of 50.1 Hz, were there one at 1000 Hz, would be heard at 398.8 Hz, where the sound has a tone."""
    time_s, sound = np.arange(2000) / 1000, rng.standard_normal((5, 2000))
    sound[2] += 3 * np.sin(2 * np.pi * 398.8 * time_s)
    heard = sound.copy()
    heard[2] += 10 * np.sin(2 * np.pi * np.outer(time_s, 50.1 * np.arange(1, 9))).sum(axis=1)
    cleaned, is_humming = without_hum(heard, 1000.0)
    assert is_humming.tolist() == [False, False, True, False, False]
    assert np.mean(np.square(cleaned[2] - sound[2])) < 0.1
