"""The short-time spectrum cell by cell, heard from a place: do all microphones hear the same there?

Several people who speak at once seldom speak in the same cell (time t, frequency f): speech is sparse (Rickard and Yilmaz,
2002). With every microphone moved forward by its distance from a place, all are in phase in the cells that a source there
fills. What tells is the share of the power that adds up,

    rho(t, f) = |sum_m x_m(t, f)|² / (M sum_m |x_m(t, f)|²)

1 where M microphones agree, 1 / M on average where they share nothing. Spectra are taken so densely that moving forward is
a choice of frames, to a few milliseconds, and a turn of phases, exactly.
Axes: M microphones, D dense frames, T frames, F bins, K places, P pairs, L lags.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Int
from scipy.fft import next_fast_len, rfft, rfftfreq

from soundfix import physics
from soundfix.localization.evidence import Evidence

FRAME_S, HOP_S = 0.064, 0.032
DENSER = 8  # dense frames a frame: 4 ms
BAND_HZ = (200.0, 6000.0)  # above, a place must be known to a centimetre to be in phase
REACH_M, STEP_M = 0.3, 0.006  # of the curves round a place
NEAR = round(REACH_M / STEP_M)
SMALLEST = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """dense: spectra DENSER times a hop, zeros before and after. positions: (M, 3) m. frames: how many there are."""

    dense: Complex[np.ndarray, "mic dense freq"]
    frequency_hz: Float[np.ndarray, "freq"]
    positions: Float[np.ndarray, "mic 3"]
    speed_m_s: float
    step_s: float
    frames: int

    @property
    def count(self) -> int:
        """Of cells."""
        return self.frames * len(self.frequency_hz)

    def steered(self, place: Float[np.ndarray, "3"]) -> Complex[np.ndarray, "mic frame freq"]:
        """x_m(t, f), every microphone moved forward by as much further as it is than the nearest."""
        delay_s = physics.distances(place[None], self.positions)[0] / self.speed_m_s
        delay_s = delay_s - delay_s.min()
        late = np.rint(delay_s / self.step_s).astype(int)
        rows = late[:, None] + DENSER * np.arange(self.frames)
        moved = self.dense[np.arange(len(late))[:, None], np.clip(rows, 0, self.dense.shape[1] - 1)]
        turn = np.exp(2j * np.pi * np.outer(delay_s - late * self.step_s, self.frequency_hz)).astype(np.complex64)
        return moved * turn[:, None]

    def evidence(
        self, place: Float[np.ndarray, "3"], share: Float[np.ndarray, "cell"], pairs: Int[np.ndarray, "pair 2"]
    ) -> Evidence:
        """The correlation of these shares of the cells, within REACH_M of the delays of a place; 0 beyond."""
        steered = self.steered(place)
        weight = np.sqrt(share.reshape(self.frames, -1))
        heard = steered * weight
        heard /= np.sqrt(np.square(np.abs(heard)).sum(axis=(1, 2), keepdims=True) + SMALLEST)
        cross = np.array([(heard[i] * heard[j].conj()).sum(axis=0) for i, j in pairs])
        expected_m = physics.range_differences(place, self.positions, pairs)
        reach_m = float(physics.distances(self.positions, self.positions).max()) + REACH_M
        lags = int(reach_m / STEP_M) + 2
        near = np.rint(expected_m / STEP_M).astype(int)[:, None] + np.arange(-NEAR, NEAR + 1)
        beyond_s = (near * STEP_M - expected_m[:, None]) / self.speed_m_s
        turns = np.exp(2j * np.pi * beyond_s[:, :, None] * self.frequency_hz)
        curves = np.einsum("pf,plf->pl", cross, turns).real
        values = np.zeros((len(pairs), 2 * lags + 1), dtype=np.float32)
        np.put_along_axis(values, np.clip(near + lags, 0, 2 * lags), curves.astype(np.float32), axis=1)
        return Evidence(pairs=pairs, values=values, step_m=STEP_M, positions=self.positions)

    def coherence(self, places: Float[np.ndarray, "place 3"]) -> Float[np.ndarray, "place cell"]:
        """rho in every cell, heard from each place."""
        return np.array([_share(self.steered(place)).ravel() for place in places]).reshape(len(places), self.count)


def cells_of(
    audio: Float[np.ndarray, "mic time"], sample_rate: float, positions: Float[np.ndarray, "mic 3"], speed_m_s: float,
    band_hz: tuple[float, float] = BAND_HZ,
) -> Cells:  # fmt: skip
    """The cells of this sound (whitened, or its phases alone tell)."""
    hop = max(DENSER, round(HOP_S * sample_rate / DENSER) * DENSER)
    length = next_fast_len(round(FRAME_S * sample_rate), real=True)
    reach = int(np.ceil(physics.distances(positions, positions).max() / speed_m_s * sample_rate))
    step = hop // DENSER
    padded = np.pad(audio.astype(np.float32), ((0, 0), (length // 2, length + reach + step)))
    frequency_hz = rfftfreq(length, 1 / sample_rate)
    in_band = (frequency_hz >= band_hz[0]) & (frequency_hz <= band_hz[1])
    frames = np.lib.stride_tricks.sliding_window_view(padded, length, axis=1)[:, ::step]
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    dense = np.stack([rfft(each * window, axis=-1)[:, in_band] for each in frames])
    return Cells(
        dense=dense,
        frequency_hz=frequency_hz[in_band],
        positions=positions,
        speed_m_s=speed_m_s,
        step_s=step / sample_rate,
        frames=1 + audio.shape[1] // hop,
    )


def _share(steered: Complex[np.ndarray, "mic frame freq"]) -> Float[np.ndarray, "frame freq"]:
    power = np.square(steered.real).sum(axis=0) + np.square(steered.imag).sum(axis=0)
    together = steered.sum(axis=0)
    return (np.square(together.real) + np.square(together.imag)) / (len(steered) * power + SMALLEST)
