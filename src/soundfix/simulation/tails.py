"""Measured late reverberation, laid over that of a simulated room: no formula decays quite like a real room does.

A file holds responses of one rate (.npz: arrays (response, tap) as integers, `full_scale`, `sample_rate`; their direct
sound comes first), one array a setting of the room. What follows LATE_S after the direct sound is the tail. Each
microphone hears another one, all at the same level, as late reverberation is; so it says nothing about places.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.signal import oaconvolve

from soundfix.errors import DatasetError
from soundfix.files.arrays import read_arrays

LATE_S, FADE_S = 0.04, 0.01  # after the direct sound a tail begins, and how quickly it comes up
DIRECT_S = 0.0025  # either side of the largest sample: the direct sound
STRENGTHS = (0.2, 1.2)  # of the tail, beside what it was for its own direct sound


@lru_cache(maxsize=4)
def read_tails(path: str, sample_rate: float) -> tuple[Float[np.ndarray, "response tap"], ...]:
    """The tails of every setting, for a direct sound of energy 1. Raises DatasetError."""
    try:
        arrays = read_arrays(Path(path))
        settings = [arrays[name] * (float(arrays["full_scale"]) / 32767) for name in _settings(arrays)]
        rate = float(arrays["sample_rate"])
    except Exception as error:
        raise DatasetError(
            f"{path} holds no tails: wanted an .npz with full_scale, sample_rate and int16 responses"
        ) from error
    if rate != sample_rate or not settings:
        raise DatasetError(f"{path}: {len(settings)} settings at {rate:g} Hz, wanted one or more at {sample_rate:g} Hz")
    return tuple(_late(responses, sample_rate) for responses in settings)


def _settings(arrays: dict[str, np.ndarray]) -> list[str]:
    return [name for name in sorted(arrays) if arrays[name].dtype == np.int16 and arrays[name].ndim == 2]


def _late(responses: Float[np.ndarray, "response tap"], sample_rate: float) -> Float[np.ndarray, "response tap"]:
    """Nothing until LATE_S after the direct sound, then the tail; time runs from the direct sound."""
    taps = np.arange(responses.shape[1])
    late = np.zeros_like(responses)
    for row, response in zip(late, responses, strict=True):
        first = int(np.abs(response).argmax())
        direct = np.abs(taps - first) <= DIRECT_S * sample_rate
        after_s = taps[: len(taps) - first] / sample_rate
        rise = np.clip((after_s - LATE_S) / FADE_S, 0, 1)
        row[: len(after_s)] = rise * response[first:] / np.sqrt(np.square(response[direct]).sum())
    return late


def prolonged(
    clean: Float[np.ndarray, "mic time"],
    tails: tuple[Float[np.ndarray, "response tap"], ...],
    rng: np.random.Generator,
) -> Float[np.ndarray, "mic time"]:
    """What the microphones heard, and a tail of its own for each."""
    setting = tails[int(rng.integers(len(tails)))]
    chosen = setting[rng.permutation(np.resize(np.arange(len(setting)), max(len(clean), len(setting))))[: len(clean)]]
    levels = np.sqrt(np.square(clean).mean(axis=1, keepdims=True))
    alike = clean * (levels.mean() / np.maximum(levels, np.finfo(np.float32).tiny))
    late = oaconvolve(alike, chosen, axes=1)[:, : clean.shape[1]]
    return (clean + rng.uniform(*STRENGTHS) * late).astype(np.float32)
