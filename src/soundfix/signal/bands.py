"""Which band carries sound that microphones share, and that band alone.

Delays and distances scale together: a bat at 60 kHz in a cage is speech in a hall. So a recording is listened to at the rate
that suits its sound. Whole bands are compared as evidence is made: generalized cross-correlations of some pairs, and how far
their highest peak stands out of chance. A peak at no lag is one of wires: interference that all channels share.
Axes: M microphones, T samples, P pairs, L lags.
"""

from itertools import pairwise
from math import log2

import numpy as np
from jaxtyping import Float

from soundfix import robust
from soundfix.physics import pair_indices
from soundfix.quantiles import fast_length
from soundfix.resample import SAMPLE_RATE, TOP_HZ
from soundfix.signal import gcc
from soundfix.signal.arrays import transforms

USUAL_HZ = (100.0, TOP_HZ)
BANDS_AN_OCTAVE = 2  # above the usual one
MOST_PAIRS = 10
FLOOR = 0.5  # of the whitening, as SRP-PHAT has it
USUAL_HEIGHT, HEIGHT = 1.25, 2.4  # of the median pair's peak, from which a band is shared; chance is 1, rarely 1.2
WIRE_PERIODS = 1.0  # of the band's highest frequency: a peak this near to no lag came by wire
LARGEST_SHARE = 0.25  # of a stretch: at longer delays too little of it overlaps
EDGE = 0.02  # of a band's edges, from full strength down to nothing


def within_band(
    audio: Float[np.ndarray, "mic time"], sample_rate: float, band_hz: tuple[float, float]
) -> Float[np.ndarray, "mic time"]:
    """What sounds between these frequencies (Hz); just beyond, it fades."""
    length = fast_length(audio.shape[1])  # that of an event is any: a prime one takes ten times as long
    frequency = np.fft.rfftfreq(length, 1 / sample_rate)
    (low, high), tiny = band_hz, 1e-9
    rising = np.clip((frequency / max(low, tiny) - 1) / EDGE + 1, 0, 1)
    falling = np.clip((1 - frequency / high) / EDGE + 1, 0, 1)
    fft = transforms(audio)
    passed = fft.rfft(audio.astype(np.float32, copy=False), length) * (rising * falling).astype(np.float32)
    return np.asarray(fft.irfft(passed, length)[:, : audio.shape[1]])


def coherent_band(
    stretches: list[Float[np.ndarray, "mic time"]], sample_rate: float, *, reach_s: float
) -> tuple[float, float] | None:
    """The band (Hz) above the usual one that microphones share in any of these stretches of sound, by delays up to reach_s.

    None where they share the usual one, or none at all: then nothing is to be changed.
    """

    def highest(band_hz: tuple[float, float]) -> float:
        return max(shared_height(each, sample_rate, band_hz, reach_s=reach_s) for each in stretches)

    if not stretches or highest(USUAL_HZ) >= USUAL_HEIGHT:
        return None
    shared = [band for band in bands_above(sample_rate) if highest(band) >= HEIGHT]
    return (round(shared[0][0], -2), round(shared[-1][1], -2)) if shared else None


def bands_above(sample_rate: float) -> list[tuple[float, float]]:
    """Half octaves (Hz) from where the usual band ends to where the filter of this rate begins."""
    top = sample_rate / 2 * TOP_HZ / (SAMPLE_RATE / 2)
    count = round(BANDS_AN_OCTAVE * log2(max(top / TOP_HZ, 1.0)))
    return list(pairwise([*(TOP_HZ * 2 ** (k / BANDS_AN_OCTAVE) for k in range(count)), top]))


def shared_height(
    audio: Float[np.ndarray, "mic time"], sample_rate: float, band_hz: tuple[float, float], *, reach_s: float
) -> float:
    """Of the median pair's highest peak in this band, against what chance gives; 0 where most have it at no lag.

    The largest of n independent values is about sqrt(2 log n) deviations: so many as lags of a width of the band's.
    """
    curves = _curves(audio, sample_rate, band_hz, reach_s)
    if not len(curves):
        return 0.0
    middle = curves.shape[1] // 2
    off_s = np.abs(curves.argmax(axis=1) - middle) / sample_rate
    if np.median(off_s) <= WIRE_PERIODS / band_hz[1]:
        return 0.0
    deviation = np.array([robust.deviation(curve) for curve in curves])
    chance = np.sqrt(2 * np.log(curves.shape[1] / sample_rate * (band_hz[1] - band_hz[0])))
    return float(np.median(curves.max(axis=1) / deviation) / chance)


def _curves(
    audio: np.ndarray, sample_rate: float, band_hz: tuple[float, float], reach_s: float
) -> Float[np.ndarray, "pair lag"]:
    """The correlations of MOST_PAIRS pairs of microphones that hear anything."""
    sound = _mended(audio)
    pairs = pair_indices(len(sound))
    if not len(pairs):
        return np.zeros((0, 1))
    pairs = pairs[np.unique(np.linspace(0, len(pairs) - 1, MOST_PAIRS).astype(int))]
    max_lag = min(round(reach_s * sample_rate), round(LARGEST_SHARE * sound.shape[1]))
    soft = np.hanning(sound.shape[1] + 1)[:-1].astype(
        np.float32
    )  # rumble that is cut off sharply would be shared everywhere
    spectra = gcc.whitened_spectra(
        sound * soft, sample_rate=sample_rate, pad=max_lag, band_hz=band_hz, whitening=1.0, floor=FLOOR
    )
    return gcc.correlate(spectra, pairs, max_lag=max_lag, bins=1)


def _mended(audio: np.ndarray) -> Float[np.ndarray, "mic time"]:
    """About its mean at unit power, without channels of nothing; what is no number is silence."""
    sound = np.where(np.isfinite(audio), audio, 0).astype(np.float64)
    sound -= sound.mean(axis=1, keepdims=True)
    level = np.sqrt(np.mean(np.square(sound), axis=1))
    heard = level > 0
    return (sound[heard] / level[heard, None]).astype(np.float32)
