"""A recording as an array and as a file: both are cut and resampled alike."""

import numpy as np
import pytest
import soundfile

import soundfix
from soundfix.files.audio import open_recording
from soundfix.session.session import Session

CORNERS = np.array([[0.0, 0, 0], [2, 0, 0], [0, 2, 0]])


@pytest.fixture
def heard(monkeypatch):
    """What a session is told, window by window."""
    windows = []
    monkeypatch.setattr(Session, "hear", lambda self, start_s, audio, rate: windows.append((start_s, audio)))
    return windows


@pytest.mark.parametrize("rate", [8000, 16_000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize(("window_s", "hop_s"), [(0.1, 0.0333), (0.3, None), (0.25, 0.4)])
def test_the_library_hears_what_the_command_hears(heard, tmp_path, rng, rate, window_s, hop_s):
    audio = 0.1 * rng.standard_normal((3, 2 * rate + 777)).astype(np.float32)
    audio[0, 5 :: rate // 7] = np.nan
    soundfile.write(tmp_path / "take.wav", audio.T, rate, subtype="FLOAT")
    soundfix.locate(audio, float(rate), CORNERS, method="srp-phat", window_s=window_s, hop_s=hop_s)
    told = list(open_recording([tmp_path / "take.wav"]).windows(window_s, hop_s or window_s))
    assert [start_s for start_s, _ in heard] == [start_s for start_s, _ in told]
    for (_, by_library), (_, by_command) in zip(heard, told, strict=True):
        np.testing.assert_allclose(by_library, by_command, rtol=0, atol=1e-6)
