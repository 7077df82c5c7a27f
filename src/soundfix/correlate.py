"""From sound to evidence by generalized cross-correlation: what the classical methods listen with."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from soundfix import gcc
from soundfix.evidence import Evidence
from soundfix.scene import Scene

LATEST_S = 0.02  # microphones up to this late are recognized as late
FINE_RATE_HZ = 60_000.0  # lags are interpolated to at least this rate: 6 mm of path
FADE_S, FADE_SHARE = 0.01, 0.05  # a window cut out of rumble has steps at its ends that all microphones share: faded


@dataclass(frozen=True, kw_only=True)
class Correlator:
    """How pairs are correlated.

    band_hz: the frequencies used; below 100 Hz is rumble, above 7.9 kHz the anti-aliasing filter of 16 kHz.
    whitening: 1 is PHAT, 0 the plain correlation. floor: frequencies weaker than this share of the median magnitude
    count less; 0 is plain PHAT.
    """

    band_hz: tuple[float, float] = (100.0, 7900.0)
    whitening: float = 1.0
    floor: float = 0.5

    def __call__(
        self, audio: Float[np.ndarray, "mic time"], scene: Scene, pairs: Int[np.ndarray, "pair 2"]
    ) -> Evidence:
        """The correlation of every pair as curves over range differences, out to the widest delay plus LATEST_S.

        What the list of microphones says of late clocks is taken out.
        """
        rate = scene.sample_rate
        max_lag = min(audio.shape[1] - 1, round((_widest_m(scene) / scene.speed + LATEST_S) * rate) + 1)
        spectra = gcc.whitened_spectra(
            torch.from_numpy(audio * _fade(audio.shape[1], rate)),
            sample_rate=rate,
            pad=max_lag,
            band_hz=self.band_hz,
            whitening=self.whitening,
            floor=self.floor,
        )
        if scene.lateness_s.any():
            spectra = gcc.advance(spectra, torch.from_numpy(scene.lateness_s), sample_rate=rate)
        bins = int(gcc.band_mask(2 * (spectra.shape[-1] - 1), sample_rate=rate, band_hz=self.band_hz).sum())
        coarse = gcc.correlate(spectra, torch.from_numpy(pairs), max_lag=max_lag, bins=bins)
        factor = max(1, int(np.ceil(FINE_RATE_HZ / rate)))
        return Evidence(
            pairs=pairs,
            values=gcc.upsample(coarse, factor).numpy(),
            step_m=scene.speed / (rate * factor),
        )


def _widest_m(scene: Scene) -> float:
    """The diagonal of the box round the known microphones: no pair is further apart."""
    known = scene.microphones.positions[scene.microphones.is_known]
    return float(np.linalg.norm(np.ptp(known, axis=0)))


def _fade(samples: int, sample_rate: float) -> Float[np.ndarray, "time"]:
    """1 in the middle, a raised cosine of 10 ms (5 % of a short window) at both ends."""
    count = int(min(FADE_S * sample_rate, FADE_SHARE * samples))
    envelope = np.ones(samples, dtype=np.float32)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(count, 1))
    envelope[:count] = ramp
    envelope[samples - count :] = ramp[::-1]
    return envelope
