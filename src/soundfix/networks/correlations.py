"""From sound to what every pair has in common, with a learned mask and correction: for arrays of either kind.

likelihood.py has the networks that are learned here, and says what for. All between them is Fourier transforms, of PyTorch
while a network learns, of numpy where only its exported parts are run (onnx_runtime.py).
Axes: B batch, M microphones, P pairs, F bins, L lags.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from jaxtyping import Complex, Float, Int

from soundfix.resample import SAMPLE_RATE, TOP_HZ
from soundfix.signal import gcc
from soundfix.signal.arrays import Array, as_kind, namespace
from soundfix.signal.rumble import without_rumble
from soundfix.signal.stft import stft, unstft

Weighting = Literal["mask", "coherence", "none"]


@dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """Sizes of the likelihood head. frame, hop: samples of the spectrogram the mask is made for.

    partial: whitening and lowest frequency (Hz) of a second plain correlation; with it plain ones vote, and masks do not
    see rumble that is louder than the sound.
    """

    weighting: Weighting = "mask"
    frame: int = 1024
    hop: int = 256
    bins_a_band: int = 8  # the mask has one value for so many neighbouring bins
    mask_channels: int = 8
    lag_channels: int = 8
    lag_taps: int = 9
    lags_a_sample: int = 2
    band_hz: tuple[float, float] = (100.0, TOP_HZ)
    floor: float = 0.5  # of the whitening, as in gcc.py
    smoothing_hz: float = 10.0
    partial: tuple[float, float] | None = None


class Correlations(NamedTuple):
    """Of every pair: l_ij, what it was before mask and correction, and what strangers' would be.

    masked: what the mask alone says, where plain correlations vote in l_ij. passed: white spectra of what it lets through.
    """

    curves: Float[Array, "batch pair lag"]
    plain: Float[Array, "batch pair lag"]
    sigma: float
    partial: Float[Array, "batch pair lag"] | None = None
    masked: Float[Array, "batch pair lag"] | None = None
    passed: Complex[Array, "batch mic freq"] | None = None


class Reach(NamedTuple):
    """max_lag: samples either side of 0 that curves reach. lowest_hz: what is below was cut, and is not correlated."""

    max_lag: int
    lowest_hz: float = 0.0


class Agreed(NamedTuple):
    """Curves l_ij, and of those that vote the partially whitened one and what the mask alone says; None where none votes."""

    curves: Float[Array, "batch pair lag"]
    partial: Float[Array, "batch pair lag"] | None = None
    masked: Float[Array, "batch pair lag"] | None = None


class Learned(NamedTuple):
    """mask: from magnitudes (B, M, F, frames) and who hears anything to m(t, f), if there is one. agree: from correlations
    (B, P, masked and plain, L), the partially whitened ones if these vote, and sigma, to l_ij."""

    mask: Callable[[Array, Array], Array] | None
    agree: Callable[[Array, Array | None, float], Agreed]


def correlations(
    audio: Float[Array, "batch mic time"],
    pairs: Int[Array, "pair 2"],
    learned: Learned,
    config: HeadConfig,
    *,
    reach: Reach,
) -> Correlations:
    """What every pair has in common: plain whitened correlation, and what is learned of it."""
    spectra = gcc.padded_spectra(audio, pad=reach.max_lag)
    in_band, whiten = _whitening(spectra, config, 1.0, max(reach.lowest_hz, config.band_hz[0]))
    heard = [spectra] if learned.mask is None else [_passed(audio, learned.mask, config, reach.max_lag), spectra]
    white = [each * whiten for each in heard]
    curves = [_curves(each, in_band, pairs, config, max_lag=reach.max_lag) for each in white]
    sigma = gcc.noise_level(float(in_band.sum()) * audio.shape[-1] / (2 * (spectra.shape[-1] - 1)))
    partial = None
    if config.partial is not None:
        strength, usual_hz = config.partial
        in_band, whiten = _whitening(spectra, config, strength, max(reach.lowest_hz, usual_hz))
        partial = _curves(spectra * whiten, in_band, pairs, config, max_lag=reach.max_lag)
    agreed = learned.agree(namespace(audio).stack(curves, axis=2), partial, sigma)
    return Correlations(agreed.curves, curves[-1], sigma, agreed.partial, agreed.masked, white[0])


def _whitening(
    spectra: Complex[Array, "batch mic freq"], config: HeadConfig, strength: float, lowest_hz: float
) -> tuple[Float[Array, "freq"], Float[Array, "batch mic freq"]]:
    """Which bins are in the band from lowest_hz up, and what spectra are multiplied by there."""
    length = 2 * (spectra.shape[-1] - 1)
    in_band = as_kind(gcc.band_mask(length, sample_rate=SAMPLE_RATE, band_hz=(lowest_hz, config.band_hz[1])), spectra)
    smoothing = round(config.smoothing_hz * length / SAMPLE_RATE)
    return in_band, gcc.spectral_weights(spectra, in_band, strength, config.floor, smoothing)


def _curves(
    spectra: Complex[Array, "batch mic freq"],
    in_band: Float[Array, "freq"],
    pairs: Int[Array, "pair 2"],
    config: HeadConfig,
    *,
    max_lag: int,
) -> Float[Array, "batch pair lag"]:
    unit = gcc.to_unit_power(spectra, in_band)
    coarse = gcc.correlate(unit, pairs, max_lag=max_lag, bins=int(in_band.sum()))
    return gcc.upsample(coarse, config.lags_a_sample)


def _passed(
    audio: Float[Array, "batch mic time"], mask: Callable[[Array, Array], Array], config: HeadConfig, max_lag: int
) -> Complex[Array, "batch mic freq"]:
    """Spectra of the sound as the mask lets it through."""
    if config.partial:
        audio = without_rumble(audio, sample_rate=SAMPLE_RATE)
    spectrogram = stft(audio, config.frame, config.hop)
    magnitude = (gcc.power(spectrogram) + gcc.SMALLEST**2) ** 0.5
    passed = unstft(spectrogram * mask(magnitude, (audio != 0).any(axis=-1)), config.hop, samples=audio.shape[-1])
    return gcc.padded_spectra(passed, pad=max_lag)
