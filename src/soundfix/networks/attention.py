"""Who looks at whom: cross-attention, and sparse cross-attention that keeps each query's T strongest keys.

    attention(q, k, v) = softmax(q k^T / sqrt(d_k)) v                          (arXiv 2505.20961, after Vaswani et al., 2017)

Axes: B batch, H heads, Q queries, N keys, D width of a head. T is a number of keys, or a share of them; per query
and head, the other scores become -inf before the softmax. T >= N is dense attention, bit for bit.

Choosing the strongest keys needs all scores, so T prunes weights, not the product q k^T. What it can save is the second
product: fetching T keys' values instead of multiplying all. Measured (bench/attention.py), that is faster than
multiplying zeros where 2 % of the keys are kept or less, and neither is faster than dense attention: T is
there for what it makes the network learn, not for speed.

A key may be masked out. A query without any key gets zeros, and finite gradients.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

Keep = int | float  # a number of keys, or (a float from 0 to 1) a share of them
MORE_THAN_ANY = 1 << 30
ROUNDING = 1e-6  # 0.07 of 100 keys is 7, though 0.07 * 100 is a trace more
GATHER_SHARE, GATHER_ANYWAY = 0.02, 2  # gathering is faster when this share of the keys, or so few, are kept


class Attended(NamedTuple):
    """What the queries get, and what each looked at (weights sum to 1, or 0 where there was nothing to look at)."""

    values: Float[Tensor, "*batch query width"]
    weights: Float[Tensor, "*batch query key"]


def dense_attention(
    q: Float[Tensor, "*batch query width"],
    k: Float[Tensor, "*batch key width"],
    v: Float[Tensor, "*batch key value"],
    *,
    key_mask: Bool[Tensor, "*#batch key"] | None = None,
) -> Attended:
    """softmax(q k^T / sqrt(d)) v over the keys that are not masked out (key_mask False)."""
    weights = _softmax(_scores(q, k), key_mask)
    return Attended(weights @ v, weights)


def sparse_attention(
    q: Float[Tensor, "*batch query width"],
    k: Float[Tensor, "*batch key width"],
    v: Float[Tensor, "*batch key value"],
    *,
    keep: Keep,
    key_mask: Bool[Tensor, "*#batch key"] | None = None,
) -> Attended:
    """Dense attention in which each query keeps only its `keep` best keys."""
    if keeps_all(keep):
        return dense_attention(q, k, v, key_mask=key_mask)
    keys = k.shape[-2]
    there = torch.tensor(keys) if key_mask is None else key_mask.sum(dim=-1)
    kept = count_kept(keep, there)
    if bool((kept >= there).all()):
        return dense_attention(q, k, v, key_mask=key_mask)
    form = gathered_attention if is_gather_faster(int(kept.max()), keys) else masked_attention
    return form(_scores(q, k), v, kept=kept, key_mask=key_mask)


def masked_attention(
    scores: Float[Tensor, "*batch query key"],
    v: Float[Tensor, "*batch key value"],
    *,
    kept: Int[Tensor, "*#batch"],
    key_mask: Bool[Tensor, "*#batch key"] | None = None,
) -> Attended:
    """Scores outside each query's `kept` best become -inf."""
    best_scores, best = _best(scores, kept, key_mask)
    is_kept = torch.zeros_like(scores, dtype=torch.bool).scatter(-1, best, ~torch.isneginf(best_scores))
    weights = _softmax(scores.masked_fill(~is_kept, -torch.inf), None)
    return Attended(weights @ v, weights)


def gathered_attention(
    scores: Float[Tensor, "*batch query key"],
    v: Float[Tensor, "*batch key value"],
    *,
    kept: Int[Tensor, "*#batch"],
    key_mask: Bool[Tensor, "*#batch key"] | None = None,
) -> Attended:
    """The same, fetching only the kept keys' values."""
    best_scores, best = _best(scores, kept, key_mask)
    best_weights = _softmax(best_scores, None).to(v.dtype)
    fetched = torch.take_along_dim(v[..., None, :, :], best[..., None], dim=-2)
    weights = torch.zeros_like(scores, dtype=v.dtype).scatter(-1, best, best_weights)
    return Attended((best_weights[..., None, :] @ fetched).squeeze(-2), weights)


def keeps_all(keep: Keep) -> bool:
    """Whether no number of keys is too many."""
    return keep >= (MORE_THAN_ANY if isinstance(keep, int) else 1.0)


def count_kept(keep: Keep, keys: Int[Tensor, "*batch"]) -> Int[Tensor, "*batch"]:
    """T as a number: of 10 keys, 3 keeps 3 and 0.25 keeps 3. A share is one of the keys that are there."""
    if isinstance(keep, int):
        return keys.clamp_max(keep)
    return torch.minimum(keys, (keep * keys - ROUNDING).ceil().clamp_min(1).long())


def is_gather_faster(kept: int, keys: int) -> bool:
    """As measured by bench/attention.py."""
    return kept <= max(GATHER_ANYWAY, GATHER_SHARE * keys)


def _best(
    scores: Float[Tensor, "*batch query key"],
    kept: Int[Tensor, "*#batch"],
    key_mask: Bool[Tensor, "*#batch key"] | None,
) -> tuple[Float[Tensor, "*batch query best"], Int[Tensor, "*batch query best"]]:
    """The strongest scores and their keys; -inf where a query keeps fewer than the most that any does."""
    if key_mask is not None:
        scores = scores.masked_fill(~key_mask[..., None, :], -torch.inf)
    best_scores, best = scores.topk(max(1, int(kept.max())), dim=-1)
    rank = torch.arange(best.shape[-1], device=best.device)
    return best_scores.masked_fill(rank >= kept[..., None, None], -torch.inf), best


def _scores(q: Float[Tensor, "*batch query width"], k: Float[Tensor, "*batch key width"]) -> Tensor:
    return q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5


def _softmax(scores: Float[Tensor, "*batch query key"], key_mask: Bool[Tensor, "*#batch key"] | None) -> Tensor:
    """Over the keys that are left; zeros where none is."""
    if key_mask is not None:
        scores = scores.masked_fill(~key_mask[..., None, :], -torch.inf)
    is_alone = torch.isneginf(scores).all(dim=-1, keepdim=True)
    return scores.masked_fill(is_alone, 0.0).softmax(dim=-1).masked_fill(is_alone, 0.0)


class CrossAttention(nn.Module):
    """Multi-head attention of queries to keys and values made from the same tokens; dense, or the best `keep` keys."""

    def __init__(self, width: int, heads: int, *, keep: Keep = MORE_THAN_ANY) -> None:
        super().__init__()
        self.heads, self.keep = heads, keep
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)

    def forward(
        self,
        queries: Float[Tensor, "batch query width"],
        keys: Float[Tensor, "batch key width"],
        *,
        key_mask: Bool[Tensor, "batch key"],
    ) -> Attended:
        """Values (batch, query, width) and weights, the mean over heads (batch, query, key)."""
        q, k, v = self._split(self.query(queries)), self._split(self.key(keys)), self._split(self.value(keys))
        values, weights = sparse_attention(q, k, v, keep=self.keep, key_mask=key_mask[:, None])
        return Attended(self.out(values.transpose(1, 2).flatten(2)), weights.mean(dim=1))

    def _split(self, tokens: Float[Tensor, "batch token width"]) -> Float[Tensor, "batch head token part"]:
        return tokens.unflatten(-1, (self.heads, -1)).transpose(1, 2)
