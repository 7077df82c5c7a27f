"""The three streams of the figure of arXiv 2505.20961, box by box.

Acoustic stream: AcousticEmbedding. Coordinate stream: PositionEncoder, AudioTdoaEncoder (ASCM is in coherence.py, NGCC-PHAT
in ngcc.py). Joint stream: Fusion, PairTokens, then the masked autoencoder (autoencoder.py) and PositionDecoder.

Two frames of reference, `frame` in the configuration:

- "room", the paper's: coordinates go through an MLP and come out of one. The network learns one room by heart; it
  does not know that a turned room is the same room.
- "array", ours: only distances between microphones go in, and positions come out as weighted sums of microphone positions.
  Nothing changes when the room is moved or turned, so a network trained in many rooms works in others.

Axes: B batch, M microphones, P pairs, K sources, L lags, D width. Positions are metres from a common origin.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from soundfix.networks.attention import CrossAttention
from soundfix.networks.masking import MaskEmbedding
from soundfix.networks.pooling import highest_of

DISTANCES_M = (0.1, 60.0)  # the range in which distances are told apart, on a logarithmic scale
DISTANCE_FEATURES = 24
FIRST_STRENGTH = 0.5  # of a microphone's pull on its own token, before training


def two_layers(inputs: int, width: int, outputs: int) -> nn.Sequential:
    """The two-layer MLP of the paper."""
    return nn.Sequential(nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, outputs))


class AcousticEmbedding(nn.Module):
    """semb_m: the encoder's mean token of each microphone, brought to width D (what is learned beside a frozen encoder)."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(features), nn.Linear(features, width)

    def forward(self, features: Float[Tensor, "batch mic feature"]) -> Float[Tensor, "batch mic width"]:
        """semb of every microphone."""
        return self.linear(self.norm(features))


class PositionEncoder(nn.Module):
    """pemb_m by a two-layer MLP on coordinates (frame "room"); a learned token where the position is unknown."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers, self.unknown = two_layers(3, width, width), MaskEmbedding(width)

    def forward(
        self, positions: Float[Tensor, "batch mic 3"], is_known: Bool[Tensor, "batch mic"]
    ) -> Float[Tensor, "batch mic width"]:
        """pemb of every microphone; positions in normalised coordinates."""
        return self.unknown(self.layers(positions), ~is_known)


class ShapeEncoder(nn.Module):
    """pemb_m from the distances to the other known microphones (frame "array"): the mean of what each distance says."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.distance, self.layers = DistanceEncoder(width), two_layers(width, width, width)
        self.unknown = MaskEmbedding(width)

    def forward(
        self, positions_m: Float[Tensor, "batch mic 3"], is_known: Bool[Tensor, "batch mic"]
    ) -> Float[Tensor, "batch mic width"]:
        """pemb of every microphone."""
        said = self.distance(distances(positions_m))
        other = is_known[:, None] & ~torch.eye(is_known.shape[1], dtype=torch.bool, device=is_known.device)
        mean = (said * other[..., None]).sum(dim=2) / other.sum(dim=2, keepdim=True).clamp_min(1)
        return self.unknown(self.layers(mean), ~is_known)


class DistanceEncoder(nn.Module):
    """A distance (m) as bumps on a logarithmic scale, then a linear layer."""

    centres: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        low, high = (math.log(distance) for distance in DISTANCES_M)
        self.register_buffer("centres", torch.linspace(low, high, DISTANCE_FEATURES), persistent=False)
        self.spacing = (high - low) / (DISTANCE_FEATURES - 1)
        self.linear = nn.Linear(DISTANCE_FEATURES, width)

    def forward(self, distances_m: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch width"]:
        """The embedding of every distance."""
        log = distances_m.clamp(*DISTANCES_M).log()
        return self.linear(torch.exp(-0.5 * ((log[..., None] - self.centres) / self.spacing) ** 2))


def distances(positions_m: Float[Tensor, "batch mic 3"]) -> Float[Tensor, "batch mic mic"]:
    """Between all microphones; the gradient is finite at 0 too."""
    gaps = positions_m[:, :, None] - positions_m[:, None]
    return (gaps.square().sum(dim=-1) + 1e-12).sqrt()


class AudioTdoaEncoder(nn.Module):
    """remb_ij: one layer on the weighted correlation of a pair, the loudest of `pooled` neighbouring lags.

    blurs: to the correlation is added what Gaussians of these standard deviations (lags) make of it, a single peak at the
    same norm, so that what is learned of one lag holds for its neighbours too.
    """

    blurred: Tensor | None

    def __init__(self, lags: int, width: int, *, pooled: int, blurs: tuple[float, ...] = ()) -> None:
        super().__init__()
        self.register_buffer("blurred", blurring(lags, blurs) if blurs else None, persistent=False)
        self.pooled = pooled
        size = self._loudest(torch.zeros(1, 1, lags)).shape[-1]
        self.linear = nn.Linear(size, width)

    def forward(self, correlations: Float[Tensor, "batch pair lag"]) -> Float[Tensor, "batch pair width"]:
        """remb of every directed pair."""
        return self.linear(self._loudest(correlations if self.blurred is None else correlations @ self.blurred))

    def _loudest(self, curves: Float[Tensor, "batch pair lag"]) -> Float[Tensor, "batch pair stretch"]:
        """Of neighbouring lags."""
        if self.pooled == 1:
            return curves
        return highest_of(curves, self.pooled, stride=self.pooled, beyond=self.pooled // 2)


def blurring(lags: int, blurs: tuple[float, ...]) -> Float[Tensor, "lag lag"]:
    """What a correlation is multiplied with: the identity, and a Gaussian of every standard deviation (lags), of norm 1."""
    gaps = torch.arange(lags)[:, None] - torch.arange(lags)
    kernels = [torch.exp(-0.5 * (gaps / each) ** 2) for each in blurs]
    return sum((k / k.norm(dim=1).max() for k in kernels), torch.eye(lags))


class Fusion(nn.Module):
    """f_fuse = LayerNorm(semb + f_a2p): cross-attention of each sound to all known positions; then the microphone's own.

    The paper's equation would let a microphone forget where it stands: pemb_m is added to token m again.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention, self.norm = CrossAttention(width, heads), nn.LayerNorm(width)

    def forward(
        self,
        semb: Float[Tensor, "batch mic width"],
        pemb: Float[Tensor, "batch mic width"],
        is_known: Bool[Tensor, "batch mic"],
    ) -> Float[Tensor, "batch mic width"]:
        """f_fuse of every microphone."""
        return self.norm(semb + self.attention(semb, pemb, key_mask=is_known).values) + pemb


class PairTokens(nn.Module):
    """Keys and values of the sparse cross-attention: remb_ij and both fused tokens, so that a pair knows where it stands.

    In frame "array", where tokens know no coordinates, the distance between the two is added. is_deep: a layer follows, so
    that what a delay says may depend on whose it is; without it a value is a sum of what the delay and the places say.
    """

    def __init__(self, width: int, *, knows_distance: bool, is_deep: bool = False) -> None:
        super().__init__()
        self.first, self.second, self.norm = nn.Linear(width, width), nn.Linear(width, width), nn.LayerNorm(width)
        self.distance = DistanceEncoder(width) if knows_distance else None
        self.layer = nn.Sequential(nn.GELU(), nn.Linear(width, width), nn.GELU()) if is_deep else nn.Identity()

    def forward(
        self,
        remb: Float[Tensor, "batch pair width"],
        fused: Float[Tensor, "batch mic width"],
        pairs: Int[Tensor, "pair 2"],
        spacing_m: Float[Tensor, "batch pair"],
        is_placed: Bool[Tensor, "batch pair"],
    ) -> Float[Tensor, "batch pair width"]:
        """The token of every directed pair; spacing_m counts where both positions are known (is_placed)."""
        tokens = remb + self.first(fused)[:, pairs[:, 0]] + self.second(fused)[:, pairs[:, 1]]
        if self.distance is not None:
            tokens = tokens + self.distance(spacing_m) * is_placed[..., None]
        return self.layer(self.norm(tokens))


class PositionDecoder(nn.Module):
    """Two layers from a coordinate token to normalised coordinates (frame "room")."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = two_layers(width, width, 3)

    def forward(
        self, tokens: Float[Tensor, "batch token width"], microphones: "DecodedMicrophones"
    ) -> Float[Tensor, "batch token 3"]:
        """One place for every token."""
        return self.layers(tokens)


class BarycentricDecoder(nn.Module):
    """Each token's place as the microphones' centre plus a weighted sum of their offsets from it (frame "array").

    A weight is how alike the token and the microphone's token are after one and the same mapping (a kernel), so that a
    microphone is near itself from the start. Weights may be negative: with four microphones that span the room every
    point of it can be reached. pemb_m is added again: what does not change from sound to sound is easiest to learn by.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.likeness = nn.Sequential(two_layers(width, width, width), nn.LayerNorm(width))
        self.norm = nn.LayerNorm(width)
        self.strength = nn.Parameter(torch.tensor(FIRST_STRENGTH))

    def forward(
        self, tokens: Float[Tensor, "batch token width"], microphones: "DecodedMicrophones"
    ) -> Float[Tensor, "batch token 3"]:
        """One place for every token; it moves and turns with the positions."""
        known = microphones.is_known[:, None].to(tokens.dtype)
        centre = known @ microphones.positions / known.sum(dim=-1, keepdim=True).clamp_min(1)
        keys = self.likeness(microphones.tokens + self.norm(microphones.pemb))
        likeness = self.likeness(tokens) @ keys.transpose(1, 2) / tokens.shape[-1]
        return centre + (self.strength * likeness * known) @ (microphones.positions - centre)


class DecodedMicrophones(NamedTuple):
    """What a position decoder may use: microphones' decoded tokens, pemb, and positions where they are known."""

    tokens: Float[Tensor, "batch mic width"]
    pemb: Float[Tensor, "batch mic width"]
    positions: Float[Tensor, "batch mic 3"]
    is_known: Bool[Tensor, "batch mic"]
