"""A second look at the best places: which of them is the source? (ours; not in the paper)

The likelihood head adds up what pairs say *at* a point, whatever else they say. Where it is wrong the source is mostly
among its next best peaks. So each of these is looked at again: what does every pair's curve do round this place, before
and after the mask; do the pairs of one microphone agree; how do the candidates compare with each other?

    pair        its curve round the expected delay, its highest value, distances, coherence  ->  MLP
    microphone  mean and maximum over its pairs; its profile: did it hear the sound earlier?  ->  MLP;
                its echoes: does each wall answer as it would (echoes.py)?
    candidate   mean and maximum over microphones, the likelihood's own score, nearest wall  ->  MLP  ->  log-odds

The last of the log-odds is that of "none of them". Only delays and distances go in, so that the order of microphones
and of candidates, moving, turning and gains change nothing. Untrained, it keeps the likelihood's order.
Axes: B batch, N candidates, M microphones, P pairs i < j, R partners of a microphone, D width.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from soundfix.networks.echoes import Asked, Echoes
from soundfix.networks.likelihood import start_at_zero
from soundfix.networks.pair_likelihoods import USUAL, PairLikelihoods, Partners, look_up, partners_of
from soundfix.networks.pooling import highest_near

NEAR = tuple(range(-16, 17))  # lags either side of the expected one that are looked at
FAR = (-96, -64, -40, -24, 24, 40, 64, 96)  # and some further away
PROFILE_STEP, PROFILE_STEPS = 8, 32  # lags: a microphone's profile reaches so many steps either way, 2.7 m of path
CLOSEST_M = 0.1
LEAST_SCORE = -60.0  # below the best candidate: further down is all the same
NOT_THERE = -1e9


class Reranker(nn.Module):
    """Log-odds of candidates. width: D. unmasked: how many curves without a mask it looks at beside the head's own."""

    def __init__(self, width: int, unmasked: int = 1) -> None:
        super().__init__()
        self.pair = _mlp(2 * len(NEAR) + len(FAR) + 6 + (unmasked - 1) * len(NEAR), width, width)
        self.microphone = _mlp(2 * width + 1 + 2 * (2 * PROFILE_STEPS + 1), width, width)
        self.candidate = _mlp(2 * width + 5, width, width)
        self.echoes = Echoes(width)
        self.compare = nn.Linear(2 * width, 1)
        self.nowhere = nn.Linear(width + 2, 1)
        self.trust = nn.Parameter(torch.tensor(1.0))
        start_at_zero(self.compare)
        start_at_zero(self.nowhere)

    def forward(
        self,
        likelihoods: PairLikelihoods,
        candidates: Float[Tensor, "batch candidate 3"],
        is_there: Bool[Tensor, "batch candidate"],
        positions_m: Float[Tensor, "batch mic 3"],
        box_m: Float[Tensor, "batch 2 3"],
        speed_m_s: Float[Tensor, "batch"],
    ) -> Float[Tensor, "batch answer"]:
        """Log-odds of each candidate that is there, then of "none of them"; softmax gives probabilities."""
        partners = partners_of(likelihoods.pairs, positions_m.shape[1])
        return self.odds(likelihoods, Asked(candidates, is_there, positions_m, box_m, speed_m_s), partners)

    def odds(self, likelihoods: PairLikelihoods, asked: Asked, partners: Partners) -> Float[Tensor, "batch answer"]:
        """The same, told who is whose partner."""
        candidates, is_there, positions_m, box_m, speed_m_s = asked
        score = likelihoods.at(candidates, positions_m, speed_m_s).amax(dim=1)
        score = score - score.masked_fill(~is_there, NOT_THERE).amax(dim=1, keepdim=True)
        score = score.clamp(LEAST_SCORE, 0.0).masked_fill(~is_there, LEAST_SCORE)

        pairs = self.pair(_round_each(likelihoods, candidates, positions_m, speed_m_s))
        profiles = _profiles(likelihoods, candidates, positions_m, speed_m_s)
        log_ranges = _log_ranges(candidates, positions_m)
        microphones, is_placed = self._microphones(pairs, profiles, log_ranges, likelihoods.is_placed, partners)
        of_microphones, of_candidates = self.echoes(likelihoods, asked, partners)
        microphones = microphones + of_microphones
        walls_m = torch.minimum(candidates - box_m[:, None, 0], box_m[:, None, 1] - candidates).amin(dim=-1)
        usual = torch.stack(
            [is_placed.sum(dim=-1) / 10, torch.ones_like(speed_m_s) * (2 * likelihoods.window_s)], dim=-1
        )
        away = (log_ranges * is_placed[:, None]).sum(dim=-1) / is_placed.sum(dim=-1, keepdim=True).clamp_min(1)
        own = torch.stack([score / USUAL, walls_m.clamp(-1, 2), away], dim=-1)
        about = torch.cat([own, usual[:, None].expand(*score.shape, 2)], dim=-1)
        looked = self.candidate(torch.cat([_pooled(microphones, is_placed[:, None]), about], dim=-1)) + of_candidates

        among = looked.masked_fill(~is_there[..., None], NOT_THERE).amax(dim=1)
        others = among[:, None].expand_as(looked)
        odds = self.trust * score + self.compare(torch.cat([looked, others], dim=-1)).squeeze(-1)
        nowhere = self.nowhere(torch.cat([among, usual], dim=-1))
        return torch.cat([odds.masked_fill(~is_there, NOT_THERE), nowhere], dim=1)

    def _microphones(
        self,
        pairs: Float[Tensor, "batch directed candidate width"],
        profiles: Float[Tensor, "batch directed candidate step"],
        log_ranges: Float[Tensor, "batch candidate mic"],
        is_placed: Bool[Tensor, "batch pair"],
        partners: Partners,
    ) -> tuple[Float[Tensor, "batch candidate mic width"], Bool[Tensor, "batch mic"]]:
        """What is made of every microphone's pairs, and whether it has any."""
        counts = is_placed.repeat(1, 2)[:, partners.order] & partners.is_pair
        own, profile = (each[:, partners.order].movedim(3, 1) for each in (pairs, profiles))
        whole = _mean(profile, counts[:, None])
        pooled = torch.cat([_pooled(own, counts[:, None]), whole, log_ranges[..., None]], dim=-1)
        return self.microphone(pooled), counts.any(dim=-1)


def _mlp(inputs: int, width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, outputs), nn.GELU())


def _round_each(
    likelihoods: PairLikelihoods, candidates: Tensor, positions_m: Tensor, speed_m_s: Tensor
) -> Float[Tensor, "batch directed candidate feature"]:
    """What pairs (i, j), then (j, i), say round each candidate."""
    lags = likelihoods.expected(candidates, positions_m, speed_m_s) * likelihoods.lags_a_second
    own, unmasked, *others = likelihoods.scaled
    near, far, plain = (
        _stretches(curves, lags, offsets) for curves, offsets in ((own, NEAR), (own, FAR), (unmasked, NEAR))
    )
    highest = torch.stack([curves.amax(dim=-1) / 2 for curves in (own, unmasked)], -1)
    whole = torch.cat([highest, likelihoods.coherence[..., None]], dim=-1)[:, :, None].expand(*lags.shape, 3)
    i, j = likelihoods.pairs.T
    ranges = _log_ranges(candidates, positions_m).transpose(1, 2)
    spacing = _log((positions_m[:, i] - positions_m[:, j]).norm(dim=-1))[..., None].expand_as(lags)
    further = [_stretches(curves, lags, NEAR) for curves in others]
    there = [near, far, plain, torch.stack([ranges[:, i], ranges[:, j], spacing], dim=-1), whole, *further]
    turned, further_turned = ([each.flip(-1) for each in some] for some in ((near, far, plain), further))
    back = [*turned, torch.stack([ranges[:, j], ranges[:, i], spacing], dim=-1), whole, *further_turned]
    return torch.cat([torch.cat(there, dim=-1), torch.cat(back, dim=-1)], dim=1)


def _profiles(
    likelihoods: PairLikelihoods, candidates: Tensor, positions_m: Tensor, speed_m_s: Tensor
) -> Float[Tensor, "batch directed candidate step"]:
    """How well pairs (i, j), then (j, i), would fit if the first had heard it earlier or later; with and without mask.

    The mean over a microphone's pairs is its profile (profile.py): a direct sound before the one that a candidate explains
    says that it explains an echo. A step holds the highest of its lags: no peak falls between two.
    """
    lags = likelihoods.expected(candidates, positions_m, speed_m_s) * likelihoods.lags_a_second
    steps = tuple(PROFILE_STEP * k for k in range(-PROFILE_STEPS, PROFILE_STEPS + 1))
    highest = (highest_near(curves, PROFILE_STEP // 2) for curves in likelihoods.scaled[:2])
    there = [_stretches(curves, lags, steps) for curves in highest]
    return torch.cat([torch.cat(there, dim=-1), torch.cat([each.flip(-1) for each in there], dim=-1)], dim=1)


def _stretches(
    curves: Float[Tensor, "batch pair lag"], lags: Float[Tensor, "batch pair candidate"], offsets: tuple[int, ...]
) -> Float[Tensor, "batch pair candidate offset"]:
    """The curves round these lags."""
    wanted = lags[..., None] + torch.tensor(offsets).to(lags)
    return look_up(curves, wanted.flatten(2)).unflatten(2, wanted.shape[2:])


def _log_ranges(candidates: Tensor, positions_m: Tensor) -> Float[Tensor, "batch candidate mic"]:
    return _log((candidates[:, :, None] - positions_m[:, None]).norm(dim=-1))


def _log(distances_m: Tensor) -> Tensor:
    return distances_m.clamp_min(CLOSEST_M).log()


def _pooled(
    values: Float[Tensor, "*batch item width"], counts: Bool[Tensor, "*#batch item"]
) -> Float[Tensor, "*batch both"]:
    """Mean and maximum of the items that count; 0 where none does."""
    highest = values.masked_fill(~counts[..., None], NOT_THERE).amax(dim=-2)
    return torch.cat([_mean(values, counts), highest * counts.any(dim=-1, keepdim=True)], dim=-1)


def _mean(
    values: Float[Tensor, "*batch item width"], counts: Bool[Tensor, "*#batch item"]
) -> Float[Tensor, "*batch width"]:
    return (values * counts[..., None]).sum(dim=-2) / counts.sum(dim=-1, keepdim=True).clamp_min(1)
