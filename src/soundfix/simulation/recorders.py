"""What microphones, amplifiers and recorders do to a sound: responses with phase, gain control, codecs, clocks, bits.

    coloured   a minimum-phase response of its own for each channel: corners at both ends, peaks and dips between
    agc        automatic gain control, each channel by itself
    mp3, opus  lossy codecs, each channel by itself
    jitter     clocks that are off by up to 0.1 ms, and wander
    clipped    the loudest parts cut off
    8-bit      256 levels

RECORDERS names the last six. Axes: M microphones, T samples; audio at about its final level, up to 1.
"""

from collections.abc import Callable, Mapping
from io import BytesIO
from types import MappingProxyType

import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates
from scipy.signal import butter, lfilter, sosfilt

Audio = Float[np.ndarray, "mic time"]
LOW_HZ, HIGH_HZ = (20.0, 200.0), (5000.0, 7900.0)  # corners of a response
QUALITY = (0.5, 3.0)  # of its peaks
AGC_S, AGC_STRENGTH = (0.01, 0.3), (0.3, 0.9)  # how quickly, and how much of the level is evened out
JITTER_S, DRIFT_PPM = 1e-4, 20.0
CLIPPED_AT = (0.2, 0.8)  # of the loudest sample
LEVELS = 127


def coloured(audio: Audio, *, peaks_db: float, rate: float, rng: np.random.Generator) -> Audio:
    """Each channel by a response with two to four peaks and dips of up to so many dB."""
    return np.stack([_colour(channel, peaks_db, rate, rng) for channel in audio]).astype(np.float32)


def _colour(channel: np.ndarray, peaks_db: float, rate: float, rng: np.random.Generator) -> np.ndarray:
    corners = [rng.uniform(*LOW_HZ), min(rng.uniform(*HIGH_HZ), 0.49 * rate)]
    heard = sosfilt(butter(1, corners, "bandpass", fs=rate, output="sos"), channel)
    for _ in range(rng.integers(2, 5)):
        heard = _peaked(heard, rng.uniform(-peaks_db, peaks_db), rate, rng)
    return heard


def _peaked(channel: np.ndarray, gain_db: float, rate: float, rng: np.random.Generator) -> np.ndarray:
    """A peak (or dip) of the usual second-order equalizer (R. Bristow-Johnson, Audio EQ Cookbook)."""
    gain = 10 ** (gain_db / 40)
    turn = 2 * np.pi * np.exp(rng.uniform(np.log(100), np.log(0.45 * rate))) / rate
    width = np.sin(turn) / (2 * rng.uniform(*QUALITY))
    b = [1 + width * gain, -2 * np.cos(turn), 1 - width * gain]
    a = [1 + width / gain, -2 * np.cos(turn), 1 - width / gain]
    return lfilter(np.divide(b, a[0]), np.divide(a, a[0]), channel)


def agc(audio: Audio, *, rate: float, rng: np.random.Generator) -> Audio:
    """Louder where it is quiet."""
    pole, strength = np.exp(-1 / (rng.uniform(*AGC_S) * rate)), rng.uniform(*AGC_STRENGTH)
    level = np.sqrt(lfilter([1 - pole], [1, -pole], np.square(audio), axis=1)) + 1e-3 * np.abs(audio).max()
    return (audio * (level.max(axis=1, keepdims=True) / level) ** strength).astype(np.float32)


def mp3(audio: Audio, *, rate: float, rng: np.random.Generator) -> Audio:
    """MPEG layer 3."""
    return _coded(audio, rate, rng.uniform(0.2, 0.95), ("MP3", "MPEG_LAYER_III"))


def opus(audio: Audio, *, rate: float, rng: np.random.Generator) -> Audio:
    """Ogg Opus."""
    return _coded(audio, rate, rng.uniform(0.3, 0.95), ("OGG", "OPUS"))


def _coded(audio: Audio, rate: float, compression: float, kind: tuple[str, str]) -> Audio:
    return np.stack([_there_and_back(channel, rate, compression, kind) for channel in audio]).astype(np.float32)


def _there_and_back(channel: np.ndarray, rate: float, compression: float, kind: tuple[str, str]) -> np.ndarray:
    import soundfile

    loudest = np.abs(channel).max() + 1e-9
    file = BytesIO()
    soundfile.write(
        file, 0.9 * channel / loudest, round(rate), format=kind[0], subtype=kind[1], compression_level=compression
    )
    file.seek(0)
    heard = soundfile.read(file, dtype="float32")[0][: len(channel)] * (loudest / 0.9)
    return np.pad(heard, (0, len(channel) - len(heard)))


def jitter(audio: Audio, *, rate: float, rng: np.random.Generator) -> Audio:
    """Each channel early or late by a constant, and by something that grows."""
    count = audio.shape[1]
    time = np.arange(count)
    off = rng.uniform(-JITTER_S, JITTER_S, len(audio)) / 2 * rate
    drift = rng.uniform(-DRIFT_PPM, DRIFT_PPM, len(audio)) * 1e-6
    moved = [
        map_coordinates(channel, [time + a + b * (time - count / 2)], order=5, mode="nearest")
        for channel, a, b in zip(audio, off, drift, strict=True)
    ]
    return np.stack(moved).astype(np.float32)


def clipped(audio: Audio, *, rate: float, rng: np.random.Generator) -> Audio:
    """Each channel at a rail of its own."""
    rail = rng.uniform(*CLIPPED_AT, (len(audio), 1)) * np.abs(audio).max(axis=1, keepdims=True)
    return np.clip(audio, -rail, rail).astype(np.float32)


def eight_bit(audio: Audio, *, rate: float, rng: np.random.Generator) -> Audio:
    """Each channel in 256 levels, of which its loudest sample takes all or few."""
    step = np.abs(audio).max(axis=1, keepdims=True) * rng.uniform(1, 4, (len(audio), 1)) / LEVELS + 1e-12
    return (np.round(audio / step) * step).astype(np.float32)


RECORDERS: Mapping[str, Callable[..., Audio]] = MappingProxyType(
    {"agc": agc, "mp3": mp3, "opus": opus, "jitter": jitter, "clipped": clipped, "8-bit": eight_bit}
)
