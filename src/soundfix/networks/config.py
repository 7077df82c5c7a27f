"""What shapes a network: width, heads, streams, and which parts it has; refused where it cannot be built."""

from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict

from soundfix.errors import CheckpointError
from soundfix.networks.attention import Keep
from soundfix.networks.correlations import HeadConfig
from soundfix.networks.encoders.beats import SMALL
from soundfix.networks.encoders.beats_files import BeatsConfig
from soundfix.networks.encoders.ngcc import NgccConfig
from soundfix.signal.coherence import Measure


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Everything that shapes a network; recipes.py holds complete ones.

    frame: see streams.py. correlation: "ngcc", "gcc" (PHAT), or "head", the likelihood head's own curves. reach_lags:
    samples either side that remb sees; pooled_lags: neighbours of which it sees the loudest; blurred_lags, deep_pairs:
    see AudioTdoaEncoder and PairTokens. window_samples: of the middle of the sound, correlated (None: all of it). alpha:
    of ASCM; None: it learns, from 1. keep: T of the sparse cross-attention. reconstruct: what the audio inverse mapper
    gives back, the middle 2048 samples or the mean log-mel spectrum. reranker: its width; 0: none. arrays: positions (m)
    of those it was trained with, where these were few (known_layouts.py); noted by training.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")  # for checkpoints: an unknown field is an error

    frame: Literal["room", "array"]
    width: int
    heads: int
    encoder_blocks: int
    decoder_blocks: int
    ratio: int = 4
    sources: int = 1
    acoustic: Literal["base", "small", "none"] = "small"
    encoder: BeatsConfig = SMALL
    correlation: Literal["ngcc", "gcc", "head"] = "gcc"
    ngcc: NgccConfig | None = None
    reach_lags: int = 314
    pooled_lags: int = 1
    blurred_lags: tuple[float, ...] = ()
    deep_pairs: bool = False
    window_samples: int | None = None
    coherence: Measure = "magnitude_squared"
    alpha: float | None = None
    keep: Keep = 1.0
    reconstruct: Literal["waveform", "spectrum"] = "spectrum"
    head: HeadConfig | None = None
    reranker: int = 0
    arrays: tuple[tuple[tuple[float, float, float], ...], ...] = ()

    def __post_init__(self) -> None:
        complaint = next((text for is_wrong, text in _complaints(self) if is_wrong), None)
        if complaint:
            raise CheckpointError(f"this network cannot be built: {complaint}")


def _complaints(c: NetworkConfig) -> list[tuple[bool, str]]:
    """What could be wrong, and whether it is."""
    taps = c.head.lag_taps if c.head else 1
    return [
        (
            c.correlation == "head" and c.head is None,
            "correlation 'head', and no head: give one, or take 'gcc' or 'ngcc'",
        ),
        (c.heads < 1 or c.width % max(1, c.heads) > 0, f"width {c.width} cannot be shared by {c.heads} heads"),
        (taps % 2 == 0, f"lag_taps {taps} of the head, wanted an odd number: a kernel with a middle"),
        (c.alpha is not None and c.alpha < 0, f"alpha {c.alpha} of ASCM, wanted 0 (off) or more"),
        (c.keep <= 0, f"keep {c.keep} of the pairs, wanted a number from 1 or a share above 0"),
        (c.sources < 1, f"{c.sources} sources, wanted 1 or more"),
        (c.reranker > 0 and c.head is None, "reranker, and no likelihood head whose peaks it could look at"),
    ]
