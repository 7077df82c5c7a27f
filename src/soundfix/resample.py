"""From one sample rate to another."""

import numpy as np
from jaxtyping import Float


def resampled(
    audio: Float[np.ndarray, "mic time"], rate: float, wanted_hz: float
) -> Float[np.ndarray, "mic resampled"]:
    """At the wanted rate, by soxr. A resampler would spread a NaN over everything: it is put back afterwards."""
    import soxr

    if rate == wanted_hz:
        return audio
    is_bad = ~np.isfinite(audio)
    samples = soxr.resample(np.where(is_bad, 0, audio).T, rate, wanted_hz).T.copy()
    channel, place = np.nonzero(is_bad)
    samples[channel, np.minimum((place * wanted_hz / rate).astype(int), samples.shape[1] - 1)] = np.nan
    return samples
