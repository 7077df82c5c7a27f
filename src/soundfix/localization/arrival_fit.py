"""A place as exact as arrivals allow whose errors are not known beforehand: of recorders with clocks and coordinates.

From each pair the highest peak within reach of what a place predicts; then, by Gauss-Newton, the place x and the share s by
which sound is slower than was told, that minimize

    sum_ij  w_ij rho((d_ij - (1 + s) d_ij(x)) / s_ij)  +  log(1 + (s / AIR)²)  +  log(1 + ((z - z0) / HEIGHT_M)²)

with weights and rho as in position_errors.py. The second is what is known of the air; the last, used under the sky alone, of
heights: recorders stand at about one and say little of it, most sounds come from a little above them, z0, and some from far
above. What is left over, taken apart into one error of each microphone, says how large these errors are; the reach shrinks
to that, and the peaks are taken anew. The region is that of a Student's t: its covariance has the size of what is left over,
and of what was expected, and counts how few these are.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from soundfix import physics, quantiles
from soundfix.estimate import Air
from soundfix.localization.evidence import Evidence
from soundfix.localization.position_errors import HUBER, REACH, REACH_M, TIMING_M, peaks_near
from soundfix.physics import REGION_90
from soundfix.scene import free_axes

AIR = 0.01  # half the width of what the speed of sound is about what was told (Cauchy): 6 degrees, or 3.4 m/s of wind
ABOVE_M, HEIGHT_M = 5.0, 10.0  # of sounds over recorders: the middle, and half the width of a Cauchy distribution
LEAST = 1e-6  # 1/m²: along an axis of which nothing is known a step stays finite
ROUNDS, STEPS = 6, 4
LONGEST_STEP = 1.0  # expected standard errors
SHRINKS_TO = 1.5  # times the scatter that is left
DECLARED_FREEDOM = 4.0  # what somebody says of errors is worth so many arrivals
USUAL_M, USUAL_FREEDOM = 0.03, 1.5  # where nobody says anything, at least: a tenth of a millisecond


class Fix(NamedTuple):
    """A place (m), its covariance (m²), and how many times slower sound is than was told, with its standard error.

    errors_m: (M,) how late each microphone hears, 0 for those without a pair.
    """

    position_m: Float[np.ndarray, "3"]
    covariance_m2: Float[np.ndarray, "3 3"]
    slower: float
    slower_sigma: float
    errors_m: Float[np.ndarray, "mic"]

    def reaching(self, places: Iterable[Float[np.ndarray, "3"]]) -> "Fix":
        """With a region that holds these places (m) too."""
        off_m = np.reshape([place - self.position_m for place in places], (-1, 3))
        return self._replace(covariance_m2=self.covariance_m2 + off_m.T @ off_m / REGION_90)


def air_of(fix: Fix, told_m_s: float) -> Air:
    """The speed of sound in this fix, where this one was told."""
    speed_m_s = float(told_m_s / (1 + fix.slower))
    return Air(speed_m_s, speed_m_s * fix.slower_sigma)


def fit_arrivals(
    evidence: Evidence,
    sigma_m: Float[np.ndarray, "mic"],
    place: Float[np.ndarray, "3"],
    box: Float[np.ndarray, "2 3"],
    *,
    is_declared: bool,
    is_under_sky: bool,
) -> Fix:
    """From a place (m) to the best one near it; sigma_m: standard errors (m) of arrivals, and whether somebody said so.

    is_under_sky: heights are what they usually are outdoors.
    """
    is_free, used = free_axes(box), np.unique(evidence.pairs)
    point, slower, error_m = place.copy(), 0.0, sigma_m.copy()
    for _ in range(ROUNDS):
        for _ in range(STEPS):
            step = _step(evidence, error_m, point, slower, is_free, is_under_sky)
            point = np.clip(point + step[:3], box[0], box[1])
            slower += step[3]
        errors_m = _arrival_errors(evidence, error_m, point, slower)
        left = float(np.sqrt(np.mean(np.square(errors_m[used] / sigma_m[used]))))
        least = TIMING_M * evidence.breadth / sigma_m
        error_m = sigma_m * np.clip(SHRINKS_TO * left, least, 1.0)
    return _fix(evidence, sigma_m, point, slower, errors_m, box, is_declared, is_under_sky)


def _step(
    evidence: Evidence, sigma_m: Float[np.ndarray, "mic"], point: Float[np.ndarray, "3"], slower: float,
    is_free: Bool[np.ndarray, "3"], is_under_sky: bool,
) -> Float[np.ndarray, "4"]:  # fmt: skip
    """One step of Gauss-Newton: along the free axes, and of the share by which sound is slower."""
    residual, weight, expected_m, error_m = _residuals(evidence, sigma_m, point, slower)
    i, j = evidence.pairs.T
    units = physics.directions(point, evidence.positions)
    jacobian = np.column_stack([(1 + slower) * (units[i] - units[j]) * is_free, expected_m]) / error_m[:, None]
    pairs_a_microphone = len(np.unique(evidence.pairs)) / 2  # pairs of one microphone are not independent
    weight = weight / max(float(weight.mean()), 1e-12) / pairs_a_microphone
    above_m = _above_m(evidence, point)
    usual = _known(above_m, HEIGHT_M) if is_under_sky and is_free[2] else 0.0
    prior = np.array([LEAST, LEAST, LEAST + usual, _known(slower, AIR)])
    slope = jacobian.T @ (weight * residual) - np.array([0, 0, usual * above_m, prior[3] * slower])
    step = np.linalg.solve(jacobian.T @ (weight[:, None] * jacobian) + np.diag(prior), slope)
    step[:3] *= min(1.0, LONGEST_STEP * float(sigma_m.mean()) / max(float(np.linalg.norm(step[:3])), 1e-9))
    return step


def _above_m(evidence: Evidence, point: Float[np.ndarray, "3"]) -> float:
    """How far above the usual height of sounds."""
    return float(point[2] - evidence.positions[np.unique(evidence.pairs), 2].mean() - ABOVE_M)


def _known(off: float, width: float) -> float:
    """The information in a Cauchy distribution of this width, so far from its middle."""
    return 1 / (width**2 + off**2)


def _residuals(
    evidence: Evidence, sigma_m: Float[np.ndarray, "mic"], point: Float[np.ndarray, "3"], slower: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of every pair, in standard errors, their weights, the range differences, and the standard errors (m)."""
    i, j = evidence.pairs.T
    error_m = np.sqrt(np.square(sigma_m[i]) + np.square(sigma_m[j]) + TIMING_M**2)
    expected_m = physics.range_differences(point, evidence.positions, evidence.pairs)
    found, height = peaks_near(evidence, (1 + slower) * expected_m, REACH * error_m + REACH_M)
    residual = (found - (1 + slower) * expected_m) / error_m
    return residual, np.square(height) * np.minimum(1, HUBER / np.maximum(np.abs(residual), 1e-9)), expected_m, error_m


def _arrival_errors(
    evidence: Evidence, sigma_m: Float[np.ndarray, "mic"], point: Float[np.ndarray, "3"], slower: float
) -> Float[np.ndarray, "mic"]:
    """How late (m) each microphone hears: the errors whose differences suit the pairs best, 0 on average."""
    residual, weight, _, error_m = _residuals(evidence, sigma_m, point, slower)
    i, j = evidence.pairs.T
    laplacian, late = np.zeros((len(evidence.positions),) * 2), np.zeros(len(evidence.positions))
    for a, b, sign in ((i, j, 1), (j, i, -1)):
        np.add.at(laplacian, (a, a), weight)
        np.add.at(laplacian, (a, b), -weight)
        np.add.at(late, a, sign * weight * residual * error_m)
    return np.linalg.pinv(laplacian, hermitian=True) @ late


def _fix(
    evidence: Evidence, sigma_m: np.ndarray, point: np.ndarray, slower: float, errors_m: np.ndarray, box: np.ndarray,
    is_declared: bool, is_under_sky: bool,
) -> Fix:  # fmt: skip
    used = np.unique(evidence.pairs)
    freedom = max(0.0, len(used) - 2.0 - free_axes(box).sum())
    prior, expected_m = (DECLARED_FREEDOM, sigma_m) if is_declared else (USUAL_FREEDOM, np.full_like(sigma_m, USUAL_M))
    scatter = np.square(errors_m[used] / expected_m[used]).sum()
    size = _size(scatter, freedom, prior, is_declared=is_declared)
    above_m = _above_m(evidence, point)
    known = 12 / np.square(np.maximum(box[1] - box[0], 1e-3)) + [0, 0, _known(above_m, HEIGHT_M) * is_under_sky]
    covariance = _covariance(
        evidence.positions[used], size * expected_m[used], point, np.append(known, _known(slower, AIR))
    )
    few = 3 * quantiles.fisher(3, prior + freedom, 0.9) / REGION_90
    return Fix(point, few * covariance[:3, :3], slower, float(np.sqrt(few * covariance[3, 3])), errors_m)


def _size(scatter: float, freedom: float, prior: float, *, is_declared: bool) -> float:
    """Of the errors, against what was expected: with what somebody said counted in, or at least what is usual."""
    if is_declared:
        return float(np.sqrt((prior + scatter) / (prior + freedom)))
    return max(1.0, float(np.sqrt(scatter / max(freedom, 1.0))))


def _covariance(
    positions: Float[np.ndarray, "used 3"], sigma_m: Float[np.ndarray, "used"], point: Float[np.ndarray, "3"],
    known: Float[np.ndarray, "4"],
) -> Float[np.ndarray, "4 4"]:  # fmt: skip
    """Of the place (m²) and the share: Cramér-Rao for arrivals whose common lateness is unknown; known: before (1/m²)."""
    slopes = np.column_stack([physics.directions(point, positions), physics.distances(point, positions)])
    weight = np.square(1 / sigma_m)
    centred = slopes - weight @ slopes / weight.sum()
    return np.linalg.inv((centred * weight[:, None]).T @ centred + np.diag(known))
