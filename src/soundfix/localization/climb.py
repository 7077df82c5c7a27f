"""To the top of a peak, exactly: the same place however the array is turned.

The curves of pairs are interpolated by cubics (Keys, 1981), so that the sum over pairs has a slope and a curvature in
closed form,

    s(x) = mean over p of c_p(tau_p(x))      grad s = mean of c'_p u_p      H = mean of c''_p u_p u_pᵀ,  u_p = grad tau_p

(u_p changes little within a peak), and Newton's steps are taken along the axes of H, each shorter where s would fall: the
curvature of cubics jumps at every lag.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.compiled import compiled
from soundfix.localization import in_numpy
from soundfix.localization.evidence import Evidence
from soundfix.localization.in_numpy import TO_THE_END, Curves, Pairs
from soundfix.scene import free_axes

STEPS = 40
LONGEST_M = 0.004  # of a step, for peaks of sound in air up to 7.5 kHz
SHRINKS, SETTLED_M = 0.25, 2e-5
NEAREST_M = 1e-9
FLATTEST = 1e-3  # of the largest curvature: along a flatter axis it goes as if it were so


class Slopes(NamedTuple):
    """Of the evidence at a place."""

    value: float
    gradient: Float[np.ndarray, "3"]
    hessian: Float[np.ndarray, "3 3"]


def climbed(evidence: Evidence, place: Float[np.ndarray, "3"], box: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "3"]:
    """The place at the top of its peak, inside the box."""
    free, longest_m, here = free_axes(box), LONGEST_M * evidence.grain, slopes(evidence, place)
    for _ in range(STEPS):
        step = _step(here, longest_m, free)
        while np.abs(step).max() >= SETTLED_M:
            tried = np.clip(place + step, box[0], box[1])
            there = slopes(evidence, tried)
            if there.value > here.value:
                break
            step = SHRINKS * step
        else:
            break
        place, here = tried, there
    return place


def _step(here: Slopes, radius_m: float, free: np.ndarray) -> Float[np.ndarray, "3"]:
    """Newton's, uphill along every axis of the curvature, and no longer than the radius."""
    step = np.zeros(3)
    values, axes = np.linalg.eigh(here.hessian[free][:, free])
    steep = np.abs(values)
    least = FLATTEST * steep.max(initial=0.0) + 1e-30
    step[free] = axes @ ((here.gradient[free] @ axes) / np.maximum(steep, least))
    return step * min(1.0, radius_m / (float(np.linalg.norm(step)) + 1e-30))


def slopes(evidence: Evidence, place: Float[np.ndarray, "3"]) -> Slopes:
    """Value, gradient and curvature of the mean evidence of all pairs."""
    away = place - evidence.positions
    ranges = np.maximum(np.linalg.norm(away, axis=1), NEAREST_M)
    lags, unit = ranges / evidence.step_m, away / ranges[:, None] / evidence.step_m
    return Slopes(*_slopes(evidence.values, evidence.pairs, lags, unit))


@compiled(in_numpy.cubic_slopes)
def _slopes(
    values: Curves, pairs: Pairs, lags: Float[np.ndarray, "mic"], unit: Float[np.ndarray, "mic 3"]
) -> tuple[float, Float[np.ndarray, "3"], Float[np.ndarray, "3 3"]]:
    """The same, by the cubic through the four values round each lag."""
    value, gradient, hessian, last = 0.0, np.zeros(3), np.zeros((3, 3)), values.shape[1] - 1
    for p in range(len(pairs)):
        i, j = pairs[p]
        lag = min(max(lags[i] - lags[j] + last / 2, 1.0), last - 2 - TO_THE_END)
        below, turn = np.int64(lag), unit[i] - unit[j]
        t = lag - below
        before, left = np.float64(values[p, below - 1]), np.float64(values[p, below])
        right, after = np.float64(values[p, below + 1]), np.float64(values[p, below + 2])
        linear, square = 0.5 * (right - before), before - 2.5 * left + 2 * right - 0.5 * after
        cube = 1.5 * (left - right) + 0.5 * (after - before)
        value += left + t * (linear + t * (square + t * cube))
        slope, bend = linear + t * (2 * square + 3 * t * cube), 2 * square + 6 * t * cube
        for x in range(3):
            gradient[x] += slope * turn[x]
            for y in range(3):
                hessian[x, y] += bend * turn[x] * turn[y]
    return value / len(pairs), gradient / len(pairs), hessian / len(pairs)
