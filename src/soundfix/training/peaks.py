"""Where a network that learns is wrong: the highest places of its own likelihood that are no source (ours).

An answer is the highest peak of a whole room, and a peak is as narrow as two centimetres. Hardly one of a few hundred
random places lies on a wrong one: a network compared with those alone sharpens right and wrong peaks alike, and locates
worse than before it learned (EXPERIMENTS.md). So each step looks for the peaks first, as an answer does: curves widened
to the size of a cell, the best places kept, smaller cells round those.
Axes: B batch, P pairs, L lags, N points.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from soundfix.localization.modes import APART_M
from soundfix.networks.interface import CANDIDATES, PHYSICS
from soundfix.networks.pair_likelihoods import PairLikelihoods
from soundfix.training.batches import Batch

PEAKS = 64  # found in each window
STEPS_M = (0.12, 0.06, 0.03, 0.015)  # from a place to the eight round it, each time
STARTS = 256  # places from which candidates for a second look are found
FINE_STEPS_M = (0.015, 0.008, 0.004)
REACH_M = (0.25, 0.13, 0.065, 0.03, 0.0)  # how far a curve's peaks are widened, at first and with each step
RIGHT_M = 0.1  # as near as this a place is the source itself
Score = Callable[[Float[Tensor, "batch point 3"], float], Float[Tensor, "batch point"]]


@torch.no_grad()
def wrong_peaks(likelihoods: PairLikelihoods, batch: Batch) -> Float[Tensor, "batch peak 3"]:
    """Places of high likelihood; those near a source give way to points of the batch: they would blur its own peak."""
    places = highest_places(likelihoods, batch)
    gaps_m = (places[:, :, None] - batch.sources_m[:, None]).norm(dim=-1)
    is_right = ((gaps_m < RIGHT_M) & batch.is_there[:, None]).any(dim=-1)
    return torch.where(is_right[..., None], batch.points_m[:, -places.shape[1] :], places)


@torch.no_grad()
def highest_places(likelihoods: PairLikelihoods, batch: Batch, count: int = PEAKS) -> Float[Tensor, "batch peak 3"]:
    """Climbed to from the best `count` of the batch's points; several may lie on one peak."""
    points, score = batch.points_m, partial(_score, likelihoods, batch)
    order = score(points, REACH_M[0]).topk(min(count, points.shape[1]), dim=1).indices
    places = points.gather(1, order[..., None].expand(-1, -1, 3))
    for step_m, reach_m in zip(STEPS_M, REACH_M[1:], strict=True):
        places = _climbed(places, step_m, reach_m, batch.search_m, score)
    return places


def _score(
    likelihoods: PairLikelihoods, batch: Batch, points_m: Float[Tensor, "batch point 3"], reach_m: float
) -> Float[Tensor, "batch point"]:
    """log p of the likeliest source slot, with curves widened to either side."""
    lags = round(reach_m * likelihoods.lags_a_second / float(batch.speed_m_s.min()))
    wide = replace(likelihoods, curves=functional.max_pool1d(likelihoods.curves, 2 * lags + 1, 1, lags))
    return wide.at(points_m, batch.windows.positions_m, batch.speed_m_s).amax(dim=1)


@torch.no_grad()
def candidates_of(
    likelihoods: PairLikelihoods, batch: Batch
) -> tuple[Float[Tensor, "batch candidate 3"], Bool[Tensor, "batch candidate"]]:
    """What a second look is shown: the likelihood's best places, and those of the plain curves that are none of them."""
    own, is_own = best_places(likelihoods, batch, CANDIDATES - PHYSICS)
    plain, is_plain = best_places(likelihoods.physics, batch, PHYSICS)
    is_new = ((plain[:, :, None] - own[:, None]).norm(dim=-1) > APART_M).logical_or(~is_own[:, None]).all(dim=-1)
    return torch.cat([own, plain], dim=1), torch.cat([is_own, is_plain & is_new], dim=1)


@torch.no_grad()
def best_places(
    likelihoods: PairLikelihoods, batch: Batch, count: int
) -> tuple[Float[Tensor, "batch candidate 3"], Bool[Tensor, "batch candidate"]]:
    """The highest distinct places, at the top of their peaks, and which of them are places: there may be fewer."""
    places, score = highest_places(likelihoods, batch, STARTS), partial(_score, likelihoods, batch)
    for step_m in FINE_STEPS_M:
        places = _climbed(places, step_m, 0.0, batch.search_m, score)
    left = score(places, 0.0)
    best, found = [], []
    for _ in range(count):
        highest, index = left.max(dim=1)
        best.append(places[torch.arange(len(places)), index])
        found.append(highest > -torch.inf)
        left = left.masked_fill((places - best[-1][:, None]).norm(dim=-1) < APART_M, -torch.inf)
    return torch.stack(best, dim=1), torch.stack(found, dim=1)


def _climbed(
    places: Float[Tensor, "batch peak 3"],
    step_m: float,
    reach_m: float,
    box_m: Float[Tensor, "batch 2 3"],
    score: Score,
) -> Float[Tensor, "batch peak 3"]:
    """The best of each place and the eight corners round it, inside the box."""
    corners = torch.tensor([(0.0, 0.0, 0.0), *product((-1.0, 1.0), repeat=3)]).to(places)
    around = places[:, :, None] + step_m * corners
    around = around.clamp(box_m[:, None, None, 0], box_m[:, None, None, 1])
    best = score(around.flatten(1, 2), reach_m).unflatten(1, around.shape[1:3]).argmax(dim=2)
    return around.gather(2, best[..., None, None].expand(-1, -1, 1, 3))[:, :, 0]
