"""From sound to evidence by generalized cross-correlation: what the classical methods listen with."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Int

from soundfix.localization.arrival_errors import are_large, arrival_sigma_m, is_declared
from soundfix.localization.evidence import Evidence
from soundfix.physics import SPEED_OF_SOUND_M_S
from soundfix.resample import TOP_HZ
from soundfix.scene import Band, Scene
from soundfix.signal import gcc

LATEST_S = 0.02  # microphones up to this late are recognized as late
FINE_RATE_HZ = 60_000.0  # lags are interpolated to at least this rate: 6 mm of path
SMALL_PART = 0.1  # of the standard error of an arrival: rounded to that, it is 0.04 % worse
SMALLER_PART = 0.01
UNKNOWN_M = 20.0  # across an array of which no position is known


@dataclass(frozen=True, kw_only=True)
class Correlator:
    """How pairs are correlated.

    band_hz: the frequencies used where a scene names no band; below 100 Hz is rumble, above TOP_HZ are the filters against
    aliases of 16 kHz.
    latest_s: how late a microphone may be beyond the widest delay.
    whitening, floor, smoothing_hz: as in gcc.py. The default has whitening that spares what is weaker than half the median.
    """

    band_hz: Band = (100.0, TOP_HZ)
    whitening: float = 1.0
    floor: float = 0.5
    smoothing_hz: float = 10.0
    latest_s: float = LATEST_S

    def __call__(
        self, audio: Float[np.ndarray, "mic time"], scene: Scene, pairs: Int[np.ndarray, "pair 2"]
    ) -> Evidence:
        """The correlation of every pair as curves over range differences, out to the widest delay plus LATEST_S.

        What the list of microphones says of late clocks is taken out.
        """
        rate, max_lag = scene.sample_rate, largest_lag(scene, self.latest_s)
        spectra, bins = self.spectra(audio, scene, max_lag)
        if scene.lateness_s.any():
            spectra = gcc.advance(spectra, scene.lateness_s, sample_rate=rate)
        coarse = gcc.correlate(spectra, pairs, max_lag=max_lag, bins=bins)
        factor = finer(scene, FINE_RATE_HZ * max(1.0, self._band_hz(scene)[1] / TOP_HZ))
        return Evidence(
            pairs=pairs,
            values=gcc.upsample(coarse, factor),
            step_m=scene.speed / (rate * factor),
            positions=scene.microphones.positions,
            grain=grain(scene),
            is_narrow=is_narrow(scene),
        )

    def spectra(
        self, audio: Float[np.ndarray, "channel time"], scene: Scene, max_lag: int
    ) -> tuple[Complex[np.ndarray, "channel freq"], int]:
        """Whitened in the band of this scene, with room for such a lag (samples); and of how many bins that is."""
        rate, band_hz = scene.sample_rate, self._band_hz(scene)
        spectra = gcc.whitened_spectra(
            gcc.faded(audio, rate),
            sample_rate=rate,
            pad=max_lag,
            band_hz=band_hz,
            whitening=self.whitening,
            floor=self.floor,
            smoothing_hz=self.smoothing_hz,
        )
        return spectra, int(gcc.band_mask(2 * (spectra.shape[-1] - 1), sample_rate=rate, band_hz=band_hz).sum())

    def _band_hz(self, scene: Scene) -> Band:
        return scene.band_hz or self.band_hz


def finer(scene: Scene, wanted_hz: float) -> int:
    """How many times as fine as samples lags are to be, for this rate (Hz); 1 where samples are a small part of errors that
    are declared, or of usual ones, which may be smaller."""
    part = SMALL_PART if is_declared(scene) else SMALLER_PART
    if are_large(scene) and scene.speed / scene.sample_rate <= part * arrival_sigma_m(scene).mean():
        return 1
    return max(1, int(np.ceil(wanted_hz / scene.sample_rate)))


PHAT = Correlator(floor=0.0, smoothing_hz=0.0)


def lags_of(scene: Scene) -> int:
    """How many its curves have, of usual microphones."""
    return (2 * largest_lag(scene) + 1) * finer(scene, FINE_RATE_HZ)


def grain(scene: Scene) -> float:
    """Size of the peaks of its correlations against the usual one, of sound in air up to 7.5 kHz."""
    if scene.band_hz is None:
        return 1.0
    return scene.speed / SPEED_OF_SOUND_M_S * TOP_HZ / scene.band_hz[1]


def is_narrow(scene: Scene) -> bool:
    """Whether it is told to listen to less than an octave."""
    return scene.band_hz is not None and scene.band_hz[1] < 2 * scene.band_hz[0]


def largest_lag(scene: Scene, latest_s: float = LATEST_S) -> int:
    """In samples: the widest delay of this array, and latest_s, or as many waves where these are longer."""
    latest_s = latest_s * max(1.0, TOP_HZ / scene.band_hz[1]) if scene.band_hz else latest_s
    lag = round((_widest_m(scene) / scene.speed + latest_s) * scene.sample_rate) + 1
    return min(scene.audio.shape[1] - 1, lag)


def _widest_m(scene: Scene) -> float:
    """The diagonal of the box round the known microphones: no pair is further apart. Of none a large room's."""
    known = scene.microphones.positions[scene.microphones.is_known]
    return float(np.linalg.norm(np.ptp(known, axis=0))) if len(known) > 1 else UNKNOWN_M
