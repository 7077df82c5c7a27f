"""Complete configurations, as functions: `paper`, `default`, `tiny`.

`paper` has the sizes of arXiv 2505.20961 (6.8 M trainable weights reported; ours are counted by `soundfix info paper`).
`default` is what we ship: small, quick, any array in any room. `tiny` is for tests: the same shape, minutes of training.
To vary one: `dataclasses.replace(recipes.paper().network, keep=0.3)`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from soundfix.beats import SMALL
from soundfix.likelihood import HeadConfig
from soundfix.losses import LossWeights
from soundfix.model import NetworkConfig


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stretch of training; no steps: it is left out.

    windows_s: every batch has windows of one of these lengths. microphones: every batch has between so many. hidden_sound:
    share of sounds hidden from the masked autoencoder; of positions, 0 to hidden_positions are hidden. points: anywhere in
    the room that a likelihood is compared at, beside those near the sources and its own peaks. schedule:
    cosine, or x0.95 thirty times as in the paper.
    """

    steps: int
    batch: int = 16
    learning_rate: float = 1e-3
    warm_up: int = 100
    schedule: Literal["cosine", "paper"] = "cosine"
    windows_s: tuple[float, ...] = (0.128, 0.25, 0.5)
    microphones: tuple[int, int] = (4, 11)
    hidden_sound: float = 0.15
    hidden_positions: int = 4
    points: int = 2048


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and how it is trained: NGCC-PHAT (or the likelihood head's curves) on pairs, then frozen (NGCC-PHAT only);
    the masked autoencoder, which the small acoustic encoder learns with, then frozen; localization.

    average: decay of the moving average of the weights that is shipped. clip: largest norm of a gradient.
    """

    name: str
    network: NetworkConfig
    correlation: Stage = field(default_factory=lambda: Stage(steps=1000))
    autoencoder: Stage = field(default_factory=lambda: Stage(steps=1000, hidden_sound=0.5))
    localization: Stage = field(default_factory=lambda: Stage(steps=10_000))
    losses: LossWeights = field(default_factory=LossWeights)
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.999


STAGES = ("correlation", "autoencoder", "localization")


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
        window_samples=2048,
        keep=0.3,
        reconstruct="waveform",
    )
    context_s = (0.512,)  # BEATs and coherence hear more than the 2048 samples in the middle, which are correlated
    return Recipe(
        name="paper",
        network=network,
        correlation=Stage(steps=20_000, batch=32, windows_s=context_s),
        autoencoder=Stage(steps=5_000, batch=128, windows_s=context_s, hidden_sound=0.5),
        localization=Stage(steps=60_000, batch=128, windows_s=context_s, schedule="paper"),
    )


def default() -> Recipe:
    """What we ship: a small acoustic encoder, the likelihood head's correlations, distances instead of coordinates."""
    network = NetworkConfig(
        frame="array",
        width=128,
        heads=4,
        encoder_blocks=3,
        decoder_blocks=1,
        ratio=2,
        correlation="head",
        pooled_lags=4,
        head=HeadConfig(),
    )
    return Recipe(
        name="default", network=network, localization=Stage(steps=10_000, hidden_sound=0.1, hidden_positions=2)
    )


def tiny() -> Recipe:
    """The shape of `default` for tests, in the paper's frame of reference, which learns a room by heart soonest."""
    encoder = replace(SMALL, encoder_layers=1, encoder_embed_dim=32, encoder_ffn_embed_dim=64, embed_dim=32)
    network = replace(
        default().network,
        frame="room",
        width=64,
        encoder_blocks=2,
        encoder=encoder,
        reach_lags=160,
        head=HeadConfig(frame=256, hop=128, mask_channels=4, lag_channels=4, lag_taps=5, lags_a_sample=1),
    )
    return Recipe(
        name="tiny",
        network=network,
        correlation=Stage(steps=100, batch=8, warm_up=10),
        autoencoder=Stage(steps=100, batch=8, warm_up=10, hidden_sound=0.5),
        localization=Stage(steps=600, batch=8, warm_up=30),
    )


RECIPES: dict[str, Callable[[], Recipe]] = {"paper": paper, "default": default, "tiny": tiny}
