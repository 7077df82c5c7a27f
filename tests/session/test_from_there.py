"""The sound from a place, of microphones that heard it sooner and later."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.fixes import ARRAY, window
from soundfix.session.from_there import sound_from, sounds_from

RATE, SPEED_M_S = 16_000.0, 343.0
PLACES_M = np.array([each.position_m for each in ARRAY])
HERE, THERE = np.array([0.5, 1.0, 1.2]), np.array([-2.0, -2.0, 0.5])


def heard(sound, place):
    """By every microphone, late by its way from the place, round the ends."""
    late_s = np.linalg.norm(PLACES_M - place, axis=1) / SPEED_M_S
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(len(sound), 1 / RATE) * late_s[:, None])
    return np.fft.irfft(np.fft.rfft(sound) * turn, len(sound))


def likeness(one, other):
    """The highest correlation at any delay, to an eighth of a sample; 1 for the same sound."""
    across = np.fft.irfft(np.fft.rfft(one) * np.conj(np.fft.rfft(other)), 8 * len(one))
    return 8 * across.max() / np.sqrt(np.sum(one**2) * np.sum(other**2))


def test_the_sound_of_a_place_is_whole_again_and_late_by_the_mean_way(rng):
    sound = rng.standard_normal(8001)
    found = sound_from(HERE, heard(sound, HERE), PLACES_M, RATE, SPEED_M_S)
    late = np.linalg.norm(PLACES_M - HERE, axis=1).mean() / SPEED_M_S * RATE
    expected = np.fft.irfft(np.fft.rfft(sound) * np.exp(-2j * np.pi * np.fft.rfftfreq(8001) * late), 8001)
    assert found == pytest.approx(expected, abs=1e-9)


def test_of_two_at_once_each_place_gives_its_own(rng):
    one, other = rng.standard_normal((2, 8000))
    both = heard(one, HERE) + heard(other, THERE)
    from_here, from_there = sounds_from(window(0.25, HERE, THERE), both, RATE, SPEED_M_S)
    assert likeness(from_here, one) > 0.85 > 0.5 > likeness(from_here, other)
    assert likeness(from_there, other) > 0.85 > 0.5 > likeness(from_there, one)


def test_reversed_microphones_are_turned_and_deaf_ones_left_out(rng):
    sound = rng.standard_normal(8000)
    audio = heard(sound, HERE)
    audio[0], audio[1] = -audio[0], np.nan
    microphones = (replace(ARRAY[0], status="inverted"), replace(ARRAY[1], weight=0.0), *ARRAY[2:])
    (found,) = sounds_from(replace(window(0.25, HERE), microphones=microphones), audio, RATE, SPEED_M_S)
    assert likeness(found, sound) == pytest.approx(1.0, abs=0.01)


def test_where_nothing_is_placed_or_nobody_heard_there_is_none():
    audio = np.ones((4, 8000))
    assert sounds_from(window(0.25), audio, RATE, SPEED_M_S) == []
    deaf = tuple(replace(each, weight=0.0) for each in ARRAY)
    assert sounds_from(replace(window(0.25, HERE), microphones=deaf), audio, RATE, SPEED_M_S) == []
