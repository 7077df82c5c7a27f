"""What training makes small: eq. 8 of arXiv 2505.20961 in two readings, and the cross-entropy of the likelihood head.

Printed:  lambda_sound sum_m |s^_m - s_m|^2 + lambda_mloc sum_m |r^_m - r_m|^2
          + lambda_sloc sum_(i,j) | |r^_i - r^_j|^2 - |r_i - r_j|^2 |          over pairs of sources

As printed, the last term is empty for one source and blind to moving or turning all sources together, so nothing would
place a single source ("printed" is kept to show it). What we train ("placed") has means instead of sums, the squared
error of the source positions themselves, and the pairwise term over sources and microphones together.
Sources have no order: the permutation of slots with the smallest squared error counts (K <= 4).
Coordinates are normalised (about 1 is the size of a room). Axes: B batch, M microphones, K sources, N points.
"""

from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from soundfix.errors import SceneError

Reading = Literal["placed", "printed"]
NEAR_POINTS, NEAR_M = 64, 0.4  # of the points a likelihood is compared at, so many lie this near to the truth
TARGET_M = 0.03  # points this near to the truth are as good as the truth


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """lambda of each term (method: 0.1, 1, 1), of the likelihood, and which reading of eq. 8.

    pairs: of the pairwise term, times that of sources: with one source it is about microphones of hidden position alone.
    """

    sound: float = 0.1
    microphones: float = 1.0
    sources: float = 1.0
    pairs: float = 1.0
    likelihood: float = 1.0
    reading: Reading = "placed"


def total_loss(
    weights: LossWeights, *, guess: dict[str, Tensor], truth: dict[str, Tensor], counts: dict[str, Tensor] | None = None
) -> dict[str, Float[Tensor, ""]]:
    """The terms of eq. 8, each times its lambda; their sum is the loss.

    guess and truth hold "sound" (batch, mic, sample), "microphones" (batch, mic, 3) and "sources" (batch, source, 3), counts
    which of them count (all, without it).
    """
    counts = counts or {name: torch.ones(t.shape[:2], dtype=torch.bool, device=t.device) for name, t in truth.items()}
    sources, is_there = best_order(guess["sources"], truth["sources"], counts["sources"])
    reading = weights.reading
    microphones = guess["microphones"], truth["microphones"], counts["microphones"]
    terms = {
        "sound": weights.sound * sound_loss(guess["sound"], truth["sound"], counts["sound"], reading=reading),
        "microphones": weights.microphones * position_loss(*microphones, reading=reading),
    }
    if reading == "printed":
        return terms | {"pairs": weights.sources * pairwise_loss(guess["sources"], sources, is_there, reading=reading)}
    together = [torch.cat(both, dim=1) for both in zip((guess["sources"], sources, is_there), microphones, strict=True)]
    return terms | {
        "sources": weights.sources * position_loss(guess["sources"], sources, is_there),
        "pairs": weights.sources * weights.pairs * pairwise_loss(together[0], together[1], together[2]),
    }


def sound_loss(
    guess: Float[Tensor, "batch mic sample"],
    truth: Float[Tensor, "batch mic sample"],
    counts: Bool[Tensor, "batch mic"],
    *,
    reading: Reading = "placed",
) -> Float[Tensor, ""]:
    """Squared error of the reconstructed sounds that count (those that were hidden, in training)."""
    return _reduce((guess - _known(truth, guess, counts)).square().mean(dim=-1), counts, reading)


def position_loss(
    guess: Float[Tensor, "batch point 3"],
    truth: Float[Tensor, "batch point 3"],
    counts: Bool[Tensor, "batch point"],
    *,
    reading: Reading = "placed",
) -> Float[Tensor, ""]:
    """Squared distance between guesses and truths that count."""
    return _reduce((guess - _known(truth, guess, counts)).square().sum(dim=-1), counts, reading)


def pairwise_loss(
    guess: Float[Tensor, "batch point 3"],
    truth: Float[Tensor, "batch point 3"],
    counts: Bool[Tensor, "batch point"],
    *,
    reading: Reading = "placed",
) -> Float[Tensor, ""]:
    """| |r^_i - r^_j|^2 - |r_i - r_j|^2 | over the pairs i < j of points that count."""
    i, j = torch.triu_indices(guess.shape[1], guess.shape[1], 1, device=guess.device)
    both = guess, _known(truth, guess, counts)
    gaps = [(points[:, i] - points[:, j]).square().sum(dim=-1) for points in both]
    return _reduce((gaps[0] - gaps[1]).abs(), counts[:, i] & counts[:, j], reading)


def best_order(
    guess: Float[Tensor, "batch slot 3"],
    truth: Float[Tensor, "batch source 3"],
    is_there: Bool[Tensor, "batch source"],
) -> tuple[Float[Tensor, "batch slot 3"], Bool[Tensor, "batch slot"]]:
    """The true sources, and which of them are there, one a guess, in the order that fits best."""
    truth, is_there = _padded(truth, is_there, guess.shape[1])
    orders = torch.tensor(list(permutations(range(guess.shape[1]))), device=guess.device)
    error = (guess[:, None] - truth[:, orders]).square().sum(dim=-1).where(is_there[:, orders], 0.0)
    best = orders[error.sum(dim=-1).argmin(dim=-1)]
    return truth.gather(1, best[..., None].expand_as(truth)), is_there.gather(1, best)


def likelihood_loss(
    scores: Float[Tensor, "batch slot point"],
    points: Float[Tensor, "batch point 3"],
    truth: Float[Tensor, "batch source 3"],
    is_there: Bool[Tensor, "batch source"],
) -> Float[Tensor, ""]:
    """Cross-entropy of log p at the points against a narrow Gaussian round each source, in the best order of sources.

    A single slot speaks for all sources. Among the points are the sources themselves (draw_points).
    """
    if scores.shape[1] == 1:
        scores = scores.expand(-1, truth.shape[1], -1)
    truth, is_there = _padded(truth, is_there, scores.shape[1])
    gaps_m2 = (points[:, None] - truth[:, :, None]).square().sum(dim=-1)
    target = (-gaps_m2 / (2 * TARGET_M**2)).softmax(dim=-1)
    entropy = -torch.einsum("bsn,btn->bst", scores.log_softmax(dim=-1), target) * is_there[:, None]
    orders = torch.tensor(list(permutations(range(truth.shape[1]))), device=truth.device)
    slots = torch.arange(truth.shape[1], device=truth.device)
    total = entropy[:, slots, orders].sum(dim=-1).min(dim=-1).values
    return (total / is_there.sum(dim=-1).clamp_min(1)).mean()


def choice_loss(
    odds: Float[Tensor, "batch answer"], is_right: Bool[Tensor, "batch candidate source"], counts: Bool[Tensor, "batch"]
) -> Float[Tensor, ""]:
    """Cross-entropy of the candidates that are right, the mean over the sources that have one: they share the probability.

    The last answer, "none of them", is right where no source has one.
    """
    likely = odds.log_softmax(dim=1)
    is_found = is_right.any(dim=1)
    each = -likely[:, :-1, None].masked_fill(~is_right, -torch.inf).logsumexp(dim=1)
    found = each.where(is_found, 0.0).sum(dim=1) / is_found.sum(dim=1).clamp_min(1)
    entropy = found.where(is_found.any(dim=1), -likely[:, -1])
    return entropy.where(counts, 0.0).sum() / counts.sum().clamp_min(1)


def lag_loss(
    logits: Float[Tensor, "batch pair lag"], lags: Float[Tensor, "batch pair"], counts: Bool[Tensor, "batch pair"]
) -> Float[Tensor, ""]:
    """Cross-entropy with the rounded true lag (0 in the middle) of the pairs that count, as NGCC-PHAT is trained."""
    last = logits.shape[-1] - 1
    target = (lags.nan_to_num() + last / 2).round().clamp(0, last).long()
    entropy = functional.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none").view(target.shape)
    return _reduce(entropy, counts, "placed")


def draw_points(
    truth: Float[Tensor, "batch source 3"],
    box_m: Float[Tensor, "batch 2 3"],
    *,
    count: int,
    generator: torch.Generator,
) -> Float[Tensor, "batch point 3"]:
    """The sources, NEAR_POINTS places near each, and `count` places anywhere in the box.

    A source that is not there may be NaN; the middle of the box stands in for it.
    """
    batch, sources, _ = truth.shape
    device = generator.device
    offsets = torch.randn(batch, sources, NEAR_POINTS, 3, generator=generator, device=device).to(truth)
    anywhere = torch.rand(batch, count, 3, generator=generator, device=device).to(truth)
    truth = torch.where(truth.isnan(), box_m.mean(dim=1, keepdim=True), truth)
    near = (truth[:, :, None] + NEAR_M * offsets).flatten(1, 2)
    return torch.cat([truth, near, box_m[:, :1] + anywhere * (box_m[:, 1:] - box_m[:, :1])], dim=1)


def _known(truth: Float[Tensor, "*batch"], guess: Float[Tensor, "*batch"], counts: Bool[Tensor, "batch row"]) -> Tensor:
    """The truth where it counts; elsewhere it may be NaN, and the guess takes its place."""
    return torch.where(counts[..., None], truth, guess.detach())


def _padded(
    truth: Float[Tensor, "batch source 3"], is_there: Bool[Tensor, "batch source"], slots: int
) -> tuple[Float[Tensor, "batch slot 3"], Bool[Tensor, "batch slot"]]:
    """One true source a slot: those that are not there are at 0."""
    missing = slots - truth.shape[1]
    if missing < 0:
        raise SceneError(
            f"{truth.shape[1]} true sources for {slots} slots: was the network built with sources={slots}?"
        )
    truth = truth.where(is_there[..., None], 0.0)
    return functional.pad(truth, (0, 0, 0, missing)), functional.pad(is_there, (0, missing))


def _reduce(errors: Float[Tensor, "*batch"], counts: Bool[Tensor, "*batch"], reading: Reading) -> Float[Tensor, ""]:
    """The mean of the errors that count in a window, then over windows; as printed: their sum.

    Every window weighs the same, so that the mean over parts of a batch of the same size is that of the batch.
    """
    total = errors.where(counts, torch.zeros_like(errors)).sum(dim=-1)
    return total.sum() if reading == "printed" else (total / counts.sum(dim=-1).clamp_min(1)).mean()
