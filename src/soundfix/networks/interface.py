"""What a localizer asks of a network that hears windows: of PyTorch (model.py), or in onnxruntime (onnx_runtime.py).

Arrays are of the kind of the network's own. Axes: B batch, M microphones, P pairs, N places.
"""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix.networks.pair_likelihoods import PairLikelihoods
from soundfix.networks.windows import Answers, Windows
from soundfix.signal.arrays import Array

CANDIDATES, PHYSICS = 24, 6  # places that are looked at again; so many of them are peaks of the plain curves


@runtime_checkable
class LooksAgain(Protocol):
    """A second look at places."""

    def __call__(
        self,
        likelihoods: PairLikelihoods,
        candidates: Float[Array, "batch candidate 3"],
        is_there: Bool[Array, "batch candidate"],
        positions_m: Float[Array, "batch mic 3"],
        box_m: Float[Array, "batch 2 3"],
        speed_m_s: Float[Array, "batch"],
    ) -> Float[Array, "batch answer"]:
        """Log-odds of each candidate that is there, then of "none of them"."""


@runtime_checkable
class HearingNetwork(Protocol):
    """A network with a likelihood head, or a position decoder alone."""

    @property
    def frame(self) -> str:
        """Whose coordinates places have: "room", of one that it learned, or "array", of any."""

    @property
    def arrays(self) -> tuple[tuple[tuple[float, float, float], ...], ...]:
        """Positions (m) of those it was trained with, where these were few."""

    @property
    def error_m(self) -> Float[Array, ""]:
        """Standard error of the position decoder along an axis, measured in training."""

    @property
    def reranker(self) -> LooksAgain | None:
        """The second look, if it has one."""

    @property
    def has_head(self) -> bool:
        """Whether it has a likelihood head, and not a position decoder alone."""

    @property
    def runtime(self) -> str:
        """What it is run by, and how precisely where that is not in float32."""

    def array(self, values: np.ndarray) -> Array:
        """These as it takes them."""

    def __call__(self, windows: Windows, *, pairs: Int[Array, "pair 2"], max_lag: int, lowest_hz: float) -> Answers:
        """What it says of these pairs."""
