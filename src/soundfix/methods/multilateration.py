"""Multilateration: the point whose range differences fit the measured ones best, however wrong a few of these are.

The best delay of every pair gives a range difference d_ij. We minimize the sum of Cauchy losses
log(1 + (d_ij(x) - d_ij)² / s²) by Gauss-Newton with Levenberg damping, reweighted in every step: a wrong delay then
costs almost nothing. Many starts across the box run side by side, since the loss has several valleys.
"""

import itertools
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix import physics
from soundfix.estimate import Estimate
from soundfix.localization.boxes import CorrelationBoxes
from soundfix.localization.correlate import Correlator
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import APART_M, Mode, polish
from soundfix.localization.pipeline import estimate_window
from soundfix.scene import Scene, free_axes
from soundfix.signal.summit import summit

CAUCHY_SCALE_M = 0.05  # residuals beyond this count for less and less
STARTS_AN_AXIS = 4
STEPS = 40
CONVERGED_M = 1e-10
MOST_MODES = 6


@dataclass(frozen=True, kw_only=True)
class Multilateration:
    """correlator: band, whitening and floor. scale_m: residuals beyond it are taken for wrong delays."""

    correlator: Correlator = field(default_factory=Correlator)
    scale_m: float = CAUCHY_SCALE_M
    name: str = "multilateration"

    def locate(self, scene: Scene) -> Estimate:
        """The answer for one window."""
        boxes = CorrelationBoxes(correlator=self.correlator, finder=self.find)
        return estimate_window(scene, boxes, method=self.name).estimate

    def find(self, evidence: Evidence, box: Float[np.ndarray, "2 3"]) -> list[Mode]:
        """The valleys of the loss, deepest first. Their score is the evidence at the nearest peak."""
        differences = best_differences(evidence)
        points = robust_least_squares(differences, evidence.pairs, evidence.positions, box, scale_m=self.scale_m)[
            :MOST_MODES
        ]
        return [Mode(position=p, score=polish(evidence, p[None], box)[0].score) for p in points]


def best_differences(evidence: Evidence) -> Float[np.ndarray, "pair"]:
    """The range difference (m) at which each pair's evidence peaks, among those that its spacing allows."""
    spacing = evidence.spacing_m
    lag_m = (np.arange(evidence.values.shape[1]) - evidence.values.shape[1] // 2) * evidence.step_m
    possible = np.abs(lag_m) <= spacing[:, None] + evidence.step_m
    peak = np.where(possible, evidence.values, -np.inf).argmax(axis=1)
    return lag_m[peak] + evidence.step_m * summit(evidence.values, peak)


def robust_least_squares(
    differences_m: Float[np.ndarray, "pair"],
    pairs: Int[np.ndarray, "pair 2"],
    positions: Float[np.ndarray, "mic 3"],
    box: Float[np.ndarray, "2 3"],
    *,
    scale_m: float = CAUCHY_SCALE_M,
) -> Float[np.ndarray, "mode 3"]:
    """The distinct minima of the Cauchy loss inside the box, deepest first."""
    points = _starts(box)
    free, damping = free_axes(box), np.full(len(points), 1e-3)
    loss = _cauchy(points, differences_m, pairs, positions, scale_m)
    for _ in range(STEPS):
        step = _gauss_newton_step(points, differences_m, pairs, positions, scale_m, damping, free)
        moved = np.clip(points + step, box[0], box[1])
        moved_loss = _cauchy(moved, differences_m, pairs, positions, scale_m)
        is_better = moved_loss <= loss
        moving = np.abs(moved - points)[is_better].max(initial=0.0)
        points = np.where(is_better[:, None], moved, points)
        loss = np.where(is_better, moved_loss, loss)
        damping = np.where(is_better, damping * 0.2, damping * 10).clip(1e-12, 1e6)
        if moving < CONVERGED_M and is_better.any():
            break
    return _distinct(points[np.argsort(loss, kind="stable")])


def _starts(box: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "start 3"]:
    """A small grid across the box; one value along thin axes."""
    share = (np.arange(STARTS_AN_AXIS) + 0.5) / STARTS_AN_AXIS
    axes = [
        low + (high - low) * share if free else [(low + high) / 2]
        for low, high, free in zip(box[0], box[1], free_axes(box), strict=True)
    ]
    return np.array(list(itertools.product(*axes)))


def _cauchy(
    points: np.ndarray, differences_m: np.ndarray, pairs: np.ndarray, positions: np.ndarray, scale_m: float
) -> Float[np.ndarray, "start"]:
    residual = physics.range_differences(points, positions, pairs) - differences_m
    return np.log1p((residual / scale_m) ** 2).sum(axis=1)


def _gauss_newton_step(
    points: np.ndarray, differences_m: np.ndarray, pairs: np.ndarray, positions: np.ndarray,
    scale_m: float, damping: Float[np.ndarray, "start"], free: Bool[np.ndarray, "3"],
) -> Float[np.ndarray, "start 3"]:  # fmt: skip
    """One damped step from every start, with the Cauchy weights 1 / (1 + (residual / s)²) of where it stands."""
    units = points[:, None] - positions
    units /= np.maximum(np.linalg.norm(units, axis=2, keepdims=True), 1e-9)
    jacobian = (units[:, pairs[:, 0]] - units[:, pairs[:, 1]]) * free
    residual = physics.range_differences(points, positions, pairs) - differences_m
    weight = 1 / (1 + (residual / scale_m) ** 2)
    weighted = jacobian * weight[..., None]
    normal = np.swapaxes(weighted, 1, 2) @ jacobian
    size = np.trace(normal, axis1=1, axis2=2) + 1e-12
    normal = normal + (damping * size)[:, None, None] * np.eye(3) + np.diag(~free * 1.0)
    return -np.linalg.solve(normal, np.einsum("spk,sp->sk", weighted, residual)[..., None])[..., 0]


def _distinct(points: Float[np.ndarray, "start 3"]) -> Float[np.ndarray, "mode 3"]:
    kept: list[np.ndarray] = []
    for point in points:
        if all(np.linalg.norm(point - other) > APART_M for other in kept):
            kept.append(point)
    return np.array(kept)
