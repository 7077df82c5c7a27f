"""Recordings on disk, whole and damaged."""

from pathlib import Path

import numpy as np
import soundfile

from soundfix.files import audio

RATE = 16000


def saved(path: Path, samples: np.ndarray, rate: int = RATE, **how: str) -> Path:
    soundfile.write(path, samples, rate, **{"subtype": "FLOAT", **how})
    return path


def heard(recording: audio.Recording, block_s: float = 0.1) -> np.ndarray:
    return np.concatenate(list(recording.blocks(block_s)), axis=1)


def with_bytes(path: Path, offset: int, patch: bytes) -> Path:
    content = bytearray(path.read_bytes())
    content[offset : offset + len(patch)] = patch
    path.write_bytes(content)
    return path


def cut_to(path: Path, count: int) -> Path:
    path.write_bytes(path.read_bytes()[:count])
    return path
