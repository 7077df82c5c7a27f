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

from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from soundfix.networks.correlations import Agreed, Correlations, HeadConfig, Learned, Reach, correlations
from soundfix.networks.experts import Votes, in_deviations
from soundfix.signal import gcc

LARGEST_LOG_MASK = 4.0  # a moment counts up to e^4 times as much as another: 35 dB either way
QUIET = 0.01  # of the level: what is weaker is as good as silent to the mask
LAGS_AT_ONCE = 2**17  # of pairs that are corrected together where nothing is learned: so many stay near the processor
FIRST_SHARPNESS = 0.3  # beta: SRP-PHAT's standardized score times this is a fair log-likelihood


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
        if torch.is_grad_enabled():
            return self._correction(rows).unflatten(0, curves.shape[:-2])
        at_once = max(1, LAGS_AT_ONCE // rows.shape[-1])
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
        is_heard: Bool[Tensor, "batch mic"],
        embedding: Float[Tensor, "batch mic width"],
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


class LikelihoodHead(nn.Module):
    """From sound to curves l_ij over lags."""

    def __init__(self, config: HeadConfig, *, width: int) -> None:
        super().__init__()
        self.config = config
        is_masked = config.weighting == "mask"
        self.mask = TimeFrequencyMask(config, width) if is_masked else None
        self.lag = LagNetwork(1 + is_masked, config.lag_channels, config.lag_taps)
        self.votes = Votes() if config.partial else None
        self.log_sharpness = nn.Parameter(torch.tensor(FIRST_SHARPNESS).log())

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
        own = None if self.mask is None else partial(self.mask, embedding=embedding)
        learned = Learned(own, self.agree)
        return correlations(audio, pairs, learned, self.config, reach=Reach(max_lag, lowest_hz))

    def agree(
        self,
        curves: Float[Tensor, "batch pair kind lag"],
        weighted: Float[Tensor, "batch pair lag"] | None,
        sigma: float | Float[Tensor, ""],
    ) -> Agreed:
        """l_ij from masked and plain correlations, and from the partially whitened ones, if these vote."""
        masked, plain = curves[:, :, 0] + sigma * self.lag(curves / (10 * sigma)), curves[:, :, -1]
        if self.votes is None:
            return Agreed(masked)
        assert weighted is not None
        experts = in_deviations(torch.stack([masked, plain, weighted], dim=2))
        return Agreed(sigma * self.votes(experts), sigma * experts[:, :, -1], masked)

    @property
    def sharpness(self) -> Float[Tensor, ""]:
        return self.log_sharpness.exp()


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
