"""Multilat: the classical baseline of arXiv 2505.20961, by RANSAC on correlation peaks.

Up to 4 correlation peaks a pair are candidates. 100 rounds each draw 3 range differences, solve for the point that
has exactly these, and count the pairs with a peak within 0.1 m of the point's. The round with most inliers wins and, where
it has 10 or more, is polished by Gauss-Newton on them, 10 steps with step halving. c = 343.2 m/s unless the scene says
otherwise.

What the paper leaves open: peaks lower than half the pair's highest are no candidates (else 3 right ones are drawn once
in 64 rounds); the 3 differences share one microphone, so that a closed form exists (below); a pair's inlier is its
nearest peak; of rounds with as many inliers the one that fits them closest wins; where the room is thin, points are moved
to its known coordinate. No microphone is left out beyond those that hear nothing: RANSAC is its own consensus. A point of
few inliers is an answer in the paper's tables (5 microphones have 10 pairs in all); here the correlations at it say, as for
every method, whether it is believed.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.estimate import Estimate
from soundfix.localization.boxes import CorrelationBoxes
from soundfix.localization.correlate import PHAT, Correlator
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import Mode, polish
from soundfix.localization.pipeline import estimate_window
from soundfix.scene import Scene, free_axes
from soundfix.signal.summit import summit

PEAKS_A_PAIR, LOWEST_PEAK = 4, 0.5
ROUNDS = 100
INLIER_M = 0.1
FEWEST_INLIERS, MINIMAL = 10, 4  # pairs to polish on; microphones that three differences need
GAUSS_NEWTON_STEPS, HALVINGS = 10, 10
ALIKE = 6  # decimals of positions (m) that put them in order


@dataclass(frozen=True, kw_only=True)
class Multilat:
    """correlator: plain PHAT, as in the paper. seed: of the random rounds; the same scene gets the same answer."""

    correlator: Correlator = PHAT
    seed: int = 0
    name: str = "multilat"

    def locate(self, scene: Scene) -> Estimate:
        """The answer for one window."""
        boxes = CorrelationBoxes(correlator=self.correlator, finder=self.find, leaves_out=False)
        return estimate_window(scene, boxes, method=self.name).estimate

    def find(self, evidence: Evidence, box: Float[np.ndarray, "2 3"]) -> list[Mode]:
        """The one point RANSAC finds, or none."""
        candidates = peak_differences(evidence)
        point = ransac(candidates, evidence.pairs, evidence.positions, box, rng=np.random.default_rng(self.seed))
        if point is None:
            return []
        return [Mode(position=point, score=polish(evidence, point[None], box)[0].score)]


def peak_differences(evidence: Evidence, *, peaks: int = PEAKS_A_PAIR) -> Float[np.ndarray, "pair peak"]:
    """Range differences (m) of the highest local maxima of each pair, within its spacing; NaN where there are fewer."""
    curves, step_m = evidence.values, evidence.step_m
    lag_m = (np.arange(curves.shape[1]) - curves.shape[1] // 2) * step_m
    spacing = evidence.spacing_m
    is_peak = np.zeros(curves.shape, dtype=bool)
    is_peak[:, 1:-1] = (curves[:, 1:-1] > curves[:, :-2]) & (curves[:, 1:-1] >= curves[:, 2:])
    height = np.where(is_peak & (np.abs(lag_m) <= spacing[:, None] + step_m), curves, -np.inf)
    best = np.argsort(-height, axis=1)[:, :peaks]
    exact = [lag_m[peak] + step_m * summit(curves, peak) for peak in best.T]
    top = np.take_along_axis(height, best, axis=1)
    return np.where(np.isfinite(top) & (top >= LOWEST_PEAK * top[:, :1]), np.stack(exact, axis=1), np.nan)


def ransac(
    candidates: Float[np.ndarray, "pair peak"], pairs: np.ndarray, positions: np.ndarray, box: np.ndarray,
    *, rng: np.random.Generator,
) -> Float[np.ndarray, "3"] | None:  # fmt: skip
    """The point that most pairs have a peak for, polished on these where they are 10; None where no three fit a point."""
    candidates, pairs, positions = _in_order_of_places(candidates, pairs, positions)
    best, most, best_pairs = None, (0, 0.0), np.zeros(len(pairs), dtype=bool)
    for _ in range(ROUNDS if len(np.unique(pairs)) >= MINIMAL else 0):
        for point in minimal_solution(*_draw(candidates, pairs, rng), positions, box):
            residual = np.abs(_nearest(candidates, point, pairs, positions) - _expected(point, pairs, positions))
            is_inlier = residual < INLIER_M
            agreeing = int(is_inlier.sum()), -float(residual[is_inlier].sum())
            if agreeing > most:
                best, most, best_pairs = point, agreeing, is_inlier
    if best is None or most[0] < FEWEST_INLIERS:
        return best
    inliers = _nearest(candidates, best, pairs, positions)[best_pairs]
    return gauss_newton(best, inliers, pairs[best_pairs], positions, free_axes(box))


def _in_order_of_places(
    candidates: Float[np.ndarray, "pair peak"], pairs: np.ndarray, positions: np.ndarray
) -> tuple[Float[np.ndarray, "pair peak"], np.ndarray, np.ndarray]:
    """The same, microphones numbered by where they stand: the same are drawn in whatever order they are listed."""
    order = np.lexsort(np.round(positions, ALIKE).T)
    renumbered = np.argsort(order)[pairs]
    is_turned = renumbered[:, 0] > renumbered[:, 1]
    renumbered = np.sort(renumbered, axis=1)
    rows = np.lexsort(renumbered.T)
    return np.where(is_turned[:, None], -candidates, candidates)[rows], renumbered[rows], positions[order]


def _draw(
    candidates: np.ndarray, pairs: np.ndarray, rng: np.random.Generator
) -> tuple[int, np.ndarray, Float[np.ndarray, "3"]]:
    """A reference microphone, three others, and a random peak of each of their pairs: |x - other| - |x - reference|."""
    microphones = np.unique(pairs)
    reference, *others = rng.choice(microphones, MINIMAL, replace=False)
    differences = []
    for other in others:
        row = np.flatnonzero(
            (pairs == min(reference, other)).any(axis=1) & (pairs == max(reference, other)).any(axis=1)
        )
        peaks = candidates[row].ravel()
        peaks = peaks[np.isfinite(peaks)]
        drawn = rng.choice(peaks) if len(peaks) else np.nan
        differences.append(drawn if other < reference else -drawn)
    return int(reference), np.array(others), np.array(differences)


def minimal_solution(
    reference: int, others: np.ndarray, differences_m: Float[np.ndarray, "3"], positions: np.ndarray, box: np.ndarray
) -> list[Float[np.ndarray, "3"]]:
    """The points (none, one or two) with these three differences |x - r_k| - |x - r_0| = d_k.

    With y = x - r_0, rho = |y| and a_k = r_k - r_0, squaring gives  2 a_k.y + 2 d_k rho = |a_k|² - d_k² : three linear
    equations in (y, rho). Their solutions are a line p + t n; |y|² = rho² picks its points by a quadratic in t. Nothing
    in this needs the four microphones to have depth, so a flat array is no special case.
    """
    if not np.isfinite(differences_m).all():
        return []
    arms = positions[others] - positions[reference]
    left = 2 * np.column_stack([arms, differences_m])
    particular = np.linalg.lstsq(left, (arms**2).sum(axis=1) - differences_m**2, rcond=None)[0]
    direction = np.linalg.svd(left)[2][-1]
    metric = np.array([1.0, 1.0, 1.0, -1.0])
    a, b, c = (direction**2) @ metric, 2 * (direction * particular) @ metric, (particular**2) @ metric
    roots = [-c / b] if abs(a) < 1e-12 and abs(b) > 1e-12 else np.roots([a, b, c])
    solutions = [particular + float(np.real(t)) * direction for t in roots if abs(np.imag(t)) < 1e-6 * (1 + abs(t))]
    points = [solution[:3] + positions[reference] for solution in solutions if solution[3] >= 0]
    margin, middle, free = np.ptp(box, axis=0).max(), box.mean(axis=0), free_axes(box)
    return [np.where(free, point, middle) for point in points if (np.abs(point - middle) < margin).all()]


def _expected(point: np.ndarray, pairs: np.ndarray, positions: np.ndarray) -> Float[np.ndarray, "pair"]:
    return physics.range_differences(point, positions, pairs)


def _nearest(
    candidates: np.ndarray, point: np.ndarray, pairs: np.ndarray, positions: np.ndarray
) -> Float[np.ndarray, "pair"]:
    """Of each pair's peaks the one nearest to what the point predicts; infinity where it has none."""
    gap = np.abs(candidates - _expected(point, pairs, positions)[:, None])
    nearest = np.where(np.isnan(gap), np.inf, gap).argmin(axis=1)
    chosen = candidates[np.arange(len(candidates)), nearest]
    return np.where(np.isnan(chosen), np.inf, chosen)


def gauss_newton(
    point: Float[np.ndarray, "3"], differences_m: Float[np.ndarray, "inlier"], pairs: np.ndarray, positions: np.ndarray,
    free: np.ndarray,
) -> Float[np.ndarray, "3"]:  # fmt: skip
    """Least squares from `point`: at most 10 steps, each halved until the sum of squares falls."""

    def residual(x: np.ndarray) -> np.ndarray:
        return _expected(x, pairs, positions) - differences_m

    for _ in range(GAUSS_NEWTON_STEPS):
        units = physics.directions(point, positions)
        jacobian = (units[pairs[:, 0]] - units[pairs[:, 1]]) * free
        step = np.linalg.lstsq(jacobian, -residual(point), rcond=None)[0]
        lengths = 0.5 ** np.arange(HALVINGS)
        better = [s for s in lengths if np.sum(residual(point + s * step) ** 2) < np.sum(residual(point) ** 2)]
        if not better:
            break
        point = point + better[0] * step
    return point
