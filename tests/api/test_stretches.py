"""Stretches of a recording: the same samples, from files and from arrays, read once."""

import numpy as np
import pytest
import soundfile

import soundfix
from soundfix.api.sound import open_sound
from soundfix.api.stretches import BLOCK_S, stretches

SPANS_S = [(-1.0, 0.5), (0.2, 2.6), (0.2, 0.3), (0.25, 2.5), (3.9, 9.0)]
RATE = 8000


@pytest.fixture(params=["array", "files"])
def sound(request, tmp_path):
    audio = np.arange(2 * int(4.3 * RATE), dtype=np.float32).reshape(2, -1) / 1e5
    positions = np.array([[0.0, 0, 0], [1, 0, 0]])
    if request.param == "array":
        return audio, open_sound(audio, float(RATE), positions)
    soundfile.write(tmp_path / "a.wav", audio.T, RATE, subtype="FLOAT")
    return audio, soundfix.read(tmp_path / "a.wav", positions)


def test_every_stretch_is_what_there_is_of_it(sound):
    audio, opened = sound
    found = list(stretches(opened, SPANS_S))
    for (start_s, stop_s), stretch in zip(SPANS_S, found, strict=True):
        first, last = max(0, round(start_s * RATE)), round(stop_s * RATE)
        np.testing.assert_array_equal(stretch.audio, audio[:, first:last])
        assert stretch.start_s == first / RATE
        assert stretch.sample_rate == RATE


def test_no_more_is_kept_than_is_needed(sound):
    _, opened = sound
    last = list(stretches(opened, [(0.0, 0.1), (4.0, 4.2)]))[-1]
    assert last.audio.base is None or last.audio.base.shape[1] <= 2 * BLOCK_S * RATE
