"""What every pair says of where the source is, as arrays of either kind: of PyTorch, or of numpy where there is no PyTorch.

    log p(x) = beta / sqrt(P) * sum_ij  w_ij l_ij(tau_ij(x)) / sigma  + constant

likelihood.py says how the curves l_ij come about; here they are looked up.
Axes: B batch, P pairs, K sources, L lags, N points.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from soundfix.physics import EXPLAINED_M
from soundfix.signal import gcc
from soundfix.signal.arrays import (
    Array,
    as_kind,
    as_precise,
    lengths,
    lower_median,
    namespace,
    of_kind,
    taken,
    to_numpy,
)

USUAL = 5.0  # a pair's evidence at a source, in standard deviations of chance


@dataclass(frozen=True, kw_only=True, eq=False)
class PairLikelihoods:
    """What every pair says: curves over lags -max..max, lags_a_second apart, and its gate for each source.

    curves: 1 for identical channels, around 0 +- sigma for strangers. plain: the correlation that they were made of, without
    a mask; partial: a second one, whitened by a part only, if the head has it. gates: 0 where the pair is of no use.
    is_placed: both microphones are heard and known; the others' curves say nothing of a point. window_s: length of the
    sound that was correlated. passed: its spectra, white, as far as the mask lets them through.
    """

    curves: Float[Array, "batch pair lag"]
    plain: Float[Array, "batch pair lag"]
    gates: Float[Array, "batch source pair"]
    coherence: Float[Array, "batch pair"]
    is_placed: Bool[Array, "batch pair"]
    pairs: Int[Array, "pair 2"]
    lags_a_second: float
    sigma: float | Float[Array, ""]
    sharpness: Float[Array, ""]
    window_s: float | Float[Array, ""]
    partial: Float[Array, "batch pair lag"] | None = None
    passed: Complex[Array, "batch mic freq"] | None = None

    @property
    def unmasked(self) -> tuple[Float[Array, "batch pair lag"], ...]:
        """The curves without a mask that there are."""
        return (self.plain,) if self.partial is None else (self.plain, self.partial)

    @cached_property
    def scaled(self) -> tuple[Float[Array, "batch pair lag"], ...]:
        """The curves, then those without a mask: about 1 high at a source."""
        return tuple(each / (USUAL * self.sigma) for each in (self.curves, *self.unmasked))

    @cached_property
    def usual(self) -> tuple[Float[Array, "batch pair 1"], ...]:
        """How high the curves, then those without a mask, are anywhere."""
        return tuple(lower_median(each) for each in (self.curves, *self.unmasked))

    @property
    def physics(self) -> "PairLikelihoods":
        """The plain curves alone, all pairs alike: steered response power."""
        return replace(self, curves=self.plain, gates=namespace(self.gates).ones_like(self.gates[:, :1]))

    def at(
        self,
        points: Float[Array, "batch point 3"],
        positions_m: Float[Array, "batch mic 3"],
        speed_m_s: Float[Array, "batch"],
    ) -> Float[Array, "batch source point"]:
        """log p at these points, up to a constant."""
        evidence = look_up(self.curves, self.expected(points, positions_m, speed_m_s) * self.lags_a_second)
        gates = self.gates * self.is_placed[:, None]
        pairs = (gates > 0).sum(axis=-1)[..., None].clip(1)
        with gcc.exact(evidence):
            return self.sharpness * (as_precise(gates, evidence) @ evidence) / (self.sigma * pairs**0.5)

    def expected(
        self,
        points: Float[Array, "batch point 3"],
        positions_m: Float[Array, "batch mic 3"],
        speed_m_s: Float[Array, "batch"],
    ) -> Float[Array, "batch pair point"]:
        """tau_ij(x) in seconds; 0 of pairs that are not placed."""
        tau_s = delays(points, positions_m, self.pairs, speed_m_s)
        return namespace(tau_s).where(self.is_placed[..., None], tau_s, 0.0)

    def without(
        self,
        places: Float[Array, "batch place 3"],
        is_there: Bool[Array, "batch place"],
        positions_m: Float[Array, "batch mic 3"],
        speed_m_s: Float[Array, "batch"],
    ) -> "PairLikelihoods":
        """The same as if these sources had not sounded: curves are at their usual height round the delays of each."""
        lags = self.expected(places, positions_m, speed_m_s) * self.lags_a_second
        middle = (self.curves.shape[-1] - 1) / 2
        off = as_kind(np.arange(self.curves.shape[-1]), lags) - middle - lags[..., None]
        near = abs(off) * speed_m_s[:, None, None, None] / self.lags_a_second < EXPLAINED_M
        is_explained = (near & is_there[:, None, :, None]).any(axis=2)
        curves, *unmasked = (
            namespace(lags).where(is_explained, usual, each)
            for usual, each in zip(self.usual, (self.curves, *self.unmasked), strict=True)
        )
        return replace(self, curves=curves, plain=unmasked[0], partial=unmasked[1] if len(unmasked) > 1 else None)


class Partners(NamedTuple):
    """Of every microphone the numbers of its directed pairs, (i, j) then (j, i); False where it has fewer than others."""

    order: Int[Array, "mic partner"]
    is_pair: Bool[Array, "mic partner"]


def partners_of(pairs: Int[Array, "pair 2"], count: int) -> Partners:
    """The directed pairs that begin with each of so many microphones."""
    ends = to_numpy(pairs)
    is_own = np.concatenate([ends[:, 0], ends[:, 1]]) == np.arange(count)[:, None]
    order = np.argsort(~is_own, axis=1, kind="stable")[:, : is_own.sum(axis=1).max()]
    return Partners(of_kind(order, pairs), of_kind(np.take_along_axis(is_own, order, axis=1), pairs))


def delays(
    points: Float[Array, "batch point 3"],
    positions_m: Float[Array, "batch mic 3"],
    pairs: Int[Array, "pair 2"],
    speed_m_s: Float[Array, "batch"],
) -> Float[Array, "batch pair point"]:
    """tau_ij(x) in seconds."""
    ranges = lengths(points[:, None] - positions_m[:, :, None])
    return (ranges[:, pairs[:, 0]] - ranges[:, pairs[:, 1]]) / speed_m_s[:, None, None]


def look_up(
    curves: Float[Array, "batch pair lag"], lags: Float[Array, "batch pair point"]
) -> Float[Array, "batch pair point"]:
    """The curves at these lags (0 in the middle), linear between, constant beyond the ends."""
    last = curves.shape[-1] - 1
    place = (lags + last / 2).clip(0, last)
    below = namespace(place).floor(place).clip(None, last - 1)
    left, right = (taken(curves, below + step) for step in (0, 1))
    return left + (place - below) * (right - left)
