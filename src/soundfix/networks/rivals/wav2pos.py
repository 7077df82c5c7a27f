"""wav2pos: a masked autoencoder over sounds and coordinates (Berg et al., arXiv 2408.15771).

    visible coordinates, visible sounds - encoder - hidden ones put back as learned tokens - decoder - all of them

A token is a coordinate of a source (hidden, unless it is told) or of a microphone, or the sound of a microphone: the
middle 2048 samples, standardised. In the decoder, coordinate token m also gets a projection of sound token m, and the
reverse. A place comes out of three things: the decoded coordinate token; the highest, number by number, of all tokens the
encoder saw; and the highest over all pairs of microphones of an MLP on (token_i, token_j, correlation of i and j). The
correlation is NGCC-PHAT's (ngcc.py), trained before and frozen. A microphone that is not heard has no tokens.

The published encoder is not given the hidden tokens. Here nobody looks at them there (the attention's key mask) and the
decoder puts learned ones in their place: the same numbers, and batches stay dense. Loss: 0.1 times the mean squared
error of the visible sounds, and 1 times that of hidden coordinates (sources in their best order), a coordinate.

Departures: layer norm where the published network has batch norm, into which padded and hidden tokens would leak; roots of
probabilities (ngcc.lag_amplitudes) for logits, whose common level batch norm would take away; a source has no sound of
its own to be projected. Coordinates are in units of one room: mean and spread along each axis of
the sources it is trained on (normalize_to). Nothing is said of speed and box. Several sources
are an addition of ours: a learned token each. Published: 9.8 M weights beside NGCC-PHAT; ours 9.8 M.
Axes: B batch, M microphones, K sources, P pairs, N tokens, T samples, L lags, D width.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from pydantic import ConfigDict
from torch import Tensor, nn
from torch.nn import functional

from soundfix.errors import CheckpointError
from soundfix.networks.autoencoder import Stack
from soundfix.networks.encoders.ngcc import Ngcc, NgccConfig, lag_amplitudes
from soundfix.networks.frozen import Frozen
from soundfix.networks.losses import best_order, position_loss, sound_loss
from soundfix.networks.masking import MaskEmbedding, TokenMask, hide_nothing
from soundfix.networks.model import LEVEL, NOTHING, ROOM_SCALE_M, Windows, all_pairs, both_ways, frame_of, levelled
from soundfix.networks.rivals.interface import COORDINATES, DecodedPlaces, Truths, prepared
from soundfix.networks.streams import two_layers
from soundfix.networks.windows import told_slots
from soundfix.resample import SAMPLE_RATE
from soundfix.signal import gcc

FIRST_SPREAD = 0.02  # of learned tokens, as published
SOUND_WEIGHT = 0.1  # lambda of the sounds; that of coordinates is 1


@dataclass(frozen=True, kw_only=True)
class Wav2posConfig:
    """Published sizes. samples: of a sound token. reach_lags: samples either side of the correlation.

    place_width, pair_width, head_widths: hidden layers of the MLPs on coordinates, on pairs, and of the heads.
    ngcc None: the published one.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    sources: int = 1
    samples: int = 2048
    width: int = 256
    heads: int = 4
    encoder_blocks: int = 4
    decoder_blocks: int = 4
    ratio: int = 4
    place_width: int = 64
    pair_width: int = 512
    head_widths: tuple[int, int] = (512, 256)
    reach_lags: int = 314
    ngcc: NgccConfig | None = None

    def __post_init__(self) -> None:
        if self.sources < 1 or self.width % self.heads:
            raise CheckpointError(
                f"{self.sources} sources, width {self.width} and {self.heads} heads, wanted a source or more "
                "and a width that the heads can share"
            )


class Predicted(NamedTuple):
    """Everything that was predicted: places in normalised coordinates, sounds standardised."""

    sources: Float[Tensor, "batch source 3"]
    microphones: Float[Tensor, "batch mic 3"]
    sounds: Float[Tensor, "batch mic time"]


class Visible(NamedTuple):
    """What the network is given: standardised sounds, normalised places, and which of them it may see.

    told: normalised places of sources, NaN where they are sought.
    """

    sounds: Float[Tensor, "batch mic time"]
    places: Float[Tensor, "batch mic 3"]
    told: Float[Tensor, "batch source 3"]
    is_heard: Bool[Tensor, "batch mic"]
    has_place: Bool[Tensor, "batch mic"]
    has_sound: Bool[Tensor, "batch mic"]

    @property
    def is_told(self) -> Bool[Tensor, "batch source"]:
        return self.told.isfinite().all(dim=-1)


class Wav2pos(nn.Module):
    """The network of one configuration, randomly initialised. origin_m, scale_m: of normalised coordinates (metres).

    error_m: standard error of an answer along an axis.
    """

    origin_m: Tensor
    scale_m: Tensor
    error_m: Tensor

    def __init__(self, config: Wav2posConfig) -> None:
        super().__init__()
        c, d = config, config.width
        self.config = config
        self.ngcc = Ngcc(c.ngcc or NgccConfig())
        self.embed_sound, self.embed_place = nn.Linear(c.samples, d), two_layers(COORDINATES, c.place_width, d)
        self.encoder_kinds, self.decoder_kinds = _learned(2, d), _learned(2, d)  # of a place, of a sound
        self.encoder = Stack(d, c.heads, blocks=c.encoder_blocks, ratio=c.ratio)
        self.to_decoder = nn.Linear(d, d)
        self.source_slots = _learned(c.sources, d)
        self.hidden_place, self.hidden_sound = MaskEmbedding(d), MaskEmbedding(d)
        self.place_of_sound = nn.Sequential(
            nn.Linear(d, d), nn.LayerNorm(d), nn.GELU(), nn.Linear(d, d), nn.LayerNorm(d)
        )
        self.sound_of_place = nn.Sequential(nn.Linear(d, d), nn.LayerNorm(d))
        self.decoder = Stack(d, c.heads, blocks=c.decoder_blocks, ratio=c.ratio)
        self.all_seen, self.all_pairs = nn.Linear(d, d), LoudestPair(d, 2 * c.reach_lags + 1, c.pair_width)
        self.source_head, self.microphone_head = (_head(3 * d, c.head_widths) for _ in range(2))
        self.sound_head = nn.Linear(d, c.samples)
        self.register_buffer("origin_m", torch.zeros(COORDINATES))
        self.register_buffer("scale_m", torch.full((COORDINATES,), ROOM_SCALE_M))
        self.register_buffer("error_m", torch.tensor(ROOM_SCALE_M))
        self.ngcc.requires_grad_(False).eval()

    def forward(
        self,
        windows: Windows,
        box_m: Float[Tensor, "batch 2 3"],
        *,
        speed_m_s: Float[Tensor, "batch"] | None = None,
        frozen: Frozen = NOTHING,
    ) -> DecodedPlaces:
        """Sources, and microphones: as given where they are known, as found where they are not."""
        visible = self.visible(windows, hide_nothing(windows.is_heard))
        decoded = self.decode(visible, frozen)
        microphones = torch.where(visible.has_place[..., None], visible.places, decoded.microphones)
        return DecodedPlaces(sources_m=self._metres(decoded.sources), microphones_m=self._metres(microphones))

    def loss_terms(
        self,
        windows: Windows,
        box_m: Float[Tensor, "batch 2 3"],
        truth: Truths,
        *,
        speed_m_s: Float[Tensor, "batch"] | None = None,
        frozen: Frozen = NOTHING,
    ) -> dict[str, Float[Tensor, ""]]:
        """Squared errors: of visible sounds, of microphones whose position is hidden or unknown, of sources."""
        visible = self.visible(windows, TokenMask(truth.hides_sound, truth.hides_position))
        decoded = self.decode(visible, frozen)
        sources, is_there = best_order(decoded.sources, self._normalised(truth.sources_m), truth.is_there)
        microphones = self._normalised(truth.microphones_m)
        is_sought = visible.is_heard & ~visible.has_place & truth.microphones_m.isfinite().all(dim=-1)
        return {
            "sound": SOUND_WEIGHT * sound_loss(decoded.sounds, visible.sounds, visible.has_sound),
            "microphones": position_loss(decoded.microphones, microphones, is_sought) / COORDINATES,
            "sources": position_loss(decoded.sources, sources, is_there) / COORDINATES,
        }

    def normalize_to(self, points_m: Float[Tensor, "point 3"]) -> None:
        """Take the mean and the spread along each axis of these points as origin and units of coordinates."""
        origin_m, unit_m = frame_of(points_m)
        self.origin_m.copy_(origin_m)
        self.scale_m.copy_(unit_m)

    def train(self, mode: bool = True) -> "Wav2pos":
        """As usual, but NGCC-PHAT, once it is frozen, stays as it is at inference."""
        super().train(mode)
        if not any(weight.requires_grad for weight in self.ngcc.parameters()):
            self.ngcc.eval()
        return self

    def visible(self, windows: Windows, mask: TokenMask) -> Visible:
        """Windows as the network is given them, without what the mask hides."""
        given = prepared(windows)
        has_place = given.is_known & ~mask.position
        return Visible(
            sounds=standardised_middle(given.audio, self.config.samples),
            places=self._normalised(given.positions_m).where(has_place[..., None], 0.0),
            told=self._normalised(told_slots(windows.told_m, self.config.sources, like=windows.positions_m)),
            is_heard=given.is_heard,
            has_place=has_place,
            has_sound=given.is_heard & ~mask.audio,
        )

    @torch.no_grad()
    def frozen(self, windows: Windows) -> Frozen:
        """What training may keep of these windows: NGCC-PHAT's correlations."""
        visible = self.visible(windows, hide_nothing(windows.is_heard))
        return Frozen(correlation=self.correlate(visible.sounds, all_pairs(visible.sounds)))

    def decode(self, visible: Visible, frozen: Frozen = NOTHING) -> Predicted:
        """The whole way from what is visible to everything."""
        seen, is_seen = self.encode(visible)
        sources, places, sounds = self._autodecode(self.to_decoder(seen), visible)
        pairs = all_pairs(visible.sounds)
        kept = frozen.correlation
        correlations = both_ways(lag_amplitudes(self.correlate(visible.sounds, pairs) if kept is None else kept))
        directed = torch.cat([pairs, pairs.flip(1)])
        is_useful = visible.has_sound[:, directed].all(dim=-1)
        shared = torch.cat(
            [
                highest(self.all_seen(self.to_decoder(seen)), is_seen),
                self.all_pairs(places, directed, correlations, is_useful),
            ],
            dim=-1,
        )
        found = self.source_head(_beside(sources, shared))
        return Predicted(
            sources=visible.told.where(visible.is_told[..., None], found),
            microphones=self.microphone_head(_beside(places, shared)),
            sounds=self.sound_head(sounds),
        )

    def encode(self, visible: Visible) -> tuple[Float[Tensor, "batch token width"], Bool[Tensor, "batch token"]]:
        """Tokens of sources, of all places, of all sounds, and which are visible: the others mean nothing."""
        place, sound = self.encoder_kinds
        places = torch.cat([visible.told.nan_to_num(), visible.places], dim=1)
        tokens = [self.embed_place(places) + place, self.embed_sound(visible.sounds) + sound]
        is_seen = torch.cat([visible.is_told, visible.has_place, visible.has_sound], dim=1)
        return self.encoder(torch.cat(tokens, dim=1), is_seen), is_seen

    def correlate(self, sounds: Float[Tensor, "batch mic time"], pairs: Tensor) -> Float[Tensor, "batch pair lag"]:
        """NGCC-PHAT's logits, of sounds whose ends are faded as they are where it is trained."""
        faded = gcc.faded(sounds, SAMPLE_RATE)
        return self.ngcc.pairs(faded, pairs, max_lag=self.config.reach_lags)

    def _autodecode(
        self, tokens: Float[Tensor, "batch token width"], visible: Visible
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Decoded tokens of sources, of microphones' places, and of sounds."""
        slots, count = self.config.sources, visible.places.shape[1]
        told, places, sounds = tokens.split([slots, count, count], dim=1)
        places = self.hidden_place(places, ~visible.has_place)
        sounds = self.hidden_sound(sounds, ~visible.has_sound)
        place, sound = self.decoder_kinds
        everything = [
            told.where(visible.is_told[..., None], self.source_slots) + place,
            places + self.place_of_sound(sounds) + place,
            sounds + self.sound_of_place(places) + sound,
        ]
        is_there = torch.cat([torch.ones_like(visible.is_told), visible.is_heard, visible.is_heard], dim=1)
        decoded = self.decoder(torch.cat(everything, dim=1), is_there)
        sources, places, sounds = decoded.split([slots, count, count], dim=1)
        return sources, places, sounds

    def _normalised(self, points_m: Float[Tensor, "batch point 3"]) -> Float[Tensor, "batch point 3"]:
        return (points_m - self.origin_m) / self.scale_m

    def _metres(self, points: Float[Tensor, "batch point 3"]) -> Float[Tensor, "batch point 3"]:
        return points * self.scale_m + self.origin_m


class LoudestPair(nn.Module):
    """An MLP on (token_i, token_j, correlation), and of all pairs the highest, number by number.

    The first layer is linear in the three, so each microphone goes through it once.
    """

    def __init__(self, width: int, lags: int, hidden: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(width, hidden), nn.Linear(width, hidden, bias=False)
        self.correlation = nn.Linear(lags, hidden, bias=False)
        self.rest = nn.Sequential(nn.LayerNorm(hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.out = nn.Linear(hidden, width)

    def forward(
        self,
        tokens: Float[Tensor, "batch mic width"],
        directed: Tensor,
        correlations: Float[Tensor, "batch directed lag"],
        is_useful: Bool[Tensor, "batch directed"],
    ) -> Float[Tensor, "batch width"]:
        """What the pairs that are useful say."""
        ends = self.first(tokens)[:, directed[:, 0]] + self.second(tokens)[:, directed[:, 1]]
        return self.out(highest(self.rest(ends + self.correlation(correlations)), is_useful))


def standardised_middle(audio: Float[Tensor, "batch mic time"], samples: int) -> Float[Tensor, "batch mic sample"]:
    """The middle of each channel (a shorter one is padded), without its mean, at a root mean square of 1."""
    missing = max(0, samples - audio.shape[-1])
    audio = functional.pad(audio, (missing // 2, missing - missing // 2))
    start = (audio.shape[-1] - samples) // 2
    middle = audio[..., start : start + samples]
    return levelled(middle - middle.mean(dim=-1, keepdim=True)) / LEVEL


def highest(
    tokens: Float[Tensor, "batch token width"], counts: Bool[Tensor, "batch token"]
) -> Float[Tensor, "batch width"]:
    """Number by number, of the tokens that count; 0 where none does."""
    top = tokens.masked_fill(~counts[..., None], -torch.inf).amax(dim=1)
    return top.masked_fill(~counts.any(dim=1, keepdim=True), 0.0)


def _beside(
    tokens: Float[Tensor, "batch token width"], shared: Float[Tensor, "batch feature"]
) -> Float[Tensor, "batch token more"]:
    return torch.cat([tokens, shared[:, None].expand(-1, tokens.shape[1], -1)], dim=-1)


def _head(inputs: int, widths: tuple[int, int]) -> nn.Sequential:
    first, second = widths
    return nn.Sequential(
        *(nn.Linear(inputs, first), nn.LayerNorm(first), nn.GELU()),
        *(nn.Linear(first, second), nn.LayerNorm(second), nn.GELU()),
        nn.Linear(second, COORDINATES),
    )


def _learned(count: int, width: int) -> nn.Parameter:
    return nn.Parameter(FIRST_SPREAD * torch.randn(count, width))
