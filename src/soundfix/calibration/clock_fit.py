"""Clocks of recorders that stand about where their list says, from few sounds: one fit of all that is not known exactly.

Sound w, made at x_w, is heard by recorder m, which stands at r_m and whose clock is late by o_m, at (as path)

    (1 + s) a_mw = |x_w - r_m| + b_w + o_m + q_m t_w + error

with s the share by which sound is faster than was told, b_w when it was made, and q_m the drift. What a clock is off is the
same in all sounds; what a position is off depends on where a sound comes from. So both are unknowns, positions as good as
their list: the posterior's width then says which clocks so few sounds tell. Maximum a posteriori by SciPy's least squares.
Errors of arrivals, of clocks that are nearly all on time, of the air and of heights have the tails of a Cauchy distribution:
a cost of log(1 + f² / 2) where Gaussian errors have f² / 2. Such clocks have many local minima; they are found from wide
ones, which have one. Axes: W sounds, M recorders; xyz last.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import least_squares

from soundfix.calibration.bundle import Arrivals
from soundfix.localization.arrival_fit import ABOVE_M, AIR, HEIGHT_M
from soundfix.robust import medians

# Standard errors of an arrival, and of clocks that are nearly all on time: generous first, so that no start is too far off.
SCALES = ((100.0, 100.0), (10.0, 100.0), (1.0, 100.0), (1.0, 30.0), (1.0, 10.0), (1.0, 3.0), (1.0, 1.0))
FAR_SCALES = ((100.0, 1.0), (10.0, 1.0), (1.0, 1.0))
Scales = tuple[tuple[float, float], ...]
MOST_STEPS = 60
NEAREST_M = 0.01  # distances, so that directions are finite
ANYWHERE_SHARE = 2.0  # standard deviation of a sound's place across, in widths of the array
PLACES, COARSE_M = 3000, 3.0  # looked through for a start, and a misfit that counts half


@dataclass(frozen=True, kw_only=True, eq=False)
class Prior:
    """What is known beforehand. positions: (M, 3), and sigma_m of each; offset_m, drift_m_s: standard errors of clocks.

    is_sparse: of each recorder, whether it is on time but for a few that are off by much more (a Cauchy distribution).
    """

    positions: Float[np.ndarray, "mic 3"]
    sigma_m: Float[np.ndarray, "mic"]
    offset_m: Float[np.ndarray, "mic"]
    drift_m_s: Float[np.ndarray, "mic"]
    is_sparse: Bool[np.ndarray, "mic"]

    def with_place(self, m: int, sigma_m: float) -> "Prior":
        """The same; the position of m is as good as this."""
        return replace(self, sigma_m=np.where(np.arange(len(self.sigma_m)) == m, sigma_m, self.sigma_m))

    def with_clock(self, m: int, offset_m: float) -> "Prior":
        """The same; the clock of m is as good as this (Gaussian)."""
        is_it = np.arange(len(self.offset_m)) == m
        return replace(self, offset_m=np.where(is_it, offset_m, self.offset_m), is_sparse=self.is_sparse & ~is_it)


class Clocks(NamedTuple):
    """A solution: clocks as metres of path at the middle of the times, places, what is left over, the cost (nats).

    faster: the share s, and its standard error. sigmas: of offsets, drifts and coordinates. state: to go on from.
    """

    offset_m: Float[np.ndarray, "mic"]
    offset_sigma_m: Float[np.ndarray, "mic"]
    drift_m_s: Float[np.ndarray, "mic"]
    drift_sigma_m_s: Float[np.ndarray, "mic"]
    positions: Float[np.ndarray, "mic 3"]
    position_sigma_m: Float[np.ndarray, "mic 3"]
    sources: Float[np.ndarray, "sound 3"]
    faster: float
    faster_sigma: float
    residual_m: Float[np.ndarray, "sound mic"]
    cost: float
    state: Float[np.ndarray, "unknown"]


def fit_clocks(arrivals: Arrivals, prior: Prior, rng: np.random.Generator) -> Clocks:
    """The solution, from the places that the listed positions have the sounds at."""
    fit = _Fit(arrivals, prior)
    return fit.solution(fit.downhill(fit.start(_first_sources(arrivals, prior, rng)), SCALES))


def refit(arrivals: Arrivals, prior: Prior, near: Clocks, *, is_far: bool = False) -> Clocks:
    """The solution near another one, with another prior; is_far: though arrivals may be metres off what that one expects."""
    fit = _Fit(arrivals, prior)
    return fit.solution(fit.downhill(near.state, FAR_SCALES if is_far else SCALES[-1:]))


def _first_sources(arrivals: Arrivals, prior: Prior, rng: np.random.Generator) -> Float[np.ndarray, "sound 3"]:
    """Of many places the best for each sound, wrong arrivals counting for little."""
    low, high = prior.positions.min(axis=0), prior.positions.max(axis=0)
    margin_m = float((high - low).max()) / 2
    places = low - margin_m + rng.random((PLACES, 3)) * (high - low + 2 * margin_m)
    places[:, 2] = prior.positions[:, 2].mean() + ABOVE_M + HEIGHT_M * rng.uniform(-1, 1, PLACES)
    ranges_m = np.linalg.norm(places[:, None] - prior.positions, axis=2)
    return np.array([places[_misfits(heard_m - ranges_m).argmin()] for heard_m in arrivals.path_m])


def _misfits(off_m: Float[np.ndarray, "place mic"]) -> Float[np.ndarray, "place"]:
    off_m = off_m - medians(off_m)[:, None]
    misfits: np.ndarray = np.nansum(np.log1p(np.square(off_m / COARSE_M)), axis=1)
    return misfits


class _Parts(NamedTuple):
    """The unknowns."""

    sources: Float[np.ndarray, "sound 3"]
    sounded: Float[np.ndarray, "sound"]
    positions: Float[np.ndarray, "mic 3"]
    offset: Float[np.ndarray, "mic"]
    drift: Float[np.ndarray, "mic"]
    faster: Float[np.ndarray, "1"]

    def joined(self) -> Float[np.ndarray, "unknown"]:
        """As one vector."""
        return np.concatenate([part.ravel() for part in self])


class _Fit:
    """Residuals in standard errors, and their slopes."""

    def __init__(self, arrivals: Arrivals, prior: Prior) -> None:
        self.prior, self.path_m = prior, arrivals.path_m
        self.sounds, self.mics = arrivals.path_m.shape
        self.sound, self.mic = np.nonzero(np.isfinite(arrivals.path_m))
        self.heard_m, self.sigma_m = (each[self.sound, self.mic] for each in (arrivals.path_m, arrivals.sigma_m))
        self.times_s = (arrivals.times_s - arrivals.times_s.mean())[self.sound]
        sizes = [3 * self.sounds, self.sounds, 3 * self.mics, self.mics, self.mics]
        self.cuts = tuple(int(size) for size in np.cumsum(sizes))
        self.expected = self.start(np.tile(self._usual_place(), (self.sounds, 1)))
        self.is_told = np.ones(len(self.expected), dtype=bool)
        self.is_told[self.cuts[0] : self.cuts[1]] = False  # nothing is known of when sounds were made
        is_soft = self._parts(np.zeros(len(self.expected)))
        is_soft.sources[:, 2], is_soft.offset[:], is_soft.faster[:] = 1, prior.is_sparse, 1
        self.is_soft = np.append(np.ones(len(self.sound)), is_soft.joined()[self.is_told]) > 0

    def start(self, sources: Float[np.ndarray, "sound 3"]) -> Float[np.ndarray, "unknown"]:
        """Everything as expected, the sounds at these places."""
        ranges_m = np.linalg.norm(sources[:, None] - self.prior.positions, axis=2)
        none = np.zeros(self.mics)
        return _Parts(sources, medians(self.path_m - ranges_m), self.prior.positions, none, none, np.zeros(1)).joined()

    def downhill(self, state: Float[np.ndarray, "unknown"], scales: Scales) -> "_Descent":
        """The nearest minimum, in turn with errors so many times as large."""
        for scale in scales:
            found = least_squares(
                self._residuals, state, self._slopes, args=(scale,), loss=self._loss, x_scale="jac", max_nfev=MOST_STEPS
            )
            state = found.x
        return _Descent(state, found.jac, float(found.cost))

    def solution(self, end: "_Descent") -> Clocks:
        """With standard errors."""
        variance = np.diag(np.linalg.pinv(end.slopes.T @ end.slopes, hermitian=True)).clip(0)
        parts, sigma = self._parts(end.state), self._parts(np.sqrt(variance))
        residual_m = np.full(self.path_m.shape, np.nan)
        residual_m[self.sound, self.mic] = self._residuals(end.state, SCALES[-1])[: len(self.sound)] * self.sigma_m
        return Clocks(
            offset_m=parts.offset, offset_sigma_m=sigma.offset, drift_m_s=parts.drift, drift_sigma_m_s=sigma.drift,
            positions=parts.positions, position_sigma_m=sigma.positions, sources=parts.sources,
            faster=float(parts.faster[0]), faster_sigma=float(sigma.faster[0]),
            residual_m=residual_m, cost=end.cost, state=end.state,
        )  # fmt: skip

    def _usual_place(self) -> Float[np.ndarray, "3"]:
        """Of a sound: over the middle of the array."""
        return np.asarray(self.prior.positions.mean(axis=0) + np.array([0, 0, ABOVE_M]))

    def _parts(self, state: Float[np.ndarray, "unknown"]) -> _Parts:
        sources, sounded, positions, offset, drift, faster = np.split(state, self.cuts)
        return _Parts(sources.reshape(-1, 3), sounded, positions.reshape(-1, 3), offset, drift, faster)

    def _widths(self, scale: float) -> Float[np.ndarray, "told"]:
        """Standard errors of what is told; of sparse clocks so many times as large."""
        prior, across_m = self.prior, ANYWHERE_SHARE * float(np.ptp(self.prior.positions, axis=0).max())
        anywhere = np.tile([across_m, across_m, HEIGHT_M], self.sounds)
        offset_m = np.where(prior.is_sparse, scale, 1.0) * prior.offset_m
        return np.concatenate([anywhere, np.repeat(prior.sigma_m, 3), offset_m, prior.drift_m_s, [AIR]])

    def _residuals(
        self, state: Float[np.ndarray, "unknown"], scale: tuple[float, float]
    ) -> Float[np.ndarray, "residual"]:
        """Of arrivals, then of what is told."""
        parts = self._parts(state)
        range_m = np.linalg.norm(parts.sources[self.sound] - parts.positions[self.mic], axis=1)
        late_m = parts.offset[self.mic] + parts.drift[self.mic] * self.times_s
        off_m = (1 + parts.faster) * self.heard_m - range_m - parts.sounded[self.sound] - late_m
        told = (state - self.expected)[self.is_told] / self._widths(scale[1])
        return np.concatenate([off_m / (scale[0] * self.sigma_m), told])

    def _slopes(
        self, state: Float[np.ndarray, "unknown"], scale: tuple[float, float]
    ) -> Float[np.ndarray, "residual unknown"]:
        """The Jacobian of that."""
        parts = self._parts(state)
        away = parts.sources[self.sound] - parts.positions[self.mic]
        unit = away / np.maximum(np.linalg.norm(away, axis=1), NEAREST_M)[:, None]
        row, slopes = np.arange(len(self.sound)), np.zeros((len(self.sound), len(state)))
        for axis in range(3):
            slopes[row, 3 * self.sound + axis] = -unit[:, axis]
            slopes[row, self.cuts[1] + 3 * self.mic + axis] = unit[:, axis]
        slopes[row, self.cuts[0] + self.sound] = -1.0
        slopes[row, self.cuts[2] + self.mic] = -1.0
        slopes[row, self.cuts[3] + self.mic] = -self.times_s
        slopes[row, -1] = self.heard_m
        told = np.eye(len(state))[self.is_told] / self._widths(scale[1])[:, None]
        return np.concatenate([slopes / (scale[0] * self.sigma_m)[:, None], told])

    def _loss(self, squared: Float[np.ndarray, "residual"]) -> Float[np.ndarray, "3 residual"]:
        """rho and its derivatives, as SciPy wants them: 2 log(1 + f² / 2), or f² where errors are Gaussian."""
        inside = 1 + squared / 2
        soft = np.stack([2 * np.log(inside), 1 / inside, -0.5 / inside**2])
        hard = np.stack([squared, np.ones_like(squared), np.zeros_like(squared)])
        return np.where(self.is_soft, soft, hard)


class _Descent(NamedTuple):
    state: Float[np.ndarray, "unknown"]
    slopes: Float[np.ndarray, "residual unknown"]
    cost: float
