"""How much two microphones hear the same thing: coherence, of arrays of either kind (arXiv 2505.20961).

    c_ij(f) = |g_ij(f)|^2 / (g_ii(f) g_jj(f))

g are power spectral densities by Welch's method: means over overlapping segments. Axes: B batch, M microphones, P pairs,
T samples, S segments, F bins.

With one segment the numerator equals the denominator and coherence is 1 whatever is heard: it says something only after
averaging, so one segment is refused. With S segments that share nothing it is about 1/S, not 0. A delay that is a large
part of a segment lowers it too: segments are 1024 samples where the sound is long enough, three at least.
The paper prints a sum over pairs; here pairs stay apart.

Measures (the paper's, and others to compare with): `magnitude_squared`; `magnitude`, its root; `phase`, the length of the
mean unit phasor of the cross-spectrum, blind to level; `short_time`, the mean over time of coherence within short runs of
segments, which sees moments of direct sound that the long mean washes out; `none`, 1 everywhere.
"""

from typing import Literal

import numpy as np
from jaxtyping import Complex, Float, Int, Shaped

from soundfix.errors import SceneError
from soundfix.signal.arrays import Array, conjugate, contiguous, frequencies, hann, namespace, of_kind, stretches
from soundfix.signal.gcc import exact, power

Measure = Literal["magnitude_squared", "magnitude", "phase", "short_time", "none"]
SEGMENT, FEWEST_SEGMENTS = 1024, 3  # samples; half of them overlap
SHORT_RUN = 4  # segments of one short-time coherence: at a hop of 512 and 16 kHz, 0.13 s
BAND_HZ = (100.0, 7000.0)  # averaged to one number a pair
SMALLEST = 1e-12  # relative to unit power: silence is incoherent, not NaN


def coherence(
    audio: Float[Array, "*batch mic time"],
    pairs: Int[Array, "pair 2"],
    *,
    sample_rate: float,
    measure: Measure = "magnitude_squared",
) -> Float[Array, "*batch pair"]:
    """One number in [0, 1] a pair: the mean over the band of this measure."""
    if measure == "none":
        return of_kind(np.ones((*audio.shape[:-2], len(pairs)), dtype=np.float32), audio)
    segment = segment_length(audio.shape[-1])
    segments = segment_spectra(audio, segment=segment)
    frequency = frequencies(segment, sample_rate, audio)
    inside = (frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1])
    if not bool(inside.any()):
        raise SceneError(
            f"segments of {segment} samples at {sample_rate:g} Hz have no bin between {BAND_HZ[0]:g} and {BAND_HZ[1]:g} Hz, "
            "wanted at least one for coherence: is the window too short?"
        )
    return MEASURES[measure](segments[..., inside], pairs).mean(axis=-1).clip(0, 1)


def segment_length(samples: int) -> int:
    """SEGMENT samples, or as many as still give FEWEST_SEGMENTS half-overlapping segments."""
    return min(SEGMENT, 2 * samples // (FEWEST_SEGMENTS + 1))


def segment_spectra(
    audio: Float[Array, "*batch mic time"], *, segment: int
) -> Complex[Array, "*batch mic segment freq"]:
    """Hann-windowed, half-overlapping segments of each channel at unit power, transformed.

    Raises SceneError where the sound holds one segment only.
    """
    count = (audio.shape[-1] - segment) // max(segment // 2, 1) + 1
    if segment < 2 or count < 2:
        raise SceneError(
            f"{audio.shape[-1]} samples make {max(count, 0)} segments of {segment} for coherence, wanted 2 or more: "
            "with one it is 1 whatever is heard; is the window too short?"
        )
    level = ((audio * audio).mean(axis=-1)[..., None] + SMALLEST) ** 0.5
    frames = stretches(audio / level, segment, segment // 2)
    return namespace(audio).fft.rfft(frames * hann(segment, audio))


def magnitude_squared(
    spectra: Complex[Array, "*batch mic segment freq"], pairs: Int[Array, "pair 2"]
) -> Float[Array, "*batch pair freq"]:
    """|g_ij|^2 / (g_ii g_jj). The means over segments of all pairs are three matrix products a frequency."""
    numbers = namespace(spectra)
    by_frequency = numbers.moveaxis(spectra, -1, -3) / spectra.shape[-2] ** 0.5
    real, imaginary = contiguous(by_frequency.real), contiguous(by_frequency.imag)
    with exact(real):
        turned = numbers.swapaxes(real, -1, -2)
        in_phase = real @ turned + imaginary @ numbers.swapaxes(imaginary, -1, -2)
        mixed = imaginary @ turned
    twisted = mixed - numbers.swapaxes(mixed, -1, -2)
    squared = in_phase * in_phase + twisted * twisted
    level = numbers.diagonal(in_phase, 0, -2, -1)
    values = squared / (level[..., :, None] * level[..., None, :] + SMALLEST)
    return numbers.moveaxis(values[..., pairs[:, 0], pairs[:, 1]], -2, -1)


def magnitude(
    spectra: Complex[Array, "*batch mic segment freq"], pairs: Int[Array, "pair 2"]
) -> Float[Array, "*batch pair freq"]:
    """|g_ij| / sqrt(g_ii g_jj): the root of magnitude_squared."""
    return (magnitude_squared(spectra, pairs) + SMALLEST) ** 0.5


def phase(
    spectra: Complex[Array, "*batch mic segment freq"], pairs: Int[Array, "pair 2"]
) -> Float[Array, "*batch pair freq"]:
    """|mean over segments of X_i conj(X_j) / |X_i X_j||: how steady the phase difference is."""
    cross, _, _ = _densities(spectra, pairs)
    phasor = cross / (power(cross) + SMALLEST**2) ** 0.5
    return (power(phasor.mean(axis=-2)) + SMALLEST) ** 0.5


def short_time(
    spectra: Complex[Array, "*batch mic segment freq"], pairs: Int[Array, "pair 2"]
) -> Float[Array, "*batch pair freq"]:
    """Mean over time of the magnitude-squared coherence within runs of SHORT_RUN segments."""
    run = min(SHORT_RUN, spectra.shape[-2])
    cross, first, second = (_running_mean(density, run) for density in _densities(spectra, pairs))
    return (power(cross) / (first * second + SMALLEST)).mean(axis=-2)


MEASURES = {"magnitude_squared": magnitude_squared, "magnitude": magnitude, "phase": phase, "short_time": short_time}


def _densities(
    spectra: Complex[Array, "*batch mic segment freq"], pairs: Int[Array, "pair 2"]
) -> tuple[Array, Array, Array]:
    """X_i conj(X_j), |X_i|^2 and |X_j|^2 of every pair and segment."""
    first, second = spectra[..., pairs[:, 0], :, :], spectra[..., pairs[:, 1], :, :]
    return first * conjugate(second), power(first), power(second)


def _running_mean(values: Shaped[Array, "*batch segment freq"], run: int) -> Array:
    numbers = namespace(values)
    return numbers.moveaxis(stretches(numbers.moveaxis(values, -2, -1), run, 1).mean(axis=-1), -1, -2)
