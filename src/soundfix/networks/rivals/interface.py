"""What the paper's three learned rivals share: what each is given, what it answers, and what is true.

DI-NN (di_nn.py), GNN (gnn.py) and wav2pos (wav2pos.py) are written anew from their papers, to be trained on the same
windows as our network. They know tensors only: model.Windows, and the box that the source is in.

Conventions: metres, in the frame whose origin is the middle of the room; box_m holds the lowest and the highest corner
of the room in it. Sound travels at 343 m/s unless speed_m_s says otherwise. A microphone that is not heard is silent
and stands nowhere; every channel is brought to a root mean square of 1 (gains are not calibrated, so a level says
little). Where a truth hides a position, the position is unknown to the network.
Axes: B batch, M microphones, K sources.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from soundfix.networks.model import LEVEL, Windows, levelled

COORDINATES = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class DecodedPlaces:
    """What a rival answers (metres). microphones_m: as given, or found where unknown; None from who finds none."""

    sources_m: Float[Tensor, "batch source 3"]
    microphones_m: Float[Tensor, "batch mic 3"] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Truths:
    """What is true of the windows (metres; NaN where not known), and what is hidden from the network on purpose."""

    sources_m: Float[Tensor, "batch source 3"]
    is_there: Bool[Tensor, "batch source"]
    microphones_m: Float[Tensor, "batch mic 3"]
    hides_position: Bool[Tensor, "batch mic"]
    hides_sound: Bool[Tensor, "batch mic"]


class RivalInterface(Protocol):
    """The interface of all three. loss_terms: their sum is what training makes small."""

    def __call__(
        self, windows: Windows, box_m: Float[Tensor, "batch 2 3"], *, speed_m_s: Float[Tensor, "batch"] | None = None
    ) -> DecodedPlaces: ...

    def loss_terms(
        self,
        windows: Windows,
        box_m: Float[Tensor, "batch 2 3"],
        truth: Truths,
        *,
        speed_m_s: Float[Tensor, "batch"] | None = None,
    ) -> dict[str, Float[Tensor, ""]]: ...


def prepared(windows: Windows) -> Windows:
    """Sound at a root mean square of 1, and nothing said of microphones that are not heard or stand nowhere known."""
    is_known = windows.is_known & windows.is_heard
    return Windows(
        audio=levelled(windows.audio.masked_fill(~windows.is_heard[..., None], 0.0)) / LEVEL,
        positions_m=windows.positions_m.masked_fill(~is_known[..., None], 0.0),
        is_known=is_known,
        is_heard=windows.is_heard,
        told_m=windows.told_m,
    )


def without_hidden_positions(windows: Windows, truth: Truths) -> Windows:
    """A hidden position is an unknown one."""
    return replace(windows, is_known=windows.is_known & ~truth.hides_position)


def first_source(truth: Truths) -> tuple[Float[Tensor, "batch 3"], Bool[Tensor, "batch"]]:
    """What a network of one source learns: the first that is there (0 without any), and whether one is."""
    first = truth.is_there.int().argmax(dim=1)
    place = torch.take_along_dim(truth.sources_m, first[:, None, None], dim=1)[:, 0]
    has_one = truth.is_there.any(dim=1)
    return place.where(has_one[:, None], torch.zeros_like(place)), has_one


def mean_over_windows(errors: Float[Tensor, "batch"], counts: Bool[Tensor, "batch"]) -> Float[Tensor, ""]:
    """Every window weighs the same; those that do not count are 0."""
    return errors.where(counts, torch.zeros_like(errors)).mean()
