"""Complete configurations, as functions: `paper`, `default`, `tiny`.

`paper` has the sizes of arXiv 2505.20961 (6.8 M trainable weights reported; ours are counted by `soundfix info paper`).
`default` is what we ship: small, quick, any array in any room. `tiny` is for tests: the same shape, minutes of training.
To vary one: `dataclasses.replace(recipes.paper().network, keep=0.3)`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from soundfix.beats import SMALL
from soundfix.likelihood import HeadConfig
from soundfix.losses import LossWeights
from soundfix.model import NetworkConfig


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and what it is trained to do."""

    name: str
    network: NetworkConfig
    losses: LossWeights = field(default_factory=LossWeights)


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
    return Recipe(name="paper", network=network)


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
    return Recipe(name="default", network=network)


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
    return Recipe(name="tiny", network=network)


RECIPES: dict[str, Callable[[], Recipe]] = {"paper": paper, "default": default, "tiny": tiny}
