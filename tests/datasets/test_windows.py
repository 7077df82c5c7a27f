"""Windows of clips: a stretch that is not silent."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.clips import Clips
from soundfix.datasets.windows import draw_window
from soundfix.errors import DatasetError


def test_silence_is_passed_over(rng):
    """A clip that is loud for a tenth of its length only: every window touches it."""
    scene = Clips()[0]
    audio = np.zeros_like(scene.audio)
    audio[:, 5000:5800] = scene.audio[:, 5000:5800]
    quiet = replace(scene, audio=audio)
    drawn = [draw_window(quiet, 2048, 4, np.random.default_rng(seed)) for seed in range(20)]
    assert np.mean([np.any(window.audio) for window in drawn]) > 0.9


def test_windows_longer_than_the_clips(rng):
    with pytest.raises(DatasetError, match="longer than the clips"):
        draw_window(Clips()[0], 9000, 4, rng)
