"""Complete configurations, as functions: `paper`, `default`, `tiny`; and the paper's rivals, `di-nn`, `gnn`, `wav2pos`.

`paper` has the sizes of arXiv 2505.20961 (6.8 M trainable weights reported; ours are counted by `soundfix info paper`).
`default` is what we ship: small, quick, any array in any room. `tiny` is for tests: the same shape, minutes of training.
To vary one: `dataclasses.replace(recipes.paper().network, keep=0.3)`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from soundfix.networks.config import NetworkConfig
from soundfix.networks.correlations import HeadConfig
from soundfix.networks.encoders.beats import SMALL
from soundfix.networks.losses import LossWeights
from soundfix.networks.rivals.di_nn import DiNnConfig
from soundfix.networks.rivals.gnn import GnnConfig
from soundfix.networks.rivals.wav2pos import Wav2posConfig


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stretch of training; no steps: it is left out.

    windows_s: every batch has windows of one of these lengths. microphones: every batch has between so many.
    hidden_sound: share of sounds hidden from the masked autoencoder; of positions, 0 to hidden_positions are hidden.
    points: anywhere in the room that a likelihood is compared at, beside those near the sources and its own peaks.
    schedule: cosine, x0.95 thirty times as in the paper, or plateau: as validation has it (plateau.py), steps at most.
    keeps_channels: microphones that are not among those heard are silent channels in their own place, for a network of a
    fixed array. thaws_encoder: the small acoustic encoder learns in localization too. share_noise: of the windows, so
    many hold noise alone. share_roomless: in so many the room is not told. share_next: in so many one source was found
    before, and the next is sought. share_height: in so many the height of the source is told. share_hidden: positions
    are hidden in so many (of fixed windows: in so many steps, which everybody hears). share_told: where they are, the
    places of the sources are told in so many. walls_off_m: in half of the windows the walls are told with errors of this
    standard deviation. windows_a_clip: localization learns from so many windows of each clip, drawn once, so that what
    frozen parts make of them may be kept; 0: every step draws its own. share_whole: of the steps, so many at first are
    heard by all microphones, and nothing is hidden (of fixed windows): what a delay means is learned before what is
    missing.
    """

    steps: int
    batch: int = 16
    learning_rate: float = 1e-3
    warm_up: int = 100
    schedule: Literal["cosine", "paper", "plateau"] = "cosine"
    windows_s: tuple[float, ...] = (0.128, 0.25, 0.5)
    microphones: tuple[int, int] = (4, 11)
    hidden_sound: float = 0.15
    hidden_positions: int = 4
    points: int = 2048
    keeps_channels: bool = False
    thaws_encoder: bool = False
    share_noise: float = 0.0
    share_roomless: float = 0.0
    share_next: float = 0.0
    share_height: float = 0.0
    share_hidden: float = 1.0
    share_told: float = 0.0
    walls_off_m: float = 0.0
    windows_a_clip: int = 0
    share_whole: float = 0.0

    def is_whole(self, step: int) -> bool:
        """Whether this step is one of the first, in which nothing is missing."""
        return step < self.share_whole * self.steps


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and how it is trained: NGCC-PHAT (or the likelihood head's curves) on pairs, then frozen (NGCC-PHAT only);
    the masked autoencoder, which the small acoustic encoder learns with, then frozen; localization;
    the votes of the likelihood's experts, then a second look at its peaks, all else frozen.

    average: decay of the moving average of the weights that is shipped. clip: largest norm of a gradient. bfloat16: the
    forward pass runs in it on a CPU too, where the processor multiplies it, as it does on a GPU.
    """

    name: str
    network: NetworkConfig | DiNnConfig | GnnConfig | Wav2posConfig
    correlation: Stage = field(default_factory=lambda: Stage(steps=1000))
    autoencoder: Stage = field(default_factory=lambda: Stage(steps=1000, hidden_sound=0.5))
    localization: Stage = field(default_factory=lambda: Stage(steps=10_000))
    votes: Stage = field(default_factory=lambda: Stage(steps=0))
    reranker: Stage = field(default_factory=lambda: Stage(steps=0))
    losses: LossWeights = field(default_factory=LossWeights)
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.999
    bfloat16: bool = False


STAGES = ("correlation", "autoencoder", "localization", "votes", "reranker")


def paper() -> Recipe:
    """The paper's network: BEATs base and NGCC-PHAT frozen, windows of 2048 samples, coordinates by MLP, one known room."""
    network = NetworkConfig(
        frame="room",
        width=256,
        heads=4,
        encoder_blocks=4,
        decoder_blocks=2,
        acoustic="base",
        correlation="ngcc",
        blurred_lags=(4.0, 16.0),
        deep_pairs=True,
        window_samples=2048,
        keep=0.3,
        reconstruct="waveform",
    )
    context_s = (0.512,)  # BEATs and coherence hear more than the 2048 samples in the middle, which are correlated
    return Recipe(
        name="paper",
        network=network,
        correlation=Stage(steps=20_000, batch=32, windows_s=context_s, microphones=(2, 4)),
        autoencoder=Stage(steps=5_000, batch=128, windows_s=context_s, hidden_sound=0.5),
        localization=Stage(steps=60_000, batch=128, windows_s=context_s, schedule="paper"),
    )


def default() -> Recipe:
    """What we ship: a small acoustic encoder, the likelihood head's correlations, distances instead of coordinates."""
    stage = Stage(steps=11_000, hidden_sound=0.1, hidden_positions=1)
    again = Stage(
        steps=9000,
        batch=8,
        learning_rate=2e-3,
        hidden_sound=0.0,
        hidden_positions=1,
        share_noise=0.15,
        share_roomless=0.25,
        share_next=0.25,
        share_height=0.25,
        walls_off_m=0.04,
    )
    return Recipe(
        name="default",
        network=_default_network(),
        correlation=Stage(steps=0),
        autoencoder=Stage(steps=200, hidden_sound=0.5),
        localization=stage,
        votes=replace(stage, steps=600, learning_rate=5e-3, hidden_sound=0.0),
        reranker=again,
    )


def _default_network() -> NetworkConfig:
    return NetworkConfig(
        frame="array",
        width=128,
        heads=4,
        encoder_blocks=3,
        decoder_blocks=1,
        ratio=2,
        correlation="head",
        pooled_lags=4,
        head=HeadConfig(partial=(0.5, 300.0)),
        reranker=64,
    )


def tiny() -> Recipe:
    """The shape of `default` for tests, in the paper's frame of reference, which learns a room by heart soonest."""
    encoder = replace(SMALL, encoder_layers=1, encoder_embed_dim=32, encoder_ffn_embed_dim=64, embed_dim=32)
    network = replace(
        _default_network(),
        frame="room",
        width=64,
        encoder_blocks=2,
        encoder=encoder,
        reach_lags=160,
        head=HeadConfig(frame=256, hop=128, mask_channels=4, lag_channels=4, lag_taps=5, lags_a_sample=1),
        reranker=8,
    )
    return Recipe(
        name="tiny",
        network=network,
        correlation=Stage(steps=100, batch=8, warm_up=10),
        autoencoder=Stage(steps=100, batch=8, warm_up=10, hidden_sound=0.5),
        localization=Stage(steps=600, batch=8, warm_up=30),
    )


def di_nn() -> Recipe:
    """DI-NN as published: L1, learning rate 1e-4. Fewer microphones are silent channels."""
    stage = Stage(
        steps=10_000, learning_rate=1e-4, hidden_positions=0, hidden_sound=0.0, points=64, keeps_channels=True
    )
    return _rival("di-nn", DiNnConfig(), stage)


def gnn() -> Recipe:
    """The GNN as published, features SLF: L1, learning rate 5e-4."""
    stage = Stage(steps=10_000, learning_rate=5e-4, hidden_positions=0, hidden_sound=0.0, points=64)
    return _rival("gnn", GnnConfig(), stage)


def wav2pos() -> Recipe:
    """wav2pos as published: AdamW 1e-3, weight decay 0.1, warm-up for a sixth, then cosine; NGCC-PHAT first."""
    stage = Stage(steps=10_000, learning_rate=1e-3, warm_up=1667, hidden_sound=0.1, hidden_positions=4, points=64)
    recipe = _rival("wav2pos", Wav2posConfig(), stage)
    return replace(recipe, correlation=Stage(steps=1000, microphones=(2, 4), points=64), weight_decay=0.1)


def _rival(name: str, network: DiNnConfig | GnnConfig | Wav2posConfig, stage: Stage) -> Recipe:
    nothing = Stage(steps=0)
    return Recipe(name=name, network=network, correlation=nothing, autoencoder=nothing, localization=stage)


RECIPES: dict[str, Callable[[], Recipe]] = {
    "paper": paper,
    "default": default,
    "tiny": tiny,
    "di-nn": di_nn,
    "gnn": gnn,
    "wav2pos": wav2pos,
}
