"""Bundle adjustment on delays: microphones, their clocks, the speed of sound and all places of a source, at once.

At moment w the source at x_w is heard by microphones i and j with a delay that, times the nominal speed of sound c0, is

    kappa d_ijw = |x_w - r_i| - |x_w - r_j| + (o_i - o_j) + (q_i - q_j) t_w + error         kappa = c / c0

with r the positions, o the offsets and q the drifts of the clocks, both as metres of path (o = c0 times seconds). What
is unknown is found by robust least squares (Cauchy's loss, scipy's trust region, sparse derivatives): the sum of the

    rho((kappa d - predicted)² / s²)     and of the priors     ((value - listed) / sigma)²

The covariance is that of the least squares at the end (Triggs et al., Bundle adjustment: a modern synthesis, 2000, sec. 9).
Axes: W moments, M microphones, N delays, xyz last.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import least_squares
from scipy.sparse import csr_array, diags_array, hstack, vstack

SMALLEST_M = 1e-6  # distances, so that directions are finite
MOST_STEPS = 200  # of each scale
# Standard errors beyond which a delay counts for less: generous first, so that a start far off is not lost.
SCALES = (1000.0, 100.0, 10.0, 1.0)
LEAST_INFORMATION = 1e-6  # of a source's place, 1 / m²: nothing, but not singular


@dataclass(frozen=True, kw_only=True, eq=False)
class Delays:
    """moment, first, second: whose delay; path_m: it, times the nominal speed of sound; sigma_m: its standard error."""

    moment: Int[np.ndarray, "delay"]
    first: Int[np.ndarray, "delay"]
    second: Int[np.ndarray, "delay"]
    path_m: Float[np.ndarray, "delay"]
    sigma_m: Float[np.ndarray, "delay"]
    times_s: Float[np.ndarray, "moment"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """Where everything is: positions, offset_m, drift_m_s of microphones, sources of moments, kappa = c / c0."""

    positions: Float[np.ndarray, "mic 3"]
    offset_m: Float[np.ndarray, "mic"]
    drift_m_s: Float[np.ndarray, "mic"]
    sources: Float[np.ndarray, "moment 3"]
    kappa: float = 1.0


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """residual_m: of every delay; cost: half of the sum that was made small."""

    layout: Layout
    residual_m: Float[np.ndarray, "delay"]
    cost: float
    covariance: Covariance


def adjust(delays: Delays, listed: Layout, freedom: Freedom, *, start: Layout | None = None) -> Solution:
    """The layout that fits the delays best, from `start` (what is listed, by default) downhill."""
    problem = _Problem(delays, listed, freedom)
    x = problem.vector(start or listed)
    for scale in SCALES:
        found = least_squares(
            problem.residuals,
            x,
            jac=problem.jacobian,
            loss=problem.loss,
            f_scale=scale,
            x_scale="jac",
            tr_solver="lsmr",
            max_nfev=MOST_STEPS,
        )
        x = found.x
    layout = problem.layout(found.x)
    return Solution(
        layout=layout,
        residual_m=misfit(delays, layout),
        cost=float(found.cost),
        covariance=problem.covariance(found.x),
    )


def misfit(delays: Delays, layout: Layout) -> Float[np.ndarray, "delay"]:
    """kappa d - predicted, in metres."""
    i, j = delays.first, delays.second
    x, t = layout.sources[delays.moment], delays.times_s[delays.moment]
    ranges = [np.linalg.norm(x - layout.positions[m], axis=1) for m in (i, j)]
    clocks = layout.offset_m[i] - layout.offset_m[j] + (layout.drift_m_s[i] - layout.drift_m_s[j]) * t
    return layout.kappa * delays.path_m - (ranges[0] - ranges[1]) - clocks


class _Problem:
    """Least squares over a vector of what is free: sources, then positions, offsets, drifts, kappa."""

    def __init__(self, delays: Delays, listed: Layout, freedom: Freedom) -> None:
        self.delays, self.listed = delays, listed
        self.moves, self.is_late, self.drifts = (
            each > 0 for each in (freedom.positions, freedom.offset_m, freedom.drift_m_s)
        )
        self.has_speed = freedom.kappa > 0
        sizes = [listed.sources.size, 3 * self.moves.sum(), self.is_late.sum(), self.drifts.sum(), int(self.has_speed)]
        self.ends = np.cumsum([0, *sizes])
        sigma = [
            np.full(sizes[0], np.inf),
            np.repeat(freedom.positions[self.moves], 3),
            freedom.offset_m[self.is_late],
            freedom.drift_m_s[self.drifts],
            np.full(sizes[4], freedom.kappa),
        ]
        self.sigma = np.concatenate(sigma)
        self.prior = np.flatnonzero(np.isfinite(self.sigma))

    def vector(self, layout: Layout) -> Float[np.ndarray, "parameter"]:
        return np.concatenate(
            [
                layout.sources.ravel(),
                layout.positions[self.moves].ravel(),
                layout.offset_m[self.is_late],
                layout.drift_m_s[self.drifts],
                [layout.kappa] * self.has_speed,
            ]
        )

    def layout(self, x: Float[np.ndarray, "parameter"]) -> Layout:
        sources, positions, offset, drift, kappa = np.split(x, self.ends[1:-1])
        return replace(
            self.listed,
            sources=sources.reshape(-1, 3),
            positions=_filled(self.listed.positions, self.moves, positions.reshape(-1, 3)),
            offset_m=_filled(self.listed.offset_m, self.is_late, offset),
            drift_m_s=_filled(self.listed.drift_m_s, self.drifts, drift),
            kappa=float(kappa[0]) if self.has_speed else self.listed.kappa,
        )

    def residuals(self, x: Float[np.ndarray, "parameter"]) -> Float[np.ndarray, "residual"]:
        off_list = (x - self.vector(self.listed))[self.prior] / self.sigma[self.prior]
        return np.concatenate([misfit(self.delays, self.layout(x)) / self.delays.sigma_m, off_list])

    def loss(self, squared: Float[np.ndarray, "residual"]) -> Float[np.ndarray, "3 residual"]:
        """Cauchy's for delays, the square itself for priors; with first and second derivatives."""
        heavy = np.array([np.log1p(squared), 1 / (1 + squared), -1 / np.square(1 + squared)])
        plain = np.array([squared, np.ones_like(squared), np.zeros_like(squared)])
        return np.where(np.arange(len(squared)) < len(self.delays.path_m), heavy, plain)

    def jacobian(self, x: Float[np.ndarray, "parameter"]) -> csr_array:
        """Of the residuals, a block for every kind of parameter; below them the priors."""
        d, layout = self.delays, self.layout(x)
        place, t = layout.sources[d.moment], d.times_s[d.moment][:, None]
        to_first, to_second = (_units(place - layout.positions[m]) for m in (d.first, d.second))
        one = np.ones_like(t)
        everywhere = np.ones(len(layout.sources), dtype=bool)
        blocks = [
            _block(d.moment, to_second - to_first, everywhere),
            _block(d.first, to_first, self.moves) - _block(d.second, to_second, self.moves),
            _block(d.second, one, self.is_late) - _block(d.first, one, self.is_late),
            _block(d.second, t, self.drifts) - _block(d.first, t, self.drifts),
            csr_array(d.path_m[:, None] * ([1.0] * self.has_speed)),
        ]
        heard = diags_array(1 / d.sigma_m) @ hstack([block for block in blocks if block.shape[1]])
        own = 1 / self.sigma[self.prior], (np.arange(len(self.prior)), self.prior)
        return vstack([heard, csr_array(own, (len(self.prior), len(x)))]).tocsr()

    def covariance(self, x: Float[np.ndarray, "parameter"]) -> Covariance:
        """The inverse of the information that is left when the sources are not known (Schur complement)."""
        weight = np.sqrt(self.loss(np.square(self.residuals(x)))[1])
        jacobian = diags_array(weight) @ self.jacobian(x)
        information = (jacobian.T @ jacobian).toarray()
        sources = self.ends[1]
        each = information[:sources, :sources].reshape(sources // 3, 3, sources // 3, 3)
        own = np.einsum("wawb->wab", each) + LEAST_INFORMATION * np.eye(3)
        cross = information[:sources, sources:].reshape(sources // 3, 3, -1)
        left = information[sources:, sources:] - np.einsum("wap,wab,wbq->pq", cross, np.linalg.inv(own), cross)
        return self._unpacked(np.linalg.pinv(left, rcond=1e-12, hermitian=True))

    def _unpacked(self, covariance: Float[np.ndarray, "own own"]) -> Covariance:
        deviation = np.sqrt(np.diag(covariance).clip(0))
        places, offset, drift, kappa = np.split(deviation, self.ends[2:-1] - self.ends[1])
        count = len(places) // 3
        corner = covariance[: 3 * count, : 3 * count].reshape(count, 3, count, 3)
        microphones = len(self.listed.positions)
        return Covariance(
            positions=_filled(np.zeros((microphones, 3, 3)), self.moves, np.einsum("mamb->mab", corner)),
            offset_m=_filled(np.zeros(microphones), self.is_late, offset),
            drift_m_s=_filled(np.zeros(microphones), self.drifts, drift),
            kappa=float(kappa[0]) if self.has_speed else 0.0,
        )


def _units(vectors: Float[np.ndarray, "row 3"]) -> Float[np.ndarray, "row 3"]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), SMALLEST_M)


def _filled(values: np.ndarray, mask: Bool[np.ndarray, "mic"], free: np.ndarray) -> np.ndarray:
    values = values.copy()
    values[mask] = free
    return values


def _block(
    whose: Int[np.ndarray, "delay"], values: Float[np.ndarray, "delay each"], is_free: Bool[np.ndarray, "item"]
) -> csr_array:
    """Derivatives in the columns of whose they are, for the items that are free."""
    rows, each = values.shape
    number = np.cumsum(is_free) - 1
    columns = each * number[whose][:, None] + np.arange(each)
    kept = np.broadcast_to(is_free[whose][:, None], columns.shape)
    row = np.broadcast_to(np.arange(rows)[:, None], columns.shape)
    return csr_array((values[kept], (row[kept], columns[kept])), (rows, each * int(is_free.sum())))
