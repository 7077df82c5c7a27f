"""Levels: of a sound that all hear, of noise, of silence, of reversed and dead microphones."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.drawings import directed
from helpers.fixes import ARRAY, window
from soundfix.session.from_there import sounds_from
from soundfix.session.level import QUIETEST_DBFS, with_levels

PLACE, SPEED_M_S, RATE = [0.5, 1.0, 1.2], 343.0, 16_000.0


def heard(rng, amplitude=0.1):
    """Noise of this RMS from PLACE, in time by whole turns of a period."""
    spectrum = np.fft.rfft(rng.normal(0, amplitude, 8000))
    ways_m = np.linalg.norm(np.array([each.position_m for each in ARRAY]) - PLACE, axis=1)
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(8000, 1 / RATE) * (ways_m / SPEED_M_S)[:, None])
    return np.fft.irfft(spectrum * turn, 8000)


def level(audio, place=PLACE, microphones=ARRAY):
    estimate = replace(window(0.25, place), microphones=microphones)
    return levels(estimate, audio).sources[0].level_dbfs


def levels(estimate, audio):
    return with_levels(estimate, sounds_from(estimate, audio, RATE, SPEED_M_S))


def test_a_sound_from_there_is_as_loud_as_at_each_microphone(rng):
    assert level(heard(rng)) == pytest.approx(-20.0, abs=0.2)


def test_what_is_not_from_there_adds_up_less(rng):
    assert level(rng.normal(0, 0.1, (4, 8000))) == pytest.approx(-26.0, abs=0.3)
    assert level(heard(rng), [-2.0, -2.0, 0.5]) < -24


def test_a_reversed_one_is_turned_and_one_without_weight_is_left_out(rng):
    audio = heard(rng)
    audio[0] *= -1
    inverted = (replace(ARRAY[0], status="inverted"), *ARRAY[1:])
    assert level(audio, microphones=inverted) == pytest.approx(-20.0, abs=0.2)
    audio[1] = np.nan
    left_out = (inverted[0], replace(ARRAY[1], weight=0.0), *ARRAY[2:])
    assert level(audio, microphones=left_out) == pytest.approx(-20.0, abs=0.2)


def test_silence_has_the_lowest_level_and_what_has_no_place_none():
    assert level(np.zeros((4, 8000))) == QUIETEST_DBFS
    for estimate in (window(0.25), directed()):
        assert levels(estimate, np.zeros((4, 8000))) is estimate
