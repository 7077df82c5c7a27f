"""The place that suits all pairs best when positions are known to a centimetre or worse.

Then the peaks of the pairs do not meet in a point, and the highest of their sum is where some of them happen to: a vote. The
compromise takes from each pair the highest peak that the declared errors allow near the place, and minimizes

    sum_ij  w_ij rho((d_ij - d_ij(x)) / s_ij)         s_ij² = s_i² + s_j² + TIMING²

by Gauss-Newton, where w_ij is the squared height of the peak (its signal to noise) and rho Huber's loss (Huber, 1964); then
the peaks are taken anew. It goes no further from the place than its region of 90 % reaches.
"""

import numpy as np
from jaxtyping import Bool, Float

from soundfix import physics
from soundfix.localization.evidence import Evidence
from soundfix.localization.lookup import highest_between
from soundfix.physics import REGION_90
from soundfix.scene import free_axes

LEAST_SIGMA_M = 0.01  # mean declared error from which peaks no longer meet
TIMING_M = 0.006  # of a peak itself
REACH, REACH_M = 3.0, 0.01  # standard errors, and metres more, either side of what the place predicts
HUBER = 1.5  # standard errors beyond which a pair counts for less
STEPS, LONGEST_STEP_M = 6, 0.15


def fit_with_position_errors(
    evidence: Evidence,
    sigma_m: Float[np.ndarray, "mic"],
    place: Float[np.ndarray, "3"],
    box: Float[np.ndarray, "2 3"],
) -> Float[np.ndarray, "3"]:
    """From a place (m) where the evidence peaks to the best one near it; sigma_m: standard errors of the positions."""
    i, j = evidence.pairs.T
    used = np.unique(evidence.pairs)
    if sigma_m[used].mean() < LEAST_SIGMA_M:
        return place
    error_m = np.sqrt(np.square(sigma_m[i]) + np.square(sigma_m[j]) + TIMING_M**2)
    point = place.copy()
    for _ in range(STEPS):
        point = np.clip(point + _step(evidence, error_m, point, free_axes(box)), box[0], box[1])
    information = np.linalg.inv(
        physics.cramer_rao(place, evidence.positions[used], np.hypot(TIMING_M, sigma_m[used]), box)
    )
    away = point - place
    return place + away * min(1.0, np.sqrt(REGION_90 / max(float(away @ information @ away), 1e-9)))


def _step(
    evidence: Evidence, error_m: Float[np.ndarray, "pair"], point: Float[np.ndarray, "3"],
    is_free: Bool[np.ndarray, "3"],
) -> Float[np.ndarray, "3"]:  # fmt: skip
    """One step of Gauss-Newton along the free axes, with the weights and peaks of where it stands."""
    i, j = evidence.pairs.T
    ranges = physics.distances(point, evidence.positions)
    expected = ranges[i] - ranges[j]
    found, height = peaks_near(evidence, expected, REACH * error_m + REACH_M)
    residual = (found - expected) / error_m
    weight = np.square(height) * np.minimum(1, HUBER / np.maximum(np.abs(residual), 1e-9))
    units = (point - evidence.positions) / np.maximum(ranges, 1e-6)[:, None]
    jacobian = (units[i] - units[j]) * is_free / error_m[:, None]
    normal, slope = jacobian.T @ (weight[:, None] * jacobian), jacobian.T @ (weight * residual)
    step = np.linalg.lstsq(normal, slope, rcond=1e-4)[0]
    return step * min(1.0, LONGEST_STEP_M / max(float(np.linalg.norm(step)), 1e-9))


def peaks_near(
    evidence: Evidence, expected_m: Float[np.ndarray, "pair"], reach_m: Float[np.ndarray, "pair"]
) -> tuple[Float[np.ndarray, "pair"], Float[np.ndarray, "pair"]]:
    """Where (m) each curve is highest within reach, and how high; 0 high where it still rises at the end of the reach."""
    middle = evidence.values.shape[1] // 2
    ends = np.stack([expected_m - reach_m, expected_m + reach_m]) / evidence.step_m + middle
    first, last = np.rint(ends).astype(int).clip(0, 2 * middle)
    lag = highest_between(evidence.values, first, last)
    is_peak = (lag > first) & (lag < last)
    return (lag - middle) * evidence.step_m, np.maximum(evidence.values[np.arange(len(lag)), lag], 0) * is_peak
