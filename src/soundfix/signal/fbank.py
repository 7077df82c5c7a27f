"""Log-mel spectrum as Kaldi computes it, and as BEATs wants it (arXiv 2212.09058).

Frames of 25 ms every 10 ms, only whole ones (Kaldi's "snip edges"). Of every frame, by itself: its mean is removed, then
x[t] - 0.97 x[t-1] (the first sample stands in for the one before it), the Povey window (Hann ** 0.85), power spectrum over
512 points, 128 triangles on the mel scale 1127 ln(1 + f / 700 Hz) from 20 Hz to 8 kHz, logarithm. No dither.

Sound is at 16 kHz. A frame of silence gives the logarithm of the smallest float step, not of zero, and no gradient. So does
the fourth triangle always: it lies between two points of the spectrum. BEATs was trained with that.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from soundfix.errors import SceneError
from soundfix.resample import SAMPLE_RATE
from soundfix.signal.arrays import Array, as_kind, namespace, stretches
from soundfix.signal.gcc import exact, power

FRAME, HOP, SPECTRUM = 400, 160, 512  # samples: 25 ms, 10 ms, and the next power of two
MELS, LOWEST_HZ = 128, 20.0
PRE_EMPHASIS, POVEY_POWER = 0.97, 0.85
FLOOR = float(np.finfo(np.float32).eps)
FULL_SCALE = 2.0**15  # BEATs was trained on the values of 16-bit files
MEAN, DEVIATION = 15.41663, 6.55582  # of log-mel values over BEATs' training set, as published


def normalized_log_mel(waveform: Float[Array, "*batch time"]) -> Float[Array, "*batch frame mel"]:
    """What BEATs sees of sound in [-1, 1]: mean 0 and standard deviation 1/2 over its training set."""
    return (log_mel(waveform * FULL_SCALE) - MEAN) / (2 * DEVIATION)


def log_mel(waveform: Float[Array, "*batch time"]) -> Float[Array, "*batch frame mel"]:
    """Kaldi's log-mel spectrum; FLOOR is small only beside the values of 16-bit samples."""
    if waveform.shape[-1] < FRAME:
        raise SceneError(
            f"the sound has {waveform.shape[-1]} samples, a log-mel spectrum needs {FRAME} (one frame of 25 ms at 16 kHz): "
            "was it cut too short, or is time not the last axis?"
        )
    numbers, (window, bank) = namespace(waveform), (as_kind(table, waveform) for table in _tables())
    frames = stretches(waveform, FRAME, HOP)
    frames = frames - frames.mean(axis=-1)[..., None]
    before = numbers.concatenate([frames[..., :1], frames[..., :-1]], axis=-1)
    loud = power(numbers.fft.rfft((frames - PRE_EMPHASIS * before) * window, n=SPECTRUM))
    with exact(loud):
        return numbers.log((loud @ bank).clip(FLOOR))


def frame_count(samples: int) -> int:
    """Whole frames in this many samples."""
    return max(0, 1 + (samples - FRAME) // HOP)


@lru_cache(maxsize=1)
def _tables() -> tuple[Float[np.ndarray, "sample"], Float[np.ndarray, "freq mel"]]:
    """Povey window and mel triangles."""
    return np.hanning(FRAME) ** POVEY_POWER, mel_bank()


def mel_bank() -> Float[np.ndarray, "freq mel"]:
    """Triangles that overlap by half, equally wide and 1 high on the mel scale."""
    corners = np.linspace(_mel(LOWEST_HZ), _mel(SAMPLE_RATE / 2), MELS + 2)
    mel = _mel(np.arange(SPECTRUM // 2 + 1) * (SAMPLE_RATE / SPECTRUM))[:, None]
    rise = (mel - corners[:-2]) / (corners[1:-1] - corners[:-2])
    fall = (corners[2:] - mel) / (corners[2:] - corners[1:-1])
    return np.minimum(rise, fall).clip(min=0)


def _mel(frequency_hz):
    return 1127 * np.log1p(frequency_hz / 700)
