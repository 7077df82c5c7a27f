"""Windows as the network works with them, between what a user gives (model.Windows) and what its boxes need."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from soundfix.networks.masking import TokenMask
from soundfix.networks.streams import distances


@dataclass(frozen=True, kw_only=True, eq=False)
class Given:
    """Windows as the network works with them: levelled sound, normalised places (0 where unknown), pairs both ways.

    told: normalised places of sources that are told, NaN where they are not.
    """

    audio: Float[Tensor, "batch mic time"]
    places: Float[Tensor, "batch mic 3"]
    places_m: Float[Tensor, "batch mic 3"]
    is_known: Bool[Tensor, "batch mic"]
    is_heard: Bool[Tensor, "batch mic"]
    mask: TokenMask
    pairs: Int[Tensor, "pair 2"]
    told: Float[Tensor, "batch source 3"]

    @property
    def count(self) -> int:
        return self.is_heard.shape[1]

    @property
    def directed(self) -> Int[Tensor, "directed 2"]:
        """(i, j) of every pair, then (j, i)."""
        return torch.cat([self.pairs, self.pairs.flip(1)])

    @property
    def is_useful(self) -> Bool[Tensor, "batch pair"]:
        """Pairs of which both microphones are heard."""
        return self.is_heard[:, self.pairs].all(dim=-1)

    @property
    def is_placed(self) -> Bool[Tensor, "batch pair"]:
        """Pairs of which both microphones are heard and known."""
        return self.is_known[:, self.pairs].all(dim=-1)

    @property
    def is_seen(self) -> Bool[Tensor, "batch directed"]:
        return self.is_useful.repeat(1, 2)

    @property
    def spacing_m(self) -> Float[Tensor, "batch directed"]:
        """Distance between the two microphones of a pair; of no meaning where a position is unknown."""
        return distances(self.places_m)[:, self.directed[:, 0], self.directed[:, 1]]


class Said(NamedTuple):
    """What the joint stream says; gates: None without a likelihood head. The rest as in Answers."""

    sources_m: Float[Tensor, "batch source 3"]
    microphones_m: Float[Tensor, "batch mic 3"]
    sound: Float[Tensor, "batch mic sample"]
    weights: Float[Tensor, "batch pair"]
    attention: Float[Tensor, "batch pair"]
    gates: Float[Tensor, "batch source pair"] | None
