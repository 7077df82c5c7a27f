"""What the frozen parts of a network make of windows: the same in every step of training, so it can be made once and kept.

    features      the acoustic encoder's mean token of every microphone          (BEATs, frozen)
    correlation   of every pair i < j, over lags                                 (NGCC-PHAT, frozen)
    coherence     of every pair i < j, one number                                (nothing to learn)

None: the network makes it itself. Axes: B batch, M microphones, P pairs, L lags.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class Frozen(NamedTuple):
    """Of windows, in the order of their microphones and of all pairs i < j."""

    features: Float[Tensor, "batch mic feature"] | None = None
    correlation: Float[Tensor, "batch pair lag"] | None = None
    coherence: Float[Tensor, "batch pair"] | None = None

    def tensors(self) -> dict[str, Tensor]:
        """Those that are there, by name."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    def to(self, device: torch.device | str) -> "Frozen":
        """The same on another device."""
        return Frozen(**{name: value.to(device) for name, value in self.tensors().items()})
