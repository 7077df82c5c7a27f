"""The likelihood head: how likely the source is at any point x, for any microphones anywhere (ours; not in the paper).

    log p(x) = beta / sqrt(P) * sum_ij  w_ij l_ij(tau_ij(x)) / sigma  + constant

l_ij(tau) is a learned correlation of pair (i, j) over lags, w_ij >= 0 the pair's gate, sigma what the correlation of
strangers would be (gcc.noise_level). A point is looked up only through its delays tau_ij(x), so the head needs no
retraining for another number or layout of microphones, and moving or turning the room changes nothing.

How l_ij comes about: each microphone's spectrogram gets a mask m_i(t, f) > 0 that says when and where the direct sound
speaks; the masked sound is correlated over the whole window with the whitening of the unmasked one, so every lag is
possible and a mask of 1 is generalized cross-correlation exactly; a small network over lags corrects the curve. The
paper's scalar weight is a special case: mask 1, gate c_ij^alpha (`weighting="coherence"`).

With `partial` the unmasked correlations keep a vote in each pair's curve, whatever the mask says (experts.py).

An untrained head is SRP-PHAT: masks are 1, corrections 0, gates 1. Masks grow from there.
Axes: B batch, M microphones, P pairs, K sources, T samples, L lags, N points. Delays have the sign of physics.py.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Complex, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from soundfix.networks.experts import Votes, in_deviations
from soundfix.physics import EXPLAINED_M
from soundfix.signal import gcc
from soundfix.signal.arrays import lower_median
from soundfix.signal.rumble import without_rumble

Weighting = Literal["mask", "coherence", "none"]
LARGEST_LOG_MASK = 4.0  # a moment counts up to e^4 times as much as another: 35 dB either way
USUAL = 5.0  # a pair's evidence at a source, in standard deviations of chance
QUIET = 0.01  # of the level: what is weaker is as good as silent to the mask
LAGS_AT_ONCE = 2**17  # of pairs that are corrected together where nothing is learned: so many stay near the processor
FIRST_SHARPNESS = 0.3  # beta: SRP-PHAT's standardized score times this is a fair log-likelihood


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
    band_hz: tuple[float, float] = (100.0, 7900.0)
    floor: float = 0.5  # of the whitening, as in gcc.py
    smoothing_hz: float = 10.0
    partial: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class PairLikelihoods:
    """What every pair says: curves over lags -max..max, lags_a_second apart, and its gate for each source.

    curves: 1 for identical channels, around 0 +- sigma for strangers. plain: the correlation that they were made of, without
    a mask; partial: a second one, whitened by a part only, if the head has it. gates: 0 where the pair is of no use.
    is_placed: both microphones are heard and known; the others' curves say nothing of a point. window_s: length of the
    sound that was correlated. passed: its spectra, white, as far as the mask lets them through.
    """

    curves: Float[Tensor, "batch pair lag"]
    plain: Float[Tensor, "batch pair lag"]
    gates: Float[Tensor, "batch source pair"]
    coherence: Float[Tensor, "batch pair"]
    is_placed: Bool[Tensor, "batch pair"]
    pairs: Int[Tensor, "pair 2"]
    lags_a_second: float
    sigma: float
    sharpness: Float[Tensor, ""]
    window_s: float
    partial: Float[Tensor, "batch pair lag"] | None = None
    passed: Complex[Tensor, "batch mic freq"] | None = None

    @property
    def unmasked(self) -> tuple[Float[Tensor, "batch pair lag"], ...]:
        """The curves without a mask that there are."""
        return (self.plain,) if self.partial is None else (self.plain, self.partial)

    @cached_property
    def scaled(self) -> tuple[Float[Tensor, "batch pair lag"], ...]:
        """The curves, then those without a mask: about 1 high at a source."""
        return tuple(each / (USUAL * self.sigma) for each in (self.curves, *self.unmasked))

    @cached_property
    def usual(self) -> tuple[Float[Tensor, "batch pair 1"], ...]:
        """How high the curves, then those without a mask, are anywhere."""
        return tuple(lower_median(each) for each in (self.curves, *self.unmasked))

    @property
    def physics(self) -> "PairLikelihoods":
        """The plain curves alone, all pairs alike: steered response power."""
        return replace(self, curves=self.plain, gates=torch.ones_like(self.gates[:, :1]))

    def at(
        self,
        points: Float[Tensor, "batch point 3"],
        positions_m: Float[Tensor, "batch mic 3"],
        speed_m_s: Float[Tensor, "batch"],
    ) -> Float[Tensor, "batch source point"]:
        """log p at these points, up to a constant."""
        tau_s = delays(points, positions_m, self.pairs, speed_m_s).where(self.is_placed[..., None], 0.0)
        evidence = look_up(self.curves, tau_s * self.lags_a_second)
        gates = self.gates * self.is_placed[:, None]
        pairs = (gates > 0).sum(dim=-1, keepdim=True).clamp_min(1)
        with gcc.exact(evidence):
            return self.sharpness * (gates.to(evidence.dtype) @ evidence) / (self.sigma * pairs**0.5)

    def without(
        self,
        places: Float[Tensor, "batch place 3"],
        is_there: Bool[Tensor, "batch place"],
        positions_m: Float[Tensor, "batch mic 3"],
        speed_m_s: Float[Tensor, "batch"],
    ) -> "PairLikelihoods":
        """The same as if these sources had not sounded: curves are at their usual height round the delays of each."""
        lags = delays(places, positions_m, self.pairs, speed_m_s).where(self.is_placed[..., None], 0.0)
        middle = (self.curves.shape[-1] - 1) / 2
        off = torch.arange(self.curves.shape[-1]).to(lags) - middle - (lags * self.lags_a_second)[..., None]
        near = off.abs() * speed_m_s[:, None, None, None] / self.lags_a_second < EXPLAINED_M
        is_explained = (near & is_there[:, None, :, None]).any(dim=2)
        curves, *unmasked = (
            torch.where(is_explained, usual, each)
            for usual, each in zip(self.usual, (self.curves, *self.unmasked), strict=True)
        )
        return replace(self, curves=curves, plain=unmasked[0], partial=unmasked[1] if len(unmasked) > 1 else None)


def delays(
    points: Float[Tensor, "batch point 3"],
    positions_m: Float[Tensor, "batch mic 3"],
    pairs: Int[Tensor, "pair 2"],
    speed_m_s: Float[Tensor, "batch"],
) -> Float[Tensor, "batch pair point"]:
    """tau_ij(x) in seconds."""
    ranges = (points[:, None] - positions_m[:, :, None]).norm(dim=-1)
    return (ranges[:, pairs[:, 0]] - ranges[:, pairs[:, 1]]) / speed_m_s[:, None, None]


def look_up(
    curves: Float[Tensor, "batch pair lag"], lags: Float[Tensor, "batch pair point"]
) -> Float[Tensor, "batch pair point"]:
    """The curves at these lags (0 in the middle), linear between, constant beyond the ends."""
    last = curves.shape[-1] - 1
    place = (lags + last / 2).clamp(0, last)
    below = place.floor().clamp_max(last - 1)
    left, right = (curves.gather(-1, below.long() + step) for step in (0, 1))
    return left + (place - below) * (right - left)


class EvenConv(nn.Conv2d):
    """A convolution over lags with mirror-symmetric taps: turning a pair round turns its curve round, and no more.

    Lags are the second of two spatial axes, the first has length 1: with the channels last that is nine times quicker
    than a convolution in one dimension (torch 2.13, CPU).
    """

    def __init__(self, inputs: int, outputs: int, taps: int) -> None:
        super().__init__(inputs, outputs, (1, taps), padding=(0, taps // 2))

    def forward(self, curves: Float[Tensor, "row channel 1 lag"]) -> Float[Tensor, "row output 1 lag"]:
        even = (self.weight + self.weight.flip(-1)) / 2
        return functional.conv2d(curves, even, self.bias, padding=self.padding)


def start_at_zero(layer: nn.Conv2d | nn.Linear) -> None:
    """What this layer says grows from nothing in training."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


class LagNetwork(nn.Module):
    """Three convolutions over lags that correct a correlation; 0 before training."""

    def __init__(self, inputs: int, channels: int, taps: int) -> None:
        super().__init__()
        self.first, self.second = EvenConv(inputs, channels, taps), EvenConv(channels, channels, taps)
        self.last = EvenConv(channels, 1, taps)
        start_at_zero(self.last)

    def forward(self, curves: Float[Tensor, "*batch input lag"]) -> Float[Tensor, "*batch lag"]:
        """The correction to each pair's curve."""
        rows = curves.flatten(0, -3)
        at_once = len(rows) if torch.is_grad_enabled() else max(1, LAGS_AT_ONCE // rows.shape[-1])
        return torch.cat([self._correction(some) for some in rows.split(at_once)]).unflatten(0, curves.shape[:-2])

    def _correction(self, rows: Float[Tensor, "row input lag"]) -> Float[Tensor, "row lag"]:
        rows = rows[:, :, None].contiguous(memory_format=torch.channels_last)
        for layer in (self.first, self.second):
            rows = functional.leaky_relu(layer(rows), inplace=True)
        return self.last(rows)[:, 0, 0]


class TimeFrequencyMask(nn.Module):
    """m(t, f) of every microphone, from its log spectrogram, that one's change over time, and its acoustic token.

    In the middle each hears the mean of all that are not silent (transform-average-concatenate, Luo et al. 2020).
    """

    def __init__(self, config: HeadConfig, width: int) -> None:
        super().__init__()
        c = config.mask_channels
        self.bins_a_band = config.bins_a_band
        self.first = nn.Conv2d(2, c, 5, padding=2)
        self.second = nn.Conv2d(c, c, 5, padding=(2, 4), dilation=(1, 2))
        self.together = nn.Conv2d(c, c, 1)
        self.third = nn.Conv2d(c, c, 5, padding=(4, 2), dilation=(2, 1))
        self.context = nn.Linear(width, c)
        self.last = nn.Conv2d(c, 1, 1)
        start_at_zero(self.together)
        start_at_zero(self.last)

    def forward(
        self,
        magnitude: Float[Tensor, "batch mic freq frame"],
        embedding: Float[Tensor, "batch mic width"],
        is_heard: Bool[Tensor, "batch mic"],
    ) -> Float[Tensor, "batch mic freq frame"]:
        """One positive number for every bin; 1 before training."""
        bins = magnitude.shape[2]
        features = self._features(magnitude.flatten(0, 1)).contiguous(
            memory_format=torch.channels_last
        )  # four times quicker on CPU
        hidden = self.first(features) + self.context(embedding.flatten(0, 1))[..., None, None]
        hidden = functional.leaky_relu(hidden, inplace=True)
        hidden = hidden + functional.leaky_relu(self.second(hidden), inplace=True)
        hidden = self._together(hidden, is_heard)
        hidden = hidden + functional.leaky_relu(self.third(hidden), inplace=True)
        log_mask = LARGEST_LOG_MASK * torch.tanh(self.last(hidden)[:, 0] / LARGEST_LOG_MASK)
        mask = log_mask.exp().repeat_interleave(self.bins_a_band, dim=1)[:, :bins]
        return mask.unflatten(0, is_heard.shape)

    def _together(
        self, hidden: Float[Tensor, "row channel band frame"], is_heard: Bool[Tensor, "batch mic"]
    ) -> Float[Tensor, "row channel band frame"]:
        """With what all hear added; 0 before training."""
        share = (is_heard / is_heard.sum(dim=1, keepdim=True).clamp_min(1)).to(hidden.dtype)
        apart = hidden.unflatten(0, is_heard.shape)
        mean = (share[..., None, None, None] * apart).sum(dim=1)
        return (apart + self.together(mean)[:, None]).flatten(0, 1)

    def _features(self, magnitude: Float[Tensor, "row freq frame"]) -> Float[Tensor, "row 2 band frame"]:
        """Log magnitude about its mean, in bands, and its change from the frame before."""
        level = (magnitude.square().mean(dim=(1, 2), keepdim=True) + gcc.SMALLEST).sqrt()
        log = functional.avg_pool1d(
            (magnitude / level + QUIET).log().transpose(1, 2), self.bins_a_band, ceil_mode=True
        ).transpose(1, 2)
        change = functional.pad(log.diff(dim=2), (1, 0))
        return torch.stack([(log - log.mean(dim=(1, 2), keepdim=True)) / 2, change], dim=1)


class Correlations(NamedTuple):
    """Of every pair: l_ij, what it was before mask and correction, and what strangers' would be.

    masked: what the mask alone says, where plain correlations vote in l_ij. passed: white spectra of what it lets through.
    """

    curves: Float[Tensor, "batch pair lag"]
    plain: Float[Tensor, "batch pair lag"]
    sigma: float
    partial: Float[Tensor, "batch pair lag"] | None = None
    masked: Float[Tensor, "batch pair lag"] | None = None
    passed: Complex[Tensor, "batch mic freq"] | None = None


class LikelihoodHead(nn.Module):
    """From sound to curves l_ij over lags."""

    window: Tensor

    def __init__(self, config: HeadConfig, *, width: int, sample_rate: float) -> None:
        super().__init__()
        self.config, self.sample_rate = config, sample_rate
        is_masked = config.weighting == "mask"
        self.mask = TimeFrequencyMask(config, width) if is_masked else None
        self.lag = LagNetwork(1 + is_masked, config.lag_channels, config.lag_taps)
        self.votes = Votes() if config.partial else None
        self.log_sharpness = nn.Parameter(torch.tensor(FIRST_SHARPNESS).log())
        self.register_buffer("window", torch.hann_window(config.frame), persistent=False)

    def forward(
        self,
        audio: Float[Tensor, "batch mic time"],
        embedding: Float[Tensor, "batch mic width"],
        pairs: Int[Tensor, "pair 2"],
        *,
        max_lag: int,
        lowest_hz: float = 0.0,
    ) -> Correlations:
        """At lags_a_sample * max_lag lags either side of 0; from lowest_hz up, or the band's own lower end."""
        spectra = gcc.padded_spectra(audio, pad=max_lag)
        in_band, whiten = self._whitening(spectra, 1.0, max(lowest_hz, self.config.band_hz[0]))
        heard = [spectra] if self.mask is None else [self._masked(audio, embedding, max_lag), spectra]
        white = [each * whiten for each in heard]
        curves = torch.stack([self._curves(each, in_band, pairs, max_lag) for each in white], dim=2)
        sigma = gcc.noise_level(float(in_band.sum()) * audio.shape[-1] / (2 * (spectra.shape[-1] - 1)))
        masked, plain = curves[:, :, 0] + sigma * self.lag(curves / (10 * sigma)), curves[:, :, -1]
        if self.votes is None or self.config.partial is None:
            return Correlations(masked, plain, sigma, passed=white[0])
        strength, usual_hz = self.config.partial
        in_band, whiten = self._whitening(spectra, strength, max(lowest_hz, usual_hz))
        partial = self._curves(spectra * whiten, in_band, pairs, max_lag)
        experts = in_deviations(torch.stack([masked, plain, partial], dim=2))
        return Correlations(sigma * self.votes(experts), plain, sigma, sigma * experts[:, :, -1], masked, white[0])

    def _whitening(self, spectra: Tensor, strength: float, lowest_hz: float) -> tuple[Tensor, Tensor]:
        """Which bins are in the band from lowest_hz up, and what spectra are multiplied by there."""
        band_hz = (lowest_hz, self.config.band_hz[1])
        mask = gcc.band_mask(2 * (spectra.shape[-1] - 1), sample_rate=self.sample_rate, band_hz=band_hz)
        in_band = torch.from_numpy(mask).to(spectra.real)
        smoothing = self._smoothing_bins(spectra)
        return in_band, gcc.spectral_weights(spectra, in_band, strength, self.config.floor, smoothing)

    @property
    def sharpness(self) -> Float[Tensor, ""]:
        return self.log_sharpness.exp()

    def _curves(self, spectra: Tensor, in_band: Tensor, pairs: Tensor, max_lag: int) -> Float[Tensor, "batch pair lag"]:
        unit = gcc.to_unit_power(spectra, in_band)
        coarse = gcc.correlate(unit, pairs, max_lag=max_lag, bins=int(in_band.sum()))
        return gcc.upsample(coarse, self.config.lags_a_sample)

    def _masked(self, audio: Tensor, embedding: Tensor, max_lag: int) -> Tensor:
        """Spectra of the sound as the mask lets it through."""
        assert self.mask is not None
        if self.config.partial:
            audio = without_rumble(audio, sample_rate=self.sample_rate)
        flat, frame, hop = audio.flatten(0, 1), self.config.frame, self.config.hop
        spectrogram = torch.stft(flat, frame, hop, window=self.window, pad_mode="constant", return_complex=True)
        magnitude = (gcc.power(spectrogram) + gcc.SMALLEST**2).sqrt().unflatten(0, audio.shape[:2])
        mask = self.mask(magnitude, embedding, audio.any(dim=-1)).flatten(0, 1)
        passed = torch.istft(spectrogram * mask, frame, hop, window=self.window, length=audio.shape[-1])
        return gcc.padded_spectra(passed.unflatten(0, audio.shape[:2]), pad=max_lag)

    def _smoothing_bins(self, spectra: Tensor) -> int:
        return round(self.config.smoothing_hz * 2 * (spectra.shape[-1] - 1) / self.sample_rate)


class PairGate(nn.Module):
    """w_ij of every source from the joint embedding of a pair: the same whichever microphone comes first; 1 untrained."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.sum, self.product, self.source = (nn.Linear(width, width) for _ in range(3))
        self.last = nn.Linear(width, 1)
        start_at_zero(self.last)

    def forward(
        self,
        microphones: Float[Tensor, "batch mic width"],
        pair_tokens: Float[Tensor, "batch pair width"],
        sources: Float[Tensor, "batch source width"],
        pairs: Int[Tensor, "pair 2"],
        is_useful: Bool[Tensor, "batch pair"],
    ) -> Float[Tensor, "batch source pair"]:
        """Twice a sigmoid, 0 where the pair is not useful."""
        first, second = microphones[:, pairs[:, 0]], microphones[:, pairs[:, 1]]
        joint = self.sum(first + second + pair_tokens) + self.product(first * second)
        hidden = functional.gelu(joint[:, None] + self.source(sources)[:, :, None])
        return 2 * self.last(hidden).squeeze(-1).sigmoid() * is_useful[:, None]
