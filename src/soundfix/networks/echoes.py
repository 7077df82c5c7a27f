"""Does the room answer as it would if the source were here? (ours; not in the paper)

A wall mirrors a source at x to an image x_k (Allen and Berkley, 1979). Microphone i hears the echo later than the direct
sound by

    delta_ik = (|x_k - r_i| - |x - r_i|) / c

so that its curve with every other microphone j has a second peak at tau_ij(x) + delta_ik. A wrong place may explain the
highest peak of many pairs, but hardly the echoes of six walls too. Their mean over j is microphone i's profile (profile.py)
at delta_ik. It is looked up in masked and in plain curves, each as sharp as a peak and as wide as walls are known; what to
make of it is learned, from rooms whose walls are told a few centimetres off, or not at all.

Walls have no order and no direction: moving or turning the room changes nothing.
Axes: B batch, N candidates, M microphones, P pairs i < j, K walls, L lags, D width.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from soundfix.networks.likelihood import start_at_zero
from soundfix.networks.pair_likelihoods import PairLikelihoods, Partners, look_up
from soundfix.networks.pooling import highest_near

WIDTHS = (3, 10)  # lags either side of where an echo is expected: a peak; 10 cm of path
USUAL_EXTRA_M, MOST_EXTRA = 3.0, 4.0  # path of an echo beyond the direct one, and where it stops to matter how much
THINNEST_ROOM_M, NO_WALL_M = 0.5, 1000.0  # a box thinner than this along an axis has no walls there
FEATURES = 2 * len(WIDTHS) + 2


class Asked(NamedTuple):
    """The candidates, which of them are there, where the microphones stand, the walls, and the speed of sound."""

    candidates: Float[Tensor, "batch candidate 3"]
    is_there: Bool[Tensor, "batch candidate"]
    positions_m: Float[Tensor, "batch mic 3"]
    box_m: Float[Tensor, "batch 2 3"]
    speed_m_s: Float[Tensor, "batch"]


class Echoes(nn.Module):
    """What the walls say of each microphone at each candidate, and of each candidate; nothing before training."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.wall = nn.Sequential(nn.Linear(FEATURES, width), nn.GELU(), nn.Linear(width, width), nn.GELU())
        self.room = nn.Sequential(nn.Linear(FEATURES, width), nn.GELU(), nn.Linear(width, width), nn.GELU())
        self.of_microphone, self.of_candidate = nn.Linear(2 * width, width), nn.Linear(2 * width, width)
        start_at_zero(self.of_microphone)
        start_at_zero(self.of_candidate)

    def forward(
        self,
        likelihoods: PairLikelihoods,
        asked: Asked,
        partners: Partners,
    ) -> tuple[Float[Tensor, "batch candidate mic width"], Float[Tensor, "batch candidate width"]]:
        extra_m = extra_paths(asked.candidates, asked.positions_m, asked.box_m)
        heard, counts = heard_echoes(likelihoods, asked, extra_m, partners)
        path = torch.stack([(extra_m / USUAL_EXTRA_M).clamp_max(MOST_EXTRA), (-extra_m).exp()], dim=-1)
        each = torch.cat([heard, path], dim=-1)
        share = counts / counts.sum(dim=-1, keepdim=True).clamp_min(1)
        whole = torch.einsum("bm,bnmkf->bnkf", share.to(each), each)
        return self.of_microphone(_over_walls(self.wall(each))), self.of_candidate(_over_walls(self.room(whole)))


def _over_walls(values: Float[Tensor, "*batch wall width"]) -> Float[Tensor, "*batch both"]:
    return torch.cat([values.mean(dim=-2), values.amax(dim=-2)], dim=-1)


def images(
    points: Float[Tensor, "batch point 3"], box_m: Float[Tensor, "batch 2 3"]
) -> Float[Tensor, "batch point wall 3"]:
    """The points mirrored in each of the six walls."""
    mirrored = 2 * box_m[:, None] - points[:, :, None]
    own = points[:, :, None, None].expand(-1, -1, 2, 3, -1)
    axis = torch.eye(3, dtype=torch.bool, device=points.device)
    return torch.where(axis, mirrored[..., None], own).flatten(2, 3)


def extra_paths(
    candidates: Float[Tensor, "batch candidate 3"],
    positions_m: Float[Tensor, "batch mic 3"],
    box_m: Float[Tensor, "batch 2 3"],
) -> Float[Tensor, "batch candidate mic wall"]:
    """How much further (m) the way by each wall is than the direct one; by what is no wall, but says the height, far."""
    stand = positions_m[:, None, :, None]
    by_wall = (images(candidates, box_m)[:, :, None] - stand).norm(dim=-1)
    is_wall = (box_m.diff(dim=1)[:, 0] > THINNEST_ROOM_M).repeat(1, 2)[:, None, None]
    return torch.where(is_wall, by_wall - (candidates[:, :, None, None] - stand).norm(dim=-1), NO_WALL_M)


def heard_echoes(
    likelihoods: PairLikelihoods,
    asked: Asked,
    extra_m: Float[Tensor, "batch candidate mic wall"],
    partners: Partners,
) -> tuple[Float[Tensor, "batch candidate mic wall feature"], Bool[Tensor, "batch mic"]]:
    """Each microphone's mean evidence where these echoes would be, and which microphones have any."""
    i, j = likelihoods.pairs.T
    tau_s = likelihoods.expected(asked.candidates, asked.positions_m, asked.speed_m_s)
    later_s = (extra_m / asked.speed_m_s[:, None, None, None]).transpose(1, 2)
    both_s = tau_s[..., None] + later_s[:, i], tau_s[..., None] - later_s[:, j]
    halves = [half * likelihoods.lags_a_second for half in both_s]
    lags = torch.cat(halves, dim=1)
    is_inside = lags.abs() <= (likelihoods.curves.shape[-1] - 1) / 2
    is_placed = likelihoods.is_placed.repeat(1, 2)[:, partners.order] & partners.is_pair
    weight = (is_placed / is_placed.sum(dim=2, keepdim=True).clamp_min(1)).to(lags)
    found = []
    for curves in likelihoods.scaled[:2]:
        for width in WIDTHS:
            top = highest_near(curves, width)
            values = torch.cat([look_up(top, half.flatten(2)) for half in halves], dim=1).view_as(lags)
            found.append(torch.einsum("bmr,bmrnk->bnmk", weight, (values * is_inside)[:, partners.order]))
    return torch.stack(found, dim=-1), is_placed.any(dim=2)
