"""The sound from a place: microphones advanced by their way from it, and averaged. What is from elsewhere adds up less."""

import numpy as np
from jaxtyping import Float

from soundfix.estimate import Estimate


def sounds_from(
    estimate: Estimate, audio: Float[np.ndarray, "mic time"], sample_rate: float, speed_m_s: float
) -> list[Float[np.ndarray, "time"]]:
    """Of every source of the estimate; audio: all microphones, in its span. None where it says no place.

    By microphones that were listened to and stand somewhere; whose polarity is reversed are turned.
    """
    heard = [report.weight > 0 and report.position_m is not None for report in estimate.microphones]
    if estimate.direction is not None or len(heard) != len(audio) or not any(heard):
        return []
    reports = [report for report in estimate.microphones if report.weight > 0 and report.position_m is not None]
    places_m = np.array([report.position_m for report in reports])
    signs = np.array([-1.0 if report.status == "inverted" else 1.0 for report in reports])
    sound = np.nan_to_num(audio[heard]) * signs[:, None]
    return [sound_from(source.position_m, sound, places_m, sample_rate, speed_m_s) for source in estimate.sources]


def sound_from(
    place_m: Float[np.ndarray, "3"],
    audio: Float[np.ndarray, "mic time"],
    microphones_m: Float[np.ndarray, "mic 3"],
    sample_rate: float,
    speed_m_s: float,
) -> Float[np.ndarray, "time"]:
    """The mean of what the microphones hear, each advanced by its way from there, less the mean way; round the ends."""
    frequency_hz = np.fft.rfftfreq(audio.shape[1], 1 / sample_rate)
    delays_s = np.linalg.norm(microphones_m - place_m, axis=1) / speed_m_s
    turn = np.exp(2j * np.pi * frequency_hz * (delays_s - delays_s.mean())[:, None])
    return np.fft.irfft((np.fft.rfft(audio) * turn).mean(axis=0), audio.shape[1])
