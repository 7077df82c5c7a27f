"""A recording and a list on disk."""

from pathlib import Path

import numpy as np
import pytest

from helpers.recordings import RATE, saved
from soundfix.files.microphones import read_microphones
from soundfix.microphones import Microphones


@pytest.fixture
def sound(rng) -> np.ndarray:
    """(time, 2), half a second at 16 kHz."""
    return rng.uniform(-0.5, 0.5, (RATE // 2, 2)).astype(np.float32)


@pytest.fixture
def take(tmp_path, sound) -> Path:
    return saved(tmp_path / "take.wav", sound)


@pytest.fixture
def listed(tmp_path):
    """Write a list and read it back."""

    def read(content: str | bytes, name: str = "mics.csv") -> Microphones:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_microphones(tmp_path / name)

    return read
