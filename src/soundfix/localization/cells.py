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
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Complex, Float, Int

from soundfix import physics
from soundfix.compiled import compiled
from soundfix.localization import in_numpy
from soundfix.localization.evidence import Evidence
from soundfix.quantiles import fast_length

FRAME_S, HOP_S = 0.064, 0.032
DENSER = 8  # dense frames a frame: 4 ms
BAND_HZ = (200.0, 6000.0)  # above, a place must be known to a centimetre to be in phase
REACH_M, STEP_M = 0.3, 0.006  # of the curves round a place
NEAR = round(REACH_M / STEP_M)
REST_STEP_M = 0.01  # of the curves of the rest
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
    def width_m(self) -> float:
        """The largest distance between two microphones."""
        return _width_m(self.positions)

    @property
    def count(self) -> int:
        """Of cells."""
        return self.frames * len(self.frequency_hz)

    def steered(self, place: Float[np.ndarray, "3"]) -> Complex[np.ndarray, "mic frame freq"]:
        """x_m(t, f), every microphone moved forward by as much further as it is than the nearest."""
        return self._moved(*self._forward(place))

    def _forward(
        self, place: Float[np.ndarray, "3"]
    ) -> tuple[Int[np.ndarray, "mic frame"], Complex[np.ndarray, "mic 1 freq"]]:
        """Which of all dense frames are heard from a place, and how their phases are turned."""
        delay_s = physics.distances(place[None], self.positions)[0] / self.speed_m_s
        delay_s = delay_s - delay_s.min()
        late = np.rint(delay_s / self.step_s).astype(int)
        count = self.dense.shape[1]
        rows = np.clip(late[:, None] + DENSER * np.arange(self.frames), 0, count - 1)
        turn = cis(np.outer(delay_s - late * self.step_s, self.frequency_hz))
        return rows + count * np.arange(len(late))[:, None], turn[:, None]

    def _moved(self, rows: np.ndarray, turn: np.ndarray) -> Complex[np.ndarray, "mic frame freq"]:
        return self.dense.reshape(-1, self.dense.shape[2]).take(rows, axis=0) * turn

    @cached_property
    def _power(self) -> Float[np.ndarray, "row freq"]:
        """Of all dense frames, microphone by microphone."""
        return (np.square(self.dense.real) + np.square(self.dense.imag)).reshape(-1, self.dense.shape[2])

    def evidence(
        self, place: Float[np.ndarray, "3"], share: Float[np.ndarray, "cell"], pairs: Int[np.ndarray, "pair 2"]
    ) -> Evidence:
        """The correlation of these shares of the cells, heard from a place, within REACH_M of its delays; 0 beyond."""
        cross = _cross(self.steered(place), share, pairs)
        expected_m = physics.range_differences(place, self.positions, pairs)
        middle = np.rint(expected_m / STEP_M).astype(int)
        offset = np.arange(-NEAR, NEAR + 1)
        onto_grid = self._turns((middle * STEP_M - expected_m)[:, None])
        curves = ((cross * onto_grid) @ self._turns(offset[:, None] * STEP_M).T).real
        lags = int((self.width_m + REACH_M) / STEP_M) + 2
        values = np.zeros((len(pairs), 2 * lags + 1), dtype=np.float32)
        columns = np.clip(middle[:, None] + offset + lags, 0, 2 * lags)
        np.put_along_axis(values, columns, curves, axis=1)
        return Evidence(pairs=pairs, values=values, step_m=STEP_M, positions=self.positions)

    def rest(self, taken: Float[np.ndarray, "cell"], pairs: Int[np.ndarray, "pair 2"]) -> Evidence:
        """The correlation of what nobody has taken of the cells, at all delays of the array that fit into a frame."""
        left = np.clip(1 - taken.reshape(self.frames, -1), 0, 1)
        left = np.minimum(left, np.concatenate([left[:1], left[:-1]]))  # who is further away hears it a frame later
        heard = self.dense[:, DENSER * np.arange(self.frames)]
        cross = _cross(heard, left.ravel(), pairs)
        lags = int(min(self.width_m / self.speed_m_s, FRAME_S / 2) * self.speed_m_s / REST_STEP_M) + 1
        even, odd = _waves(lags, self.speed_m_s, self.frequency_hz.tobytes())
        alike, apart = cross.real @ even, cross.imag @ odd
        curves = np.concatenate([(alike + apart)[:, :0:-1], alike - apart], axis=1)
        return Evidence(pairs=pairs, values=curves, step_m=REST_STEP_M, positions=self.positions)

    def _turns(self, longer_m: Float[np.ndarray, "way 1"]) -> Complex[np.ndarray, "way freq"]:
        """What so much longer a way does to phases, taken back."""
        return cis(longer_m / self.speed_m_s * self.frequency_hz)

    def loudness(self) -> Float[np.ndarray, "cell"]:
        """The root of the power of all microphones, 1 on average: quiet cells are noise, or what a mask did not let in."""
        heard = self.dense[:, DENSER * np.arange(self.frames)]
        amplitude = np.sqrt((np.square(heard.real) + np.square(heard.imag)).sum(axis=0)).ravel()
        return amplitude / max(float(amplitude.mean()), SMALLEST)

    def coherence(self, places: Float[np.ndarray, "place 3"]) -> Float[np.ndarray, "place cell"]:
        """rho in every cell, heard from each place."""
        return np.array([self._share(place).ravel() for place in places]).reshape(len(places), self.count)

    def _share(self, place: Float[np.ndarray, "3"]) -> Float[np.ndarray, "frame freq"]:
        rows, turn = self._forward(place)
        return _shared(self.dense.reshape(-1, self.dense.shape[2]), self._power, rows, turn[:, 0], SMALLEST)


@compiled(in_numpy.shared)
def _shared(
    dense: Complex[np.ndarray, "row freq"], power: Float[np.ndarray, "row freq"], rows: Int[np.ndarray, "mic frame"],
    turn: Complex[np.ndarray, "mic freq"], smallest: float,
) -> Float[np.ndarray, "frame freq"]:  # fmt: skip
    """rho(t, f) of these rows, the phases of every microphone turned so."""
    bins, share = dense.shape[1], np.empty((rows.shape[1], dense.shape[1]), dtype=np.float32)
    real, imaginary, total = np.empty((3, bins), dtype=np.float32)
    for t in range(rows.shape[1]):
        real[:], imaginary[:], total[:] = 0, 0, 0
        for m in range(len(rows)):
            heard, loud, turned = dense[rows[m, t]], power[rows[m, t]], turn[m]
            for f in range(bins):
                real[f] += heard[f].real * turned[f].real - heard[f].imag * turned[f].imag
                imaginary[f] += heard[f].real * turned[f].imag + heard[f].imag * turned[f].real
                total[f] += loud[f]
        for f in range(bins):
            adds_up = real[f] * real[f] + imaginary[f] * imaginary[f]
            share[t, f] = adds_up / (np.float32(len(rows)) * total[f] + np.float32(smallest))
    return share


def cis(turns: Float[np.ndarray, "*batch"]) -> Complex[np.ndarray, "*batch"]:
    """exp(2 pi i turns) in single precision, exact for any number of turns: whole ones are taken out before."""
    angle = (2 * np.pi * (turns - np.rint(turns))).astype(np.float32)
    wave = np.empty(angle.shape, dtype=np.complex64)
    wave.real, wave.imag = np.cos(angle), np.sin(angle)
    return wave


@lru_cache(maxsize=4)
def _waves(
    lags: int, speed_m_s: float, frequency_hz: bytes
) -> tuple[Float[np.ndarray, "freq lag"], Float[np.ndarray, "freq lag"]]:
    """The even and the odd part of what lags from 0 up do to phases, taken back: kept, an array's are always the same."""
    longer_m = np.arange(lags + 1) * REST_STEP_M
    waves = cis(np.outer(np.frombuffer(frequency_hz), longer_m / speed_m_s))
    return np.ascontiguousarray(waves.real), np.ascontiguousarray(waves.imag)


def cells_of(
    audio: Float[np.ndarray, "mic time"], sample_rate: float, positions: Float[np.ndarray, "mic 3"], speed_m_s: float,
    band_hz: tuple[float, float] = BAND_HZ,
) -> Cells:  # fmt: skip
    """The cells of this sound (whitened, or its phases alone tell)."""
    hop = max(DENSER, round(HOP_S * sample_rate / DENSER) * DENSER)
    length = fast_length(round(FRAME_S * sample_rate))
    reach = int(np.ceil(_width_m(positions) / speed_m_s * sample_rate))
    step = hop // DENSER
    padded = np.pad(audio.astype(np.float32), ((0, 0), (length // 2, length + reach + step)))
    frequency_hz = np.fft.rfftfreq(length, 1 / sample_rate)
    in_band = (frequency_hz >= band_hz[0]) & (frequency_hz <= band_hz[1])
    frames = np.lib.stride_tricks.sliding_window_view(padded, length, axis=1)[:, ::step]
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    dense = np.ascontiguousarray(np.stack([np.fft.rfft(each * window, axis=-1)[:, in_band] for each in frames]))
    return Cells(
        dense=dense,
        frequency_hz=frequency_hz[in_band],
        positions=positions,
        speed_m_s=speed_m_s,
        step_s=step / sample_rate,
        frames=1 + audio.shape[1] // hop,
    )


def _width_m(positions: Float[np.ndarray, "mic 3"]) -> float:
    return float(physics.distances(positions, positions).max())


def _cross(
    heard: Complex[np.ndarray, "mic frame freq"], share: Float[np.ndarray, "cell"], pairs: Int[np.ndarray, "pair 2"]
) -> Complex[np.ndarray, "pair freq"]:
    """The cross-spectra of these shares; 1 in sum where two microphones hear the same."""
    weighted = heard * np.sqrt(share.reshape(heard.shape[1:])).astype(np.float32)
    weighted = weighted / np.sqrt(np.square(np.abs(weighted)).sum(axis=(1, 2), keepdims=True) + SMALLEST)
    return np.array([(weighted[i] * weighted[j].conj()).sum(axis=0) for i, j in pairs])
