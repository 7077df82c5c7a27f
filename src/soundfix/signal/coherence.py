"""How much two microphones hear the same thing: coherence, and its use as a weight (ASCM, arXiv 2505.20961).

    c_ij(f) = |g_ij(f)|^2 / (g_ii(f) g_jj(f)),        f_ij <- c_ij^alpha f_ij,   alpha >= 0 learned

g are power spectral densities by Welch's method: means over overlapping segments. Axes: B batch, M microphones, P pairs,
T samples, S segments, F bins.

With one segment the numerator equals the denominator and coherence is 1 whatever is heard: it says something only after
averaging, so one segment is refused. With S segments that share nothing it is about 1/S, not 0. A delay that is a large
part of a segment lowers it too: segments are 1024 samples where the sound is long enough, three at least.
The paper prints a sum over pairs; here pairs stay apart. alpha = 0 is no weighting, bit for bit: every weight is 1.

Measures (the paper's, and others to compare with): `magnitude_squared`; `magnitude`, its root; `phase`, the length of the
mean unit phasor of the cross-spectrum, blind to level; `short_time`, the mean over time of coherence within short runs of
segments, which sees moments of direct sound that the long mean washes out; `none`, 1 everywhere.
"""

from typing import Literal

import torch
from jaxtyping import Complex, Float, Int, Shaped
from torch import Tensor, nn

from soundfix.errors import SceneError
from soundfix.signal.gcc import exact, power

Measure = Literal["magnitude_squared", "magnitude", "phase", "short_time", "none"]
SEGMENT, FEWEST_SEGMENTS = 1024, 3  # samples; half of them overlap
SHORT_RUN = 4  # segments of one short-time coherence: at a hop of 512 and 16 kHz, 0.13 s
BAND_HZ = (100.0, 7000.0)  # averaged to one number a pair
SMALLEST = 1e-12  # relative to unit power: silence is incoherent, not NaN


def coherence(
    audio: Float[Tensor, "*batch mic time"],
    pairs: Int[Tensor, "pair 2"],
    *,
    sample_rate: float,
    measure: Measure = "magnitude_squared",
) -> Float[Tensor, "*batch pair"]:
    """One number in [0, 1] a pair: the mean over the band of this measure."""
    if measure == "none":
        return audio.new_ones((*audio.shape[:-2], len(pairs)))
    segment = segment_length(audio.shape[-1])
    segments = segment_spectra(audio, segment=segment)
    frequency = torch.fft.rfftfreq(segment, 1 / sample_rate, device=audio.device)
    inside = (frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1])
    if not bool(inside.any()):
        raise SceneError(
            f"segments of {segment} samples at {sample_rate:g} Hz have no bin between {BAND_HZ[0]:g} and {BAND_HZ[1]:g} Hz, "
            "wanted at least one for coherence: is the window too short?"
        )
    return MEASURES[measure](segments[..., inside], pairs).mean(dim=-1).clamp(0, 1)


def segment_length(samples: int) -> int:
    """SEGMENT samples, or as many as still give FEWEST_SEGMENTS half-overlapping segments."""
    return min(SEGMENT, 2 * samples // (FEWEST_SEGMENTS + 1))


def segment_spectra(
    audio: Float[Tensor, "*batch mic time"], *, segment: int
) -> Complex[Tensor, "*batch mic segment freq"]:
    """Hann-windowed, half-overlapping segments of each channel at unit power, transformed.

    Raises SceneError where the sound holds one segment only.
    """
    count = (audio.shape[-1] - segment) // max(segment // 2, 1) + 1
    if segment < 2 or count < 2:
        raise SceneError(
            f"{audio.shape[-1]} samples make {max(count, 0)} segments of {segment} for coherence, wanted 2 or more: "
            "with one it is 1 whatever is heard; is the window too short?"
        )
    level = (audio.square().mean(dim=-1, keepdim=True) + SMALLEST).sqrt()
    frames = (audio / level).unfold(-1, segment, segment // 2)
    return torch.fft.rfft(frames * torch.hann_window(segment, device=audio.device, dtype=audio.dtype))


def magnitude_squared(
    spectra: Complex[Tensor, "*batch mic segment freq"], pairs: Int[Tensor, "pair 2"]
) -> Float[Tensor, "*batch pair freq"]:
    """|g_ij|^2 / (g_ii g_jj). The means over segments of all pairs are three matrix products a frequency."""
    by_frequency = spectra.movedim(-1, -3) / spectra.shape[-2] ** 0.5
    real, imaginary = by_frequency.real.contiguous(), by_frequency.imag.contiguous()
    with exact(real):
        in_phase, mixed = real @ real.mT + imaginary @ imaginary.mT, imaginary @ real.mT
    squared = in_phase.square() + (mixed - mixed.mT).square()
    level = in_phase.diagonal(dim1=-2, dim2=-1)
    values = squared / (level[..., :, None] * level[..., None, :] + SMALLEST)
    return values[..., pairs[:, 0], pairs[:, 1]].movedim(-2, -1)


def magnitude(
    spectra: Complex[Tensor, "*batch mic segment freq"], pairs: Int[Tensor, "pair 2"]
) -> Float[Tensor, "*batch pair freq"]:
    """|g_ij| / sqrt(g_ii g_jj): the root of magnitude_squared."""
    return (magnitude_squared(spectra, pairs) + SMALLEST).sqrt()


def phase(
    spectra: Complex[Tensor, "*batch mic segment freq"], pairs: Int[Tensor, "pair 2"]
) -> Float[Tensor, "*batch pair freq"]:
    """|mean over segments of X_i conj(X_j) / |X_i X_j||: how steady the phase difference is."""
    cross, _, _ = _densities(spectra, pairs)
    phasor = cross / (power(cross) + SMALLEST**2).sqrt()
    return (power(phasor.mean(dim=-2)) + SMALLEST).sqrt()


def short_time(
    spectra: Complex[Tensor, "*batch mic segment freq"], pairs: Int[Tensor, "pair 2"]
) -> Float[Tensor, "*batch pair freq"]:
    """Mean over time of the magnitude-squared coherence within runs of SHORT_RUN segments."""
    run = min(SHORT_RUN, spectra.shape[-2])
    cross, first, second = (_running_mean(density, run) for density in _densities(spectra, pairs))
    return (power(cross) / (first * second + SMALLEST)).mean(dim=-2)


MEASURES = {"magnitude_squared": magnitude_squared, "magnitude": magnitude, "phase": phase, "short_time": short_time}


def _densities(
    spectra: Complex[Tensor, "*batch mic segment freq"], pairs: Int[Tensor, "pair 2"]
) -> tuple[Tensor, Tensor, Tensor]:
    """X_i conj(X_j), |X_i|^2 and |X_j|^2 of every pair and segment."""
    first, second = spectra[..., pairs[:, 0], :, :], spectra[..., pairs[:, 1], :, :]
    return first * second.conj(), power(first), power(second)


def _running_mean(values: Shaped[Tensor, "*batch segment freq"], run: int) -> Tensor:
    return values.unfold(-2, run, 1).mean(dim=-1)


class AdaptiveCoherenceWeight(nn.Module):
    """ASCM: features of pair ij times c_ij^alpha, with one learned alpha >= 0 (the magnitude of the stored number).

    Started at exactly 0 it stays there: that is ASCM switched off. learns False: alpha stays what it is.
    """

    signed_alpha: Tensor

    def __init__(self, alpha: float = 1.0, *, learns: bool = True) -> None:
        super().__init__()
        start = torch.tensor(alpha)
        if learns:
            self.signed_alpha = nn.Parameter(start)
        else:
            self.register_buffer("signed_alpha", start)

    @property
    def alpha(self) -> Float[Tensor, ""]:
        return self.signed_alpha.abs()

    def weight(self, coherence: Float[Tensor, "*batch pair"]) -> Float[Tensor, "*batch pair"]:
        """c_ij^alpha; exactly 1 for alpha = 0."""
        return coherence.clamp_min(SMALLEST) ** self.alpha

    def forward(
        self, features: Float[Tensor, "*batch pair lag"], coherence: Float[Tensor, "*batch pair"]
    ) -> Float[Tensor, "*batch pair lag"]:
        """The weighted features."""
        return features * self.weight(coherence)[..., None]
