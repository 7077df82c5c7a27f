"""How well a sound from a direction explains what a compact array hears: evidence over directions instead of places.

The peak of a correlation does not tell where a sound comes from when microphones stand centimetres apart. What comes from
all sides alike, the reverberation and most noise, they hear almost the same: its peak at lag 0 is as wide as all delays of
the array, and pulls the peak of the direct sound there, whence an array in a plane answers far too steeply (20 degrees, a
square of 6.5 cm). So its coherence is taken out first. In a cell of the short-time spectrum (time t, frequency f) the M
microphones hear

    x = s a(u) + n,    a_m(u) = exp(i k u . r_m),    E n n^H ~ G,    G_ij = sin(k d_ij) / (k d_ij) + own_ij

a plane wave from the unit vector u (k = 2 pi f / c, r_m from the middle of the array) and noise that is diffuse, with a part
of each microphone's own: what its position, as far as it may be wrong by SLACK, does to a phase, and OWN. With s and the
power of the noise unknown in every cell, each at its likeliest, the log-likelihood of u is, up to constants,

    - sum_tf log(1 - rho + FLOOR),    rho = |a^H G^-1 x|² / (a^H G^-1 a  x^H G^-1 x)

Cells where the direct sound leads, at onsets and in gaps of the reverberation, have a rho near 1 and decide; the logarithm
leaves little to the others, a reflection's among them. FLOOR keeps a single cell from deciding alone.
Axes: M microphones, F bins, T frames, U directions.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Complex, Float

from soundfix.quantiles import fast_length

FRAME_S, OVERLAP = 0.032, 2
MOST_FRAMES = 125  # 2 s: in longer sound no more are looked at
LOWEST_HZ, LOWEST_SHARE = 200.0, 0.1  # of the band; of a low sample rate
HIGHEST_SHARE = 0.49  # of the sample rate: above is the anti-aliasing filter
MOST_TURN = 0.6  # radians by which the slack in positions may turn a phase: higher frequencies say nothing
OWN = 0.05  # of the power of the diffuse noise
FLOOR = 0.03
SLACK_M, SLACK_SHARE = (
    0.003,
    0.05,
)  # standard error of a position that nobody declared: the smaller, of the array's width
SMALLEST = 1e-20

Units = Float[np.ndarray, "direction 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """x in every cell, G^-1/2 x of length 1; offsets_m: r. slack_m: standard error of a position."""

    values: Complex[np.ndarray, "freq mic frame"]
    wavenumbers: Float[np.ndarray, "freq"]
    offsets_m: Float[np.ndarray, "mic 3"]
    slack_m: float

    @property
    def count(self) -> int:
        """Of cells."""
        return self.values.shape[0] * self.values.shape[2]

    def fit(self, units: Units) -> Float[np.ndarray, "direction"]:
        """The log-likelihood of each direction, as if all cells were independent."""
        told = (self.offsets_m.tobytes(), self.wavenumbers.tobytes(), self.slack_m)
        total = np.zeros(len(units))
        for steering, cells in zip(_steering(*told, units.tobytes()), self.values, strict=True):
            total -= np.log(1 + FLOOR - np.square(np.abs(steering @ cells))).sum(axis=1)
        return total


def listen(
    audio: Float[np.ndarray, "mic time"], offsets_m: Float[np.ndarray, "mic 3"], *, sample_rate: float,
    speed_m_s: float, slack_m: float,
) -> Cells:  # fmt: skip
    """The cells of these microphones, at these places round the middle of the array. Their gains do not matter."""
    spectra, frequencies_hz = short_time_spectra(audio, sample_rate)
    wavenumbers = 2 * np.pi * frequencies_hz / speed_m_s
    lowest_hz = min(LOWEST_HZ, LOWEST_SHARE * sample_rate)
    highest_hz = max(2 * lowest_hz, MOST_TURN / slack_m * speed_m_s / (2 * np.pi))
    in_band = (frequencies_hz >= lowest_hz) & (frequencies_hz <= min(highest_hz, HIGHEST_SHARE * sample_rate))
    heard = spectra[:, :, in_band].transpose(2, 0, 1)
    heard = heard / np.sqrt(np.square(np.abs(heard)).sum(axis=(0, 2), keepdims=True) + SMALLEST)
    white = whitening(offsets_m, wavenumbers[in_band], slack_m) @ heard
    values = white / np.sqrt(np.square(np.abs(white)).sum(axis=1, keepdims=True) + SMALLEST)
    return Cells(
        values=values.astype(np.complex64), wavenumbers=wavenumbers[in_band], offsets_m=offsets_m, slack_m=slack_m
    )


def short_time_spectra(
    audio: Float[np.ndarray, "mic time"], sample_rate: float
) -> tuple[Complex[np.ndarray, "mic frame freq"], Float[np.ndarray, "freq"]]:
    """Of whole frames, under the root of a Hann window; and the frequencies (Hz). Of a long sound some frames, evenly."""
    length = min(fast_length(round(FRAME_S * sample_rate)), audio.shape[1])
    window = np.sqrt(np.hanning(length + 1)[:-1])
    hop = max(length // OVERLAP, (audio.shape[1] - length) // MOST_FRAMES, 1)
    frames = np.lib.stride_tricks.sliding_window_view(audio, length, axis=1)[:, ::hop]
    return np.fft.rfft(frames * window, axis=-1), np.fft.rfftfreq(length, 1 / sample_rate)


def without_lateness(
    audio: Float[np.ndarray, "mic time"], late_s: Float[np.ndarray, "mic"], sample_rate: float
) -> Float[np.ndarray, "mic time"]:
    """The same sound, each channel so much earlier."""
    if not late_s.any():
        return audio
    padded = fast_length(audio.shape[1] + int(np.abs(late_s).max() * sample_rate) + 1)
    turns = np.exp(2j * np.pi * np.fft.rfftfreq(padded, 1 / sample_rate) * late_s[:, None])
    return np.fft.irfft(np.fft.rfft(audio, padded) * turns, padded)[:, : audio.shape[1]]


def whitening(
    offsets_m: Float[np.ndarray, "mic 3"], wavenumbers: Float[np.ndarray, "freq"], slack_m: float
) -> Float[np.ndarray, "freq mic mic"]:
    """G^-1/2, the inverse of its Cholesky factor."""
    gaps_m = np.linalg.norm(offsets_m[:, None] - offsets_m, axis=-1)
    k = wavenumbers[:, None, None]
    coherence = np.sinc(k * gaps_m / np.pi) + (OWN + np.square(k * slack_m)) * np.eye(len(offsets_m))
    return np.linalg.inv(np.linalg.cholesky(coherence))


@lru_cache(maxsize=4)
def _steering(
    offsets_m: bytes, wavenumbers: bytes, slack_m: float, units: bytes
) -> Complex[np.ndarray, "freq direction mic"]:
    """(G^-1/2 a)^H of length 1; kept for the next window."""
    offsets, k, directions = (np.frombuffer(each) for each in (offsets_m, wavenumbers, units))
    offsets, directions = offsets.reshape(-1, 3), directions.reshape(-1, 3)
    turned = np.exp(1j * k[:, None, None] * (directions @ offsets.T))
    steered = turned @ whitening(offsets, k, slack_m).transpose(0, 2, 1)
    steered /= np.linalg.norm(steered, axis=2, keepdims=True)
    return steered.conj().astype(np.complex64)
