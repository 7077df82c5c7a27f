"""The places that explain delays, some of which are wrong: every start that could matter, and a fair comparison.

A place is scored by Laplace's approximation of its evidence (the letters are those of delay_equations.py),

    E(x, b, f) = -sum log p(e) + 1/2 log det H - log p(x) - log p(f),    H = J^T W J + prior,

which pays for unknowns that fit by themselves. The prior of x is as wide as the box that was told, or else as the array,
and then with long tails; f is log-normal about 1. There are many local minima. Starts are minimal sets of delays, solved
exactly (as in RANSAC), and a grid; each goes down with f falling from large to small, so that it first sees far and then
sharply, and keeps the best it came by.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from soundfix import quantiles
from soundfix.estimate import COVERAGE
from soundfix.localization.delay_equations import Equations, Scale, Unknowns
from soundfix.physics import REGION_90

SUBSETS, GRID, POLISHED = 256, 2000, 16  # minimal sets, places of the grid, and how many go all the way down
SOLVING, FALLING, SETTLING = 8, 3, 8  # steps: to solve a minimal set, at every f, and at the last
FINEST = 0.05  # of what is expected: no delay is taken to be better
ROUGHEST = 1 / 80  # of the reach, a fortieth of the array: whoever is less exact is wrong
AGREED = 0.5  # the probability from which a delay counts as right
FURTHEST = 4.0  # standard deviations of what is expected, for a start
DAMPING = 1e-3
SHARED_PRIOR = 20.0  # how many pairs the belief counts for that all errors are the microphones'
WIDENING = 1.25  # of the covariance, for 90 % regions: chosen on simulations as in bench/delays.py


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A place (m), its covariance (m²), and its share of the evidence of all places.

    support: by how much that is more (log) than if no delay had to do with another. moment_m: when the sound was made, in
    metres of path. sigma_m: the standard error of delays. is_right: the probability of each, misfit_m: how much it is too
    late.
    """

    position: Float[np.ndarray, "3"]
    covariance: Float[np.ndarray, "3 3"]
    probability: float
    support: float
    moment_m: float
    sigma_m: float
    is_right: Float[np.ndarray, "delay"]
    misfit_m: Float[np.ndarray, "delay"]

    @property
    def agreeing(self) -> int:
        """How many delays it explains."""
        return int((self.is_right > AGREED).sum())


def fit(equations: Equations, rng: np.random.Generator) -> list[Fit]:
    """The places that differ by more than they are uncertain, best first."""
    unknowns, scale = _descended(equations, _starts(equations, rng))
    energy = _energy(equations, unknowns, scale)
    apart: list[tuple[int, np.ndarray]] = []
    places = equations.places(unknowns)
    for k in np.argsort(energy):
        if all(_is_apart(places[k] - places[j], other) for j, other in apart):
            apart.append((int(k), _covariance(equations, unknowns[k : k + 1], scale[k : k + 1])))
    evidence = np.exp(energy.min() - energy[[k for k, _ in apart]])
    shares = evidence / evidence.sum()
    return [
        _fit(equations, unknowns[k : k + 1], scale[k : k + 1], covariance, float(share))
        for (k, covariance), share in zip(apart, shares, strict=True)
    ]


def _fit(equations: Equations, unknowns: Unknowns, scale: Scale, covariance: np.ndarray, share: float) -> Fit:
    misfits = equations.misfits(unknowns)
    is_right, _ = equations.likelihood(misfits, scale)
    chance = -len(equations.path_m) * np.log(equations.reach_m)
    return Fit(
        position=equations.places(unknowns)[0],
        covariance=covariance,
        probability=share,
        support=float(-_energy(equations, unknowns, scale)[0] - chance),
        moment_m=float(unknowns[0, -1]) if equations.emitted.any() else 0.0,
        sigma_m=float(np.median(equations.sigma_m) * scale[0]),
        is_right=is_right[0],
        misfit_m=misfits[0],
    )


def _is_apart(offset: Float[np.ndarray, "3"], covariance: Float[np.ndarray, "3 3"]) -> bool:
    return bool(offset @ np.linalg.pinv(covariance, hermitian=True) @ offset > REGION_90)


def _starts(equations: Equations, rng: np.random.Generator) -> Unknowns:
    """The best of solved minimal sets and of the grid, not where nobody expects them, and apart."""
    starts = np.concatenate([_solved(equations, rng), _grid(equations)])
    places = equations.places(starts)
    is_near = (np.abs(places - equations.box.mean(axis=0)) < FURTHEST * equations.expected_m + 1.0).all(axis=1)
    starts, places = starts[is_near], places[is_near]
    misfits = equations.misfits(starts)
    tried = [equations.likelihood(misfits, np.full(len(starts), scale))[1] for scale in _ladder(equations)[:3]]
    kept: list[int] = []
    for k in np.argsort(-np.max(tried, axis=0)):
        if all(np.linalg.norm(places[k] - places[j]) > 3 * equations.sigma_m.mean() for j in kept):
            kept.append(int(k))
        if len(kept) == POLISHED:
            break
    return starts[kept]


def _solved(equations: Equations, rng: np.random.Generator) -> Unknowns:
    """Places that explain random minimal sets of delays."""
    count, delays = SUBSETS, len(equations.path_m)
    order = np.argsort(rng.random((count, delays)), axis=1)
    chosen = np.zeros((count, delays))
    np.put_along_axis(chosen, order[:, : equations.unknowns], 1.0, axis=1)
    width = np.ptp((equations.positions - equations.origin) @ equations.axes.T, axis=0)
    unknowns = np.tile(equations.middle, (count, 1))
    unknowns[:, : len(equations.axes)] += 0.2 * width * rng.standard_normal((count, len(equations.axes)))
    unknowns = _with_moment(equations, unknowns)
    weights, longest_m = chosen / np.square(3 * equations.sigma_m), 0.15 * equations.reach_m
    for _ in range(SOLVING):
        unknowns = _stepped(equations, unknowns, weights, longest_m)
    return unknowns


def _grid(equations: Equations) -> Unknowns:
    """Places all over the box, evenly (a Kronecker sequence); the few on which most delays agree."""
    axes = len(equations.axes)
    root = {1: 1.6180339887, 2: 1.3247179572, 3: 1.2207440846}[axes]
    shares = (0.5 + np.arange(1, GRID + 1)[:, None] * root ** -np.arange(1.0, axes + 1)) % 1
    corners = (np.stack(np.meshgrid(*equations.box.T), axis=-1).reshape(-1, 3) - equations.origin) @ equations.axes.T
    low, side = corners.min(axis=0), np.ptp(corners, axis=0)
    unknowns = np.tile(equations.middle, (GRID, 1))
    unknowns[:, :axes] = low + shares * side
    unknowns = _with_moment(equations, unknowns)
    spacing = float((np.prod(side) / GRID) ** (1 / axes))
    scale = np.hypot(spacing, equations.sigma_m)
    cost = np.log1p(np.square(equations.misfits(unknowns) / scale)).sum(axis=1)
    return unknowns[np.argsort(cost)[:POLISHED]]


def _with_moment(equations: Equations, unknowns: Unknowns) -> Unknowns:
    """With the moment that most arrivals agree on."""
    if equations.emitted.any():
        unknowns[:, -1] += np.median(equations.misfits(unknowns), axis=1)
    return unknowns


def _ladder(equations: Equations) -> Float[np.ndarray, "rung"]:
    """f from large to small: the less sure the errors are, the wider."""
    top, bottom = (10.0, FINEST) if equations.doubt > 1 else (2.0, 0.5)
    return np.geomspace(top, bottom, int(np.ceil(np.log2(top / bottom))) + 1)


def _descended(equations: Equations, unknowns: Unknowns) -> tuple[Unknowns, Scale]:
    """From every start down the ladder; from the best it came by, until it settles."""
    count, longest_m = len(unknowns), 0.05 * equations.reach_m
    best, scale, least = unknowns.copy(), np.ones(count), np.full(count, np.inf)
    for rung in _ladder(equations):
        unknowns = _descended_at(equations, unknowns, np.full(count, rung), longest_m, steps=FALLING)
        energy = _energy(equations, unknowns, np.full(count, rung))
        is_better = energy < least
        best[is_better], scale[is_better], least[is_better] = unknowns[is_better], rung, energy[is_better]
    for _ in range(SETTLING):
        best = _descended_at(equations, best, scale, longest_m, steps=1)
        scale = _likely_scale(equations, best, scale)
    return best, scale


def _descended_at(equations: Equations, unknowns: Unknowns, scale: Scale, longest_m: float, *, steps: int) -> Unknowns:
    """Gauss-Newton, each delay weighted by the probability that it is right."""
    for _ in range(steps):
        is_right, _ = equations.likelihood(equations.misfits(unknowns), scale)
        weights = is_right / np.square(equations.sigma_m * scale[:, None])
        unknowns = _stepped(equations, unknowns, weights, longest_m)
    return unknowns


def _stepped(
    equations: Equations, unknowns: Unknowns, weights: Float[np.ndarray, "start delay"], longest_m: float
) -> Unknowns:
    slopes, axes = equations.slopes(unknowns), len(equations.axes)
    weighted = slopes * weights[..., None]
    prior, _ = equations.prior(unknowns)
    information = np.swapaxes(weighted, 1, 2) @ slopes + _diagonal(prior)
    gradient = np.einsum("kdu,kd->ku", weighted, equations.misfits(unknowns)) - prior * (unknowns - equations.middle)
    step = np.linalg.solve(information * (1 + DAMPING * np.eye(equations.unknowns)), gradient[..., None])[..., 0]
    excess = np.linalg.norm(step[:, :axes], axis=1, keepdims=True) / longest_m
    return unknowns + step / np.maximum(excess, 1)


def _likely_scale(equations: Equations, unknowns: Unknowns, scale: Scale) -> Scale:
    """f by the delays that are right, within reason; unknowns that were fitted to them are paid for."""
    misfits = equations.misfits(unknowns)
    is_right, _ = equations.likelihood(misfits, scale)
    squares = (is_right * np.square(misfits / equations.sigma_m)).sum(axis=1)
    freedom = np.maximum(is_right.sum(axis=1) - equations.unknowns, 0)
    most = max(1.0, ROUGHEST * equations.reach_m / float(np.median(equations.sigma_m)))
    return np.sqrt((equations.prior_degrees + squares) / (equations.prior_degrees + freedom)).clip(max=most)


def _energy(equations: Equations, unknowns: Unknowns, scale: Scale) -> Float[np.ndarray, "start"]:
    """E, with all constants, so that fits with more or fewer axes compare."""
    is_right, likelihood = equations.likelihood(equations.misfits(unknowns), scale)
    slopes = equations.slopes(unknowns)
    weights = is_right / np.square(equations.sigma_m * scale[:, None])
    prior, cost = equations.prior(unknowns)
    information = np.swapaxes(slopes * weights[..., None], 1, 2) @ slopes + _diagonal(prior)
    of_scale = np.square(np.log(scale) / equations.doubt)
    return -likelihood + cost + 0.5 * (np.linalg.slogdet(information)[1] + of_scale)


def _diagonal(values: Float[np.ndarray, "start unknown"]) -> Float[np.ndarray, "start unknown unknown"]:
    return values[..., None] * np.eye(values.shape[-1])


def _covariance(equations: Equations, unknowns: Unknowns, scale: Scale) -> Float[np.ndarray, "3 3"]:
    """Of one place: H^-1 B H^-1 (the sandwich), where B knows that pairs with a microphone in common share its error.

    The scale is but estimated: widened until a Gaussian's 90 % ellipsoid is as large as Student's.
    """
    misfits, axes = equations.misfits(unknowns), len(equations.axes)
    is_right, sigma = equations.likelihood(misfits, scale)[0][0], equations.sigma_m * scale[0]
    slopes, prior = equations.slopes(unknowns)[0] / sigma[:, None], np.diag(equations.prior(unknowns)[0][0])
    weighted = slopes * is_right[:, None]
    inverse = np.linalg.inv(slopes.T @ weighted + prior)
    alike = _alike(equations.incidence, is_right * misfits[0] / sigma, is_right) + _blown(equations)
    spread = (inverse @ (weighted.T @ alike @ slopes + prior) @ inverse)[:axes, :axes]
    return _student(equations, is_right) * WIDENING * equations.axes.T @ spread @ equations.axes


def _alike(
    incidence: Float[np.ndarray, "delay mic"], misfits: Float[np.ndarray, "delay"], is_right: Float[np.ndarray, "delay"]
) -> Float[np.ndarray, "delay delay"]:
    """Correlations of the misfits (in standard errors): half of the variance of pairs may be that of either microphone."""
    common = incidence @ incidence.T * (1 - np.eye(len(incidence)))
    seen = (common * np.outer(misfits, misfits)).sum() + SHARED_PRIOR * 0.5
    possible = (np.square(common) * np.outer(is_right, is_right)).sum() + SHARED_PRIOR
    return np.eye(len(incidence)) + np.clip(seen / possible, 0, 0.5) * common


def _blown(equations: Equations) -> Float[np.ndarray, "delay delay"]:
    """Correlations that one wind gives to all delays."""
    of_each = equations.wind_m / equations.sigma_m[:, None]
    together: np.ndarray = of_each @ of_each.T
    return together - np.diag(np.diag(together))


def _student(equations: Equations, is_right: Float[np.ndarray, "delay"]) -> float:
    """How much larger Student's 90 % ellipsoid is. Pairs know no more of errors than their microphones' arrivals would."""
    axes, is_heard = len(equations.axes), is_right @ np.abs(equations.incidence) > AGREED
    most = is_heard.sum() - (not equations.emitted.any())
    freedom = max(min(is_right.sum(), most) - equations.unknowns, 0) + equations.prior_degrees
    usual = float(quantiles.chi_square(np.array(axes), COVERAGE))
    return axes * quantiles.fisher(axes, float(max(freedom, 1.0)), COVERAGE) / usual
