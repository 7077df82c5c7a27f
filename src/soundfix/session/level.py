"""How loud the sound at a place is: what the microphones have in common when each is advanced by its way from there."""

from dataclasses import replace

import numpy as np
from jaxtyping import Complex, Float

from soundfix.estimate import Estimate

QUIETEST_DBFS = -120.0


def with_levels(
    estimate: Estimate, audio: Float[np.ndarray, "mic time"], sample_rate: float, speed_m_s: float
) -> Estimate:
    """The estimate, whose sources say their level; audio: all microphones, in its span.

    Microphones that were listened to are advanced by the way from the source, whose polarity is reversed are turned, and all
    averaged; the level is the root of the mean square of that, in dB of full scale: a sine of full scale has -3. Other
    sounds, noise and reverberation add up less. It is that at the microphones, no level at one metre.
    """
    heard = [report.weight > 0 and report.position_m is not None for report in estimate.microphones]
    if estimate.direction is not None or len(heard) != len(audio) or not any(heard):
        return estimate
    reports = [report for report in estimate.microphones if report.weight > 0 and report.position_m is not None]
    places = np.array([report.position_m for report in reports])
    signs = np.array([-1.0 if report.status == "inverted" else 1.0 for report in reports])
    spectra = np.fft.rfft(np.nan_to_num(audio[heard]) * signs[:, None])
    frequency_hz = np.fft.rfftfreq(audio.shape[1], 1 / sample_rate)
    sources = []
    for source in estimate.sources:
        delays_s = np.linalg.norm(places - source.position_m, axis=1) / speed_m_s
        turn = np.exp(2j * np.pi * frequency_hz * (delays_s - delays_s.mean())[:, None])
        sources.append(replace(source, level_dbfs=_level((spectra * turn).mean(axis=0), audio.shape[1])))
    return replace(estimate, sources=tuple(sources))


def _level(spectrum: Complex[np.ndarray, "freq"], samples: int) -> float:
    power = float(np.mean(np.fft.irfft(spectrum, samples) ** 2))
    return max(10 * float(np.log10(power + np.finfo(float).tiny)), QUIETEST_DBFS)
