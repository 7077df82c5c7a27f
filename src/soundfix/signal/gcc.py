"""Generalized cross-correlation: what two microphones have in common, lag by lag (Knapp & Carter, 1976).

    R_ij(tau) = sum_f psi_ij(f) X_i(f) conj(X_j(f)) exp(2 pi i f tau)

Axes: M microphones, P pairs, T samples, F bins, L lags. Lags run from -max_lag to +max_lag. A peak at a positive
lag means microphone i hears the sound later than j (see physics.py). The spectra are zero-padded by max_lag, so that
no lag of interest wraps round. Every correlation is scaled to 1 where two channels are identical, whatever
their gains, and has mean 0 and standard deviation `noise_level` where they share nothing.

The weights psi differ by what they divide by:

- PHAT, 1 / |X_i X_j|: every frequency counts alike (`whitening` 1, the rest 0);
- SCOT, 1 / sqrt(S_ii S_jj) with auto-spectra smoothed over `smoothing_hz` (Carter, Nuttall & Cable, 1973);
- plain correlation, 1 (`whitening` 0); partial whitening (|X_i| |X_j|)^-beta between (`whitening` beta);
- `floor` > 0 never takes a magnitude for smaller than this share of the median one, so that frequencies of mere noise do
  not count like those of the source.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache

import numpy as np
from jaxtyping import Complex, Float, Int

from soundfix.quantiles import fast_length
from soundfix.signal.arrays import (
    Array,
    as_kind,
    conjugate,
    lower_median,
    moving_mean,
    namespace,
    padded,
    stretches,
    transforms,
)

SMALLEST = 1e-12  # keeps a silent channel's spectrum at zero instead of NaN
TAPS_EACH_SIDE, KAISER_BETA = 12, 5.0  # of the interpolation: 0.3 % off at 0.4 of the sample rate, 7 % at 0.45
BLOCK = 16  # lags that are interpolated at once
PAIRS_AT_ONCE = 8  # are correlated: so many stay near the processor
FADE_S, FADE_SHARE = 0.01, 0.05  # a window cut out of rumble has steps at its ends that all microphones share: faded


def whitened_spectra(
    audio: Float[Array, "*batch mic time"],
    *,
    sample_rate: float,
    pad: int,
    band_hz: tuple[float, float],
    whitening: float,
    floor: float = 0.0,
    smoothing_hz: float = 0.0,
) -> Complex[Array, "*batch mic freq"]:
    """Spectra divided by their magnitude ** whitening inside the band, zero outside, scaled to a mean power of 1."""
    spectra = padded_spectra(audio, pad=pad)
    in_band = as_kind(band_mask(2 * (spectra.shape[-1] - 1), sample_rate=sample_rate, band_hz=band_hz), spectra)
    smoothing = round(smoothing_hz * 2 * (spectra.shape[-1] - 1) / sample_rate)
    return to_unit_power(spectra * spectral_weights(spectra, in_band, whitening, floor, smoothing), in_band)


def padded_spectra(audio: Float[Array, "*batch time"], *, pad: int) -> Complex[Array, "*batch freq"]:
    """Spectra with room for delays of `pad` samples either way."""
    return transforms(audio).rfft(audio, n=2 * fast_length((audio.shape[-1] + pad + 1) // 2))


def spectral_weights(
    spectra: Complex[Array, "*batch freq"],
    in_band: Float[Array, "freq"],
    whitening: float,
    floor: float,
    smoothing_bins: int,
) -> Float[Array, "*batch freq"]:
    """One microphone's share of psi: psi_ij = weight_i weight_j."""
    magnitude = abs(spectra) if smoothing_bins <= 1 else _smoothed_magnitude(spectra, smoothing_bins)
    if floor > 0 and bool(in_band.any()):
        magnitude = magnitude + floor * lower_median(magnitude[..., in_band > 0])
    return in_band / (magnitude + SMALLEST) ** whitening


def to_unit_power(
    spectra: Complex[Array, "*batch freq"], in_band: Float[Array, "freq"]
) -> Complex[Array, "*batch freq"]:
    """Scaled so that the mean power in the band is 1: two identical channels then correlate to 1."""
    mean = power(spectra).sum(-1)[..., None] / max(float(in_band.sum()), 1.0)
    return spectra / (mean + SMALLEST) ** 0.5


def exact(like: Array) -> AbstractContextManager[object]:
    """A context in which products stay as precise as their factors, though the network around may run in bfloat16."""
    context: AbstractContextManager[object]
    is_array = isinstance(like, np.ndarray)
    context = nullcontext() if is_array else namespace(like).autocast(like.device.type, enabled=False)
    return context


def power(spectra: Complex[Array, "*batch"]) -> Float[Array, "*batch"]:
    """Squared magnitude; quicker than abs(), and its gradient is finite at 0 too."""
    return spectra.real * spectra.real + spectra.imag * spectra.imag


def faded(audio: Float[Array, "*batch time"], sample_rate: float) -> Float[Array, "*batch time"]:
    """The sound under a raised cosine of 10 ms (5 % of a short window) at both ends."""
    return audio * as_kind(_fade(audio.shape[-1], sample_rate), audio)


@lru_cache(maxsize=8)
def _fade(samples: int, sample_rate: float) -> Float[np.ndarray, "time"]:
    count = int(min(FADE_S * sample_rate, FADE_SHARE * samples))
    envelope = np.ones(samples, dtype=np.float32)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(count, 1))
    envelope[:count] = ramp
    envelope[samples - count :] = ramp[::-1]
    return envelope


def advance(
    spectra: Complex[Array, "*batch mic freq"], lateness_s: Float[np.ndarray, "mic"], *, sample_rate: float
) -> Complex[Array, "*batch mic freq"]:
    """The spectra of the same signals, each this many seconds earlier."""
    step_hz = sample_rate / (2 * (spectra.shape[-1] - 1))
    turned = turns(2 * np.pi * step_hz * lateness_s, spectra.shape[-1])
    return spectra * (turned if isinstance(spectra, np.ndarray) else namespace(spectra).from_numpy(turned).to(spectra))


def turns(step: Float[np.ndarray, "mic"], count: int) -> Complex[np.ndarray, "mic {count}"]:
    """exp(1j k step) for k from 0 on, made of two short rows of it: an exponential takes ten times as long as a product."""
    width = int(np.ceil(count**0.5))
    few = np.arange(width)
    fine, coarse = np.exp(1j * step[:, None] * few), np.exp(1j * step[:, None] * (width * few))
    product = coarse.astype(np.complex64)[:, :, None] * fine.astype(np.complex64)[:, None, :]
    return product.reshape(len(step), -1)[:, :count]


def _smoothed_magnitude(spectra: Complex[Array, "*batch freq"], width: int) -> Float[Array, "*batch freq"]:
    """Root mean square over `width` neighbouring bins."""
    return (moving_mean(power(spectra), width // 2 * 2 + 1) + SMALLEST) ** 0.5


def band_mask(length: int, *, sample_rate: float, band_hz: tuple[float, float]) -> Float[np.ndarray, "freq"]:
    """1 for the bins of an rfft of `length` samples that lie in the band, 0 elsewhere (the mean is always left out).

    In single precision, as networks have learned: a bin on the very edge of a band is in it or not by its rounding.
    """
    frequency = np.arange(length // 2 + 1, dtype=np.float32) * np.float32(1 / (length * (1 / sample_rate)))
    return ((frequency >= max(band_hz[0], 1e-9)) & (frequency <= band_hz[1])).astype(np.float32)


def correlate(
    spectra: Complex[Array, "*batch mic freq"], pairs: Int[Array, "pair 2"], *, max_lag: int, bins: int
) -> Float[Array, "*batch pair lag"]:
    """R_ij at the lags -max_lag..max_lag of every pair; `bins` is the number of bins in the band."""
    length, conjugates, numbers = 2 * (spectra.shape[-1] - 1), conjugate(spectra), namespace(spectra)
    at_once = PAIRS_AT_ONCE if isinstance(spectra, np.ndarray) else max(1, len(pairs))
    curves = []
    for first in range(0, max(1, len(pairs)), at_once):
        i, j = pairs[first : first + at_once].T
        circular = transforms(spectra).irfft(spectra[..., i, :] * conjugates[..., j, :], n=length)
        curves.append(numbers.concatenate([circular[..., length - max_lag :], circular[..., : max_lag + 1]], axis=-1))
    return numbers.concatenate(curves, axis=-2) * (length / (2 * max(bins, 1)))


def upsample(correlation: Float[Array, "*batch lag"], factor: int) -> Float[Array, "*batch finelag"]:
    """The band-limited correlation at `factor` times as many lags; every factor-th value is the original."""
    if factor == 1:
        return correlation
    lags = correlation.shape[-1]
    blocks = -(-lags // BLOCK)
    flat = correlation.reshape(-1, lags)
    wide = padded(flat, TAPS_EACH_SIDE - 1, TAPS_EACH_SIDE + blocks * BLOCK - lags)
    rows = stretches(wide, BLOCK + 2 * TAPS_EACH_SIDE - 1, BLOCK)
    fine = rows.reshape(-1, rows.shape[-1]) @ as_kind(_interpolation(factor), correlation)
    return fine.reshape(len(flat), -1)[:, : factor * (lags - 1) + 1].reshape(*correlation.shape[:-1], -1)


@lru_cache(maxsize=8)
def _interpolation(factor: int) -> Float[np.ndarray, "tap finelag"]:
    """From BLOCK lags, and what the kernel needs beside them, to the finer lags: one product, quicker than a convolution."""
    kernel = interpolation_kernel(factor)
    matrix = np.zeros((BLOCK + kernel.shape[1] - 1, BLOCK, factor), dtype=np.float32)
    for lag in range(BLOCK):
        matrix[lag : lag + kernel.shape[1], lag] = kernel.T
    return matrix.reshape(len(matrix), -1)


def interpolation_kernel(factor: int) -> Float[np.ndarray, "phase tap"]:
    """A Kaiser-windowed sinc for each of the `factor` fractions of a lag."""
    taps = np.arange(1 - TAPS_EACH_SIDE, TAPS_EACH_SIDE + 1)
    distance = np.arange(factor)[:, None] / factor - taps
    inside = np.sqrt(np.maximum(1 - np.square(distance / TAPS_EACH_SIDE), 0))
    return (np.sinc(distance) * np.i0(KAISER_BETA * inside) / np.i0(KAISER_BETA)).astype(np.float32)


def noise_level(bins: int | float) -> float:
    """Standard deviation of R_ij(tau) where the two channels share nothing: `bins` random phases, averaged.

    Zero-padding adds bins but no phases: count samples / padded length of them.
    """
    return float((2 * bins) ** -0.5)
