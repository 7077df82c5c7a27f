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

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Complex, Float, Int
from scipy.fft import next_fast_len
from torch import Tensor

SMALLEST = 1e-12  # keeps a silent channel's spectrum at zero instead of NaN
TAPS_EACH_SIDE, KAISER_BETA = 12, 5.0  # of the interpolation: 0.3 % off at 0.4 of the sample rate, 7 % at 0.45
BLOCK = 16  # lags that are interpolated at once
FADE_S, FADE_SHARE = 0.01, 0.05  # a window cut out of rumble has steps at its ends that all microphones share: faded


def whitened_spectra(
    audio: Float[Tensor, "*batch mic time"],
    *,
    sample_rate: float,
    pad: int,
    band_hz: tuple[float, float],
    whitening: float,
    floor: float = 0.0,
    smoothing_hz: float = 0.0,
) -> Complex[Tensor, "*batch mic freq"]:
    """Spectra divided by their magnitude ** whitening inside the band, zero outside, scaled to a mean power of 1."""
    spectra = padded_spectra(audio, pad=pad)
    in_band = band_mask(2 * (spectra.shape[-1] - 1), sample_rate=sample_rate, band_hz=band_hz).to(audio)
    smoothing = round(smoothing_hz * 2 * (spectra.shape[-1] - 1) / sample_rate)
    return to_unit_power(spectra * spectral_weights(spectra, in_band, whitening, floor, smoothing), in_band)


def padded_spectra(audio: Float[Tensor, "*batch time"], *, pad: int) -> Complex[Tensor, "*batch freq"]:
    """Spectra with room for delays of `pad` samples either way."""
    return torch.fft.rfft(audio, n=2 * next_fast_len((audio.shape[-1] + pad + 1) // 2, real=True))


def spectral_weights(
    spectra: Complex[Tensor, "*batch freq"],
    in_band: Float[Tensor, "freq"],
    whitening: float,
    floor: float,
    smoothing_bins: int,
) -> Float[Tensor, "*batch freq"]:
    """One microphone's share of psi: psi_ij = weight_i weight_j."""
    magnitude = spectra.abs() if smoothing_bins <= 1 else _smoothed_magnitude(spectra, smoothing_bins)
    if floor > 0 and bool(in_band.any()):
        magnitude = magnitude + floor * median(magnitude[..., in_band > 0])
    return in_band / (magnitude + SMALLEST) ** whitening


def to_unit_power(
    spectra: Complex[Tensor, "*batch freq"], in_band: Float[Tensor, "freq"]
) -> Complex[Tensor, "*batch freq"]:
    """Scaled so that the mean power in the band is 1: two identical channels then correlate to 1."""
    mean = power(spectra).sum(dim=-1, keepdim=True) / in_band.sum().clamp_min(1)
    return spectra / (mean + SMALLEST).sqrt()


def exact(like: Tensor) -> torch.autocast:
    """A context in which products stay as precise as their factors, though the network around may run in bfloat16."""
    return torch.autocast(like.device.type, enabled=False)


def power(spectra: Complex[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """Squared magnitude; quicker than abs(), and its gradient is finite at 0 too."""
    return spectra.real.square() + spectra.imag.square()


def fade(samples: int, sample_rate: float) -> Float[Tensor, "time"]:
    """1 in the middle, a raised cosine of 10 ms (5 % of a short window) at both ends."""
    count = int(min(FADE_S * sample_rate, FADE_SHARE * samples))
    envelope = torch.ones(samples)
    ramp = 0.5 - 0.5 * torch.cos(torch.pi * (torch.arange(count) + 0.5) / max(count, 1))
    envelope[:count] = ramp
    envelope[samples - count :] = ramp.flip(0)
    return envelope


def advance(
    spectra: Complex[Tensor, "*batch mic freq"], lateness_s: Float[Tensor, "mic"], *, sample_rate: float
) -> Complex[Tensor, "*batch mic freq"]:
    """The spectra of the same signals, each this many seconds earlier."""
    frequency = torch.linspace(0, sample_rate / 2, spectra.shape[-1], dtype=torch.float64)
    turns = 2 * torch.pi * frequency * lateness_s.double()[:, None]
    return spectra * torch.polar(torch.ones_like(turns), turns).to(spectra.dtype)


def _smoothed_magnitude(spectra: Complex[Tensor, "*batch freq"], width: int) -> Float[Tensor, "*batch freq"]:
    """Root mean square over `width` neighbouring bins."""
    odd = width // 2 * 2 + 1
    mean = torch.nn.functional.avg_pool1d(
        power(spectra).reshape(-1, 1, spectra.shape[-1]), odd, stride=1, padding=odd // 2, count_include_pad=False
    )
    return (mean + SMALLEST).sqrt().reshape(spectra.shape)


def band_mask(length: int, *, sample_rate: float, band_hz: tuple[float, float]) -> Float[Tensor, "freq"]:
    """1 for the bins of an rfft of `length` samples that lie in the band, 0 elsewhere (the mean is always left out)."""
    frequency = torch.fft.rfftfreq(length, 1 / sample_rate)
    return ((frequency >= max(band_hz[0], 1e-9)) & (frequency <= band_hz[1])).float()


def correlate(
    spectra: Complex[Tensor, "*batch mic freq"], pairs: Int[Tensor, "pair 2"], *, max_lag: int, bins: int
) -> Float[Tensor, "*batch pair lag"]:
    """R_ij at the lags -max_lag..max_lag of every pair; `bins` is the number of bins in the band."""
    cross = spectra[..., pairs[:, 0], :] * spectra.conj().resolve_conj()[..., pairs[:, 1], :]
    length = 2 * (spectra.shape[-1] - 1)
    circular = torch.fft.irfft(cross, n=length) * (length / (2 * max(bins, 1)))
    return torch.cat([circular[..., length - max_lag :], circular[..., : max_lag + 1]], dim=-1)


def upsample(correlation: Float[Tensor, "*batch lag"], factor: int) -> Float[Tensor, "*batch finelag"]:
    """The band-limited correlation at `factor` times as many lags; every factor-th value is the original."""
    if factor == 1:
        return correlation
    lags = correlation.shape[-1]
    blocks = -(-lags // BLOCK)
    flat = correlation.reshape(-1, lags)
    padded = torch.nn.functional.pad(flat, (TAPS_EACH_SIDE - 1, TAPS_EACH_SIDE + blocks * BLOCK - lags))
    rows = padded.unfold(-1, BLOCK + 2 * TAPS_EACH_SIDE - 1, BLOCK)
    fine = rows.flatten(0, 1) @ _interpolation(factor).to(correlation)
    return fine.view(len(flat), -1)[:, : factor * (lags - 1) + 1].reshape(*correlation.shape[:-1], -1)


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # a table first asked for there could not be used in training later
def _interpolation(factor: int) -> Float[Tensor, "tap finelag"]:
    """From BLOCK lags, and what the kernel needs beside them, to the finer lags: one product, quicker than a convolution."""
    kernel = interpolation_kernel(factor)
    matrix = torch.zeros(BLOCK + kernel.shape[1] - 1, BLOCK, factor)
    for lag in range(BLOCK):
        matrix[lag : lag + kernel.shape[1], lag] = kernel.T
    return matrix.flatten(1)


def interpolation_kernel(factor: int) -> Float[Tensor, "phase tap"]:
    """A Kaiser-windowed sinc for each of the `factor` fractions of a lag."""
    taps = torch.arange(1 - TAPS_EACH_SIDE, TAPS_EACH_SIDE + 1)
    distance = torch.arange(factor)[:, None] / factor - taps
    inside = (1 - (distance / TAPS_EACH_SIDE).square()).clamp_min(0).sqrt()
    beta = torch.tensor(KAISER_BETA)
    return torch.sinc(distance) * torch.special.i0(beta * inside) / torch.special.i0(beta)


def noise_level(bins: int | float) -> float:
    """Standard deviation of R_ij(tau) where the two channels share nothing: `bins` random phases, averaged.

    Zero-padding adds bins but no phases: count samples / padded length of them.
    """
    return (2 * bins) ** -0.5


def median(values: Float[Tensor, "*batch column"]) -> Float[Tensor, "*batch 1"]:
    """Of every row, the lower of the two in the middle of an even number; by numpy where that is ten times quicker."""
    if not values.is_cpu or values.requires_grad or values.dtype != torch.float32:
        return values.median(dim=-1, keepdim=True).values
    middle = (values.shape[-1] - 1) // 2
    return torch.from_numpy(np.partition(values.numpy(), middle, axis=-1)[..., middle, None])
