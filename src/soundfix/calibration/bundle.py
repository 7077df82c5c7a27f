"""Bundle adjustment on arrivals: microphones, their clocks, the speed of sound and all places of a source, at once.

At moment w the source at x_w is heard by microphone m at a time that, times the nominal speed of sound c0, is

    kappa a_mw = |x_w - r_m| + b_w + o_m + q_m t_w + error         kappa = c / c0

with b_w when it sounded, r the positions, o the offsets and q the drifts of the clocks, all as metres of path (o = c0 times
seconds). What is unknown is found by robust least squares (Cauchy's loss): the sum of

    s² log(1 + e² / (s kappa sigma)²)     and of the priors     s² ((value - listed) / sigma)²

(an arrival is measured in seconds: were e not taken by kappa, slower air would make all errors small; were priors not as
generous as arrivals while s is large, one wrong microphone would pull all listed ones along) is made small by steps of
Levenberg and Marquardt, in which the moments' own unknowns are eliminated first (Schur complement; Triggs et al., Bundle
adjustment: a modern synthesis, 2000, sec. 6). The covariance is that of the least squares at the end (sec. 9 there).
Axes: W moments, M microphones, P unknowns of the microphones; xyz last.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from soundfix.robust import medians

SMALLEST_M = 1e-6  # distances, so that directions are finite
MOST_STEPS = 100  # of each scale
# Standard errors beyond which an arrival counts for less: generous first, so that a start far off is not lost.
SCALES = (1000.0, 100.0, 10.0, 1.0)
SETTLED = 1e-6  # relative gain of a step after which there is no more to gain
FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-3, 1e-9, 1e9
LEAST_INFORMATION = 1e-6  # of a moment's unknowns, 1 / m²: nothing, but not singular
MOST_OFF = 3.0  # standard errors that kappa may be off: in air without any speed all sounds come from one spot, and fit


@dataclass(frozen=True, kw_only=True, eq=False)
class Arrivals:
    """path_m: when each microphone heard each moment's sound, times the nominal speed of sound; NaN where it did not.

    sigma_m: its standard error. times_s: of the moments. What all arrivals of a moment have in common does not matter.
    """

    path_m: Float[np.ndarray, "moment mic"]
    sigma_m: Float[np.ndarray, "moment mic"]
    times_s: Float[np.ndarray, "moment"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """Where everything is: positions, offset_m, drift_m_s of microphones, sources of moments, kappa = c / c0."""

    positions: Float[np.ndarray, "mic 3"]
    offset_m: Float[np.ndarray, "mic"]
    drift_m_s: Float[np.ndarray, "mic"]
    sources: Float[np.ndarray, "moment 3"]
    kappa: float = 1.0

    def late_m(self, times_s: Float[np.ndarray, "moment"]) -> Float[np.ndarray, "moment mic"]:
        """By how much each clock is off then: o + q t."""
        return self.offset_m + self.drift_m_s * times_s[:, None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Freedom:
    """Standard errors of what is listed, in the units of Layout: 0 is exact and stays, infinite is not known at all."""

    positions: Float[np.ndarray, "mic"]
    offset_m: Float[np.ndarray, "mic"]
    drift_m_s: Float[np.ndarray, "mic"]
    kappa: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Covariance:
    """What is known of microphones when the sources are not: 3 x 3 blocks (m²), and standard errors of clocks and kappa."""

    positions: Float[np.ndarray, "mic 3 3"]
    offset_m: Float[np.ndarray, "mic"]
    drift_m_s: Float[np.ndarray, "mic"]
    kappa: float

    @property
    def sigma_m(self) -> Float[np.ndarray, "mic"]:
        """Standard errors of position and offset together."""
        deviation: np.ndarray = np.sqrt(np.einsum("maa->m", self.positions).clip(0)) + self.offset_m
        return deviation


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """residual_m: of every arrival, NaN where there is none; cost: half of the sum that was made small."""

    layout: Layout
    residual_m: Float[np.ndarray, "moment mic"]
    cost: float
    covariance: Covariance


def adjust(
    arrivals: Arrivals,
    listed: Layout,
    freedom: Freedom,
    *,
    start: Layout | None = None,
    scales: tuple[float, ...] = SCALES,
) -> Solution:
    """The layout that fits the arrivals best, from `start` (what is listed, by default) downhill."""
    problem = _Problem(arrivals, listed, freedom)
    state = problem.state(start or listed)
    for scale in scales:
        state = problem.downhill(state, scale)
    return Solution(
        layout=problem.layout(state),
        residual_m=problem.residual(state),
        cost=problem.cost(state, scales[-1]),
        covariance=problem.covariance(state, scales[-1]),
    )


def with_moment(
    arrivals: Arrivals, layout: Layout, freedom: Freedom, place: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "mic"]:
    """Standard errors of position and offset together (m), were all microphones to hear one more sound from this place."""
    heard_m = (
        np.linalg.norm(place - layout.positions, axis=1) + layout.late_m(arrivals.times_s[-1:])[0]
    ) / layout.kappa
    more = Arrivals(
        path_m=np.vstack([arrivals.path_m, heard_m]),
        sigma_m=np.vstack([arrivals.sigma_m, np.nanmedian(arrivals.sigma_m, axis=0)]),
        times_s=np.append(arrivals.times_s, arrivals.times_s[-1]),
    )
    there = replace(layout, sources=np.vstack([layout.sources, place]))
    problem = _Problem(more, there, freedom)
    return problem.covariance(problem.state(there), SCALES[-1]).sigma_m


def misfit(arrivals: Arrivals, layout: Layout) -> Float[np.ndarray, "moment mic"]:
    """kappa a less what the layout predicts, in metres, but for b: the median of every moment's is 0."""
    ranges = np.linalg.norm(layout.sources[:, None] - layout.positions, axis=-1)
    off = layout.kappa * arrivals.path_m - ranges - layout.late_m(arrivals.times_s)
    return off - medians(off)[:, None]


class _State(NamedTuple):
    """x and b of moments; x, y, z, offset, drift of microphones; kappa."""

    moments: Float[np.ndarray, "moment 4"]
    microphones: Float[np.ndarray, "mic 5"]
    kappa: float


class _Problem:
    """Least squares over a state; what is exact stays."""

    def __init__(self, arrivals: Arrivals, listed: Layout, freedom: Freedom) -> None:
        self.arrivals, self.listed = arrivals, listed
        each = np.column_stack([*[freedom.positions] * 3, freedom.offset_m, freedom.drift_m_s])
        sigma = np.append(each.ravel(), freedom.kappa)
        self.is_free: Bool[np.ndarray, unknown] = sigma > 0
        self.prior = np.where(self.is_free, 1 / np.square(np.where(self.is_free, sigma, 1.0)), 0.0)
        self.centre = _unknowns(self.state(listed))
        self.is_anywhere = bool(np.isinf(freedom.positions).all())
        self.kappas = listed.kappa + MOST_OFF * (freedom.kappa or np.inf) * np.array([-1, 1])

    def state(self, layout: Layout) -> _State:
        each = np.column_stack([layout.positions, layout.offset_m, layout.drift_m_s])
        unsounded = _State(np.pad(layout.sources, ((0, 0), (0, 1))), each, layout.kappa)
        unsounded.moments[:, 3] = medians(self.residual(unsounded))
        return unsounded

    def layout(self, state: _State) -> Layout:
        each = state.microphones
        return Layout(
            positions=each[:, :3],
            offset_m=each[:, 3],
            drift_m_s=each[:, 4],
            sources=state.moments[:, :3],
            kappa=state.kappa,
        )

    def residual(self, state: _State) -> Float[np.ndarray, "moment mic"]:
        a, (places, sounded), each = self.arrivals, np.split(state.moments, [3], axis=1), state.microphones
        ranges = np.linalg.norm(places[:, None] - each[:, :3], axis=-1)
        return state.kappa * a.path_m - ranges - sounded - each[:, 3] - each[:, 4] * a.times_s[:, None]

    def cost(self, state: _State, scale: float) -> float:
        heavy = scale**2 * np.log1p(np.square(self.residual(state) / (scale * state.kappa * self.arrivals.sigma_m)))
        return float(np.nansum(heavy) + scale**2 * self.prior @ np.square(_unknowns(state) - self.centre)) / 2

    def downhill(self, state: _State, scale: float) -> _State:
        """Steps, longer or shorter as they succeed, until there is nothing more to gain."""
        cost, damping = self.cost(state, scale), FIRST_DAMPING
        for _ in range(MOST_STEPS):
            system = _Normal(self, state, scale)
            tried = system.step(damping)
            while (gain := cost - self.cost(tried, scale)) <= 0 and damping < MOST_DAMPING:
                damping *= 10
                tried = system.step(damping)
            if gain <= 0:
                break
            state, cost, damping = tried, cost - gain, max(damping / 10, LEAST_DAMPING)
            if gain < SETTLED * cost:
                break
        return state

    def covariance(self, state: _State, scale: float) -> Covariance:
        """The inverse of the information that is left when the moments are not known.

        Where no microphone is held, what moves or turns all alike is left out (inner constraints; Triggs et al., sec. 9).
        """
        covariance = np.zeros((len(self.centre), len(self.centre)))
        free, information = np.ix_(self.is_free, self.is_free), _Normal(self, state, scale).left()
        if self.is_anywhere:
            inner = _without_motions(state.microphones[:, :3], len(information))
            information = inner @ information @ inner
        inverse = np.linalg.pinv(information[free], rcond=1e-9 if self.is_anywhere else 1e-12, hermitian=True)
        covariance[free] = inverse if np.diag(inverse).min() >= 0 else _positive_part(inverse)
        deviation = np.sqrt(np.diag(covariance).clip(0))
        each, count = deviation[:-1].reshape(-1, 5), len(self.listed.positions)
        corner = covariance[:-1, :-1].reshape(count, 5, count, 5)[:, :3, :, :3]
        return Covariance(
            positions=np.einsum("mamb->mab", corner),
            offset_m=each[:, 3],
            drift_m_s=each[:, 4],
            kappa=float(deviation[-1]),
        )


class _Normal:
    """The normal equations at a state, in blocks: of moments, of microphones' unknowns, and between the two."""

    def __init__(self, problem: _Problem, state: _State, scale: float) -> None:
        a, self.state, self.is_free, self.kappas = problem.arrivals, state, problem.is_free, problem.kappas
        off = problem.residual(state)
        weight = np.nan_to_num(1 / (np.square(state.kappa * a.sigma_m) + np.square(off / scale)))
        off, path = np.nan_to_num(off), np.nan_to_num(a.path_m - off / state.kappa)  # d(e / kappa), times kappa
        units = _units(state.moments[:, None, :3] - state.microphones[:, :3])
        one = np.ones((*off.shape, 1))
        time = np.broadcast_to(a.times_s[:, None, None], one.shape)
        moment, microphone = np.concatenate([units, one], axis=2), np.concatenate([-units, one, time], axis=2)
        heavy, unknowns = weight[..., None] * moment, len(problem.prior)

        def with_kappa(each: np.ndarray, kappa: np.ndarray) -> np.ndarray:
            return np.concatenate([each.reshape(*each.shape[:-2], -1), kappa[..., None]], axis=-1) * self.is_free

        self.own = np.einsum("wma,wmb->wab", heavy, moment)
        self.cross = with_kappa(np.einsum("wma,wmu->wamu", heavy, microphone), -np.einsum("wma,wm->wa", heavy, path))
        self.pull = np.einsum("wma,wm->wa", heavy, off)
        self.draw = with_kappa(
            np.einsum("wm,wmu->mu", weight * off, microphone), np.array(-np.sum(weight * off * path))
        )
        prior = scale**2 * problem.prior
        self.draw += prior * (problem.centre - _unknowns(state))
        blocks = np.zeros((unknowns, unknowns))
        of_each = blocks[:-1, :-1].reshape(len(a.path_m[0]), 5, -1, 5)
        np.einsum("mumv->muv", of_each)[:] = np.einsum("wm,wmu,wmv->muv", weight, microphone, microphone, optimize=True)
        blocks[-1, :-1] = blocks[:-1, -1] = -np.einsum("wm,wmu->mu", weight * path, microphone).ravel()
        blocks[-1, -1] = np.sum(weight * path**2)
        self.rest = blocks * np.outer(self.is_free, self.is_free) + np.diag(prior)

    def step(self, damping: float) -> _State:
        """Marquardt's: every unknown's own information grows by this share."""
        least = LEAST_INFORMATION * np.eye(4)
        inverse = np.linalg.inv(self.own + damping * np.einsum("waa,ab->wab", self.own, np.eye(4)) + least)
        back = np.einsum("wab,wbp->wap", inverse, self.cross)
        rest = self.rest + np.diag(damping * np.diag(self.rest) + LEAST_INFORMATION + ~self.is_free)
        left = rest - np.tensordot(self.cross, back, axes=([0, 1], [0, 1]))
        change = np.linalg.solve(left, self.draw - np.einsum("wap,wa->p", back, self.pull))
        moved = np.einsum("wab,wb->wa", inverse, self.pull) - back @ change
        each = change[:-1].reshape(-1, 5)
        before = self.state
        kappa = float(np.clip(before.kappa + change[-1], *self.kappas))
        return _State(before.moments + moved, before.microphones + each, kappa)

    def left(self) -> Float[np.ndarray, "unknown unknown"]:
        """The information on microphones when the moments are not known."""
        inverse = np.linalg.inv(self.own + LEAST_INFORMATION * np.eye(4))
        back = np.einsum("wab,wbp->wap", inverse, self.cross)
        return self.rest - np.tensordot(self.cross, back, axes=([0, 1], [0, 1]))


def _unknowns(state: _State) -> Float[np.ndarray, "unknown"]:
    return np.append(state.microphones.ravel(), state.kappa)


def _units(vectors: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3"]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), SMALLEST_M)


def _without_motions(positions: Float[np.ndarray, "mic 3"], unknowns: int) -> Float[np.ndarray, "unknown unknown"]:
    """The projection onto what neither moves nor turns all microphones alike."""
    motions, axes = np.zeros((unknowns, 6)), np.eye(3)
    turned = np.cross(axes[None], (positions - positions.mean(axis=0))[:, None])
    each = np.concatenate([np.broadcast_to(axes, turned.shape), turned], axis=1)
    motions[:-1].reshape(len(positions), 5, 6)[:, :3] = each.transpose(0, 2, 1)
    basis = np.linalg.qr(motions)[0]
    return np.eye(unknowns) - basis @ basis.T


def _positive_part(symmetric: Float[np.ndarray, "unknown unknown"]) -> Float[np.ndarray, "unknown unknown"]:
    """Without its negative eigenvalues, which a solution that has not settled leaves in the information."""
    values, vectors = np.linalg.eigh(symmetric)
    return (vectors * values.clip(0)) @ vectors.T
