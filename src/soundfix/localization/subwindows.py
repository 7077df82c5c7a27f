"""A window told apart in time: what every pair says near a place, piece by piece.

The whole window is whitened at once, so that loud moments count as they do in the evidence of the whole, and every channel
is moved by its distance from the place: a source that stands there is heard by all at the same time, and one nearby almost.
So short pieces and few lags are enough: l_ijk(d), k = 1..K, where d is how much more the range difference of a pair is than
at the place.
Axes: K pieces, P pairs, L lags, N ways, 1 or 2 ends (motion.py); xyz last.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from soundfix import physics
from soundfix.localization.correlate import Correlator
from soundfix.localization.evidence import Evidence
from soundfix.localization.lookup import blurred, mean_nearest
from soundfix.scene import Band, Scene, free_axes
from soundfix.signal import gcc

PIECES = 8  # of a window; even: see `in_twos`
FINER = 3  # lags are so many times denser than samples: 7 mm of path at 16 kHz

Trajectories = Float[np.ndarray, "way end 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Subwindows:
    """evidence: of all pairs in the first piece, in the second, ...; its range differences are those beyond the place's.

    place, the mean standard error, and the box that was searched: metres. pairs: of rows of positions. times_s:
    when what is in the middle of each piece left the source, from the middle of the window.
    """

    evidence: Evidence
    place: Float[np.ndarray, "3"]
    sigma_m: float
    box: Float[np.ndarray, "2 3"]
    pairs: Int[np.ndarray, "pair 2"]
    times_s: Float[np.ndarray, "piece"]
    duration_s: float

    @cached_property
    def uphill(self) -> Float[np.ndarray, "pair 3"]:
        """How each pair's range difference grows with the place; along known axes it does not."""
        units = physics.directions(self.place, self.evidence.positions) * free_axes(self.box)
        return (units[self.pairs[:, 0]] - units[self.pairs[:, 1]]).astype(np.float32)

    def shares(self, ends: int) -> Float[np.ndarray, "piece {ends}"]:
        """What of each end is in the place of a piece: who walks goes from one to the other, who stands has but one."""
        return self._shares[2 - ends]

    @cached_property
    def _shares(self) -> tuple[Float[np.ndarray, "piece 2"], Float[np.ndarray, "piece 1"]]:
        along = 2 * self.times_s / self.duration_s + 0.5
        return np.stack([1 - along, along], axis=1), np.ones((len(along), 1))

    @cached_property
    def _ranges_m(self) -> Float[np.ndarray, "mic"]:
        return physics.distances(self.place, self.evidence.positions)

    @cached_property
    def curves(self) -> Float[np.ndarray, "piece pair lag"]:
        """The evidence, piece by piece."""
        return self.evidence.values.reshape(len(self.times_s), len(self.pairs), -1)

    def lags(self, ways: Trajectories) -> Float[np.ndarray, "piece mic way"]:
        """How much further, in lags, each microphone is from these ways than from the place."""
        places = self.shares(ways.shape[1]) @ ways
        further_m = physics.distances(places, self.evidence.positions) - self._ranges_m
        return np.ascontiguousarray((further_m / self.evidence.step_m).transpose(1, 2, 0), dtype=np.float32)

    def scores(self, ways: Trajectories) -> Float[np.ndarray, "way piece"]:
        """Mean evidence of a pair along each way."""
        each = zip(self.curves, self.lags(ways), strict=True)
        return np.stack([mean_nearest(curves, self.pairs, lags) for curves, lags in each], axis=1)

    def nearest(self, way: Float[np.ndarray, "end 3"]) -> Int[np.ndarray, "piece pair"]:
        """The lags of the curves that are nearest to a way."""
        lags, middle = self.lags(way[None])[..., 0], self.curves.shape[2] // 2
        beyond = lags[:, self.pairs[:, 0]] - lags[:, self.pairs[:, 1]] + np.float32(middle + 0.5)
        return beyond.astype(int).clip(0, 2 * middle)

    def along(self, way: Float[np.ndarray, "end 3"]) -> Float[np.ndarray, "piece pair"]:
        """What every pair says along a way, piece by piece."""
        return np.take_along_axis(self.curves, self.nearest(way)[..., None], axis=2)[..., 0]

    def smoothed(self, width_m: float) -> "Subwindows":
        """Positive evidence, averaged over so many metres, twice; as it is where that is less than three lags."""
        width = 2 * int(width_m / self.evidence.step_m / 2) + 1
        if width < 3:
            return self
        values = blurred(self.evidence.values, 0, self.evidence.values.shape[1], 1, width)
        return replace(self, evidence=replace(self.evidence, values=values))

    def in_twos(self) -> "Subwindows":
        """Half as many pieces, each of two."""
        values = self.evidence.values.reshape(len(self.times_s) // 2, 2, len(self.pairs), -1).sum(axis=1)
        values = values.reshape(-1, values.shape[-1])
        evidence = replace(self.evidence, pairs=self.evidence.pairs[: len(values)], values=values)
        return replace(self, evidence=evidence, times_s=self.times_s.reshape(-1, 2).mean(axis=1))


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """What is told apart: a scene, its audio mended and of right polarity, the pairs to hear, the box that was searched."""

    scene: Scene
    audio: Float[np.ndarray, "mic time"]
    pairs: Int[np.ndarray, "pair 2"]
    box: Float[np.ndarray, "2 3"]


def split_window(window: Window, place: Float[np.ndarray, "3"], *, reach_m: float) -> Subwindows:
    """The pieces of a window round this place, as far as range differences of reach_m beyond it."""
    scene, samples, rate = window.scene, window.audio.shape[1], window.scene.sample_rate
    used = np.unique(window.pairs)
    positions, pairs = scene.microphones.positions[used], np.searchsorted(used, window.pairs)
    ranges = physics.distances(place, positions)
    late_s = (ranges - ranges.mean()) / scene.speed + scene.lateness_s[used]
    middles = (np.arange(PIECES) + 0.5) / PIECES - 0.5
    length = samples // PIECES
    white = _whitened(window.audio[used], rate, late_s, scene.band_hz or Correlator().band_hz)
    parts = white[:, : PIECES * length].reshape(len(used), PIECES, length).transpose(1, 0, 2)
    max_lag = min(length - 1, int(reach_m / scene.speed * rate) + 1)
    spectra = gcc.padded_spectra(parts, pad=max_lag)
    curves = gcc.correlate(spectra, pairs, max_lag=max_lag, bins=length)
    return Subwindows(
        evidence=Evidence(
            pairs=np.tile(pairs, (PIECES, 1)),
            values=gcc.upsample(curves.reshape(-1, curves.shape[-1]), FINER),
            step_m=scene.speed / (rate * FINER),
            positions=positions,
        ),
        place=place,
        sigma_m=float(scene.microphones.sigma_m[used].mean()),
        box=window.box,
        pairs=pairs,
        times_s=middles * samples / rate - ranges.mean() / scene.speed,
        duration_s=samples / rate,
    )


def _whitened(
    audio: Float[np.ndarray, "mic time"], rate: float, late_s: Float[np.ndarray, "mic"], band_hz: Band
) -> Float[np.ndarray, "mic time"]:
    """Whitened as SRP-PHAT has it, and each channel so much earlier."""
    how = Correlator()
    spectra = gcc.whitened_spectra(
        audio,
        sample_rate=rate,
        pad=int(np.abs(late_s).max() * rate) + 1,
        band_hz=band_hz,
        whitening=how.whitening,
        floor=how.floor,
        smoothing_hz=how.smoothing_hz,
    )
    early = gcc.advance(spectra, late_s, sample_rate=rate)
    return np.fft.irfft(early)[:, : audio.shape[1]]
