"""Arrivals that change steadily, as they do while a source walks; an echo heard for the sound, or a chance peak, jumps.

Where the sources themselves jump, nothing can be told from it, and all arrivals stay.
"""

import numpy as np
from jaxtyping import Bool, Float

AROUND_S = 1.0  # before and after a moment
NEAR_M = 0.3  # of what the moments around it let expect: of walks of 1 m/s and less the differences bend no more
ROUNDS = 2  # without the worst, the others are judged better
LEAST_SHARE = 0.25  # of the arrivals: where fewer are steady, sources jump


def without_jumps(
    path_m: Float[np.ndarray, "moment mic"], times_s: Float[np.ndarray, "moment"]
) -> Float[np.ndarray, "moment mic"]:
    """The arrivals, NaN those whose differences from most others' are not near what they are just before and after."""
    left = path_m
    for _ in range(ROUNDS):
        left = np.where(_jumps(left, times_s), np.nan, left)
    return left if np.isfinite(left).sum() >= LEAST_SHARE * np.isfinite(path_m).sum() else path_m


def _jumps(
    path_m: Float[np.ndarray, "moment mic"], times_s: Float[np.ndarray, "moment"]
) -> Bool[np.ndarray, "moment mic"]:
    apart = path_m[:, :, None] - path_m[:, None]
    away = np.array([np.abs(apart[w] - _expected(apart, times_s - times_s[w])) for w in range(len(times_s))])
    itself = np.arange(path_m.shape[1])
    away[:, itself, itself] = np.nan
    partners = np.isfinite(away).sum(axis=2)
    jumps: np.ndarray = (away > NEAR_M).sum(axis=2) > partners / 2
    return jumps


def _expected(
    apart: Float[np.ndarray, "moment mic mic"], after_s: Float[np.ndarray, "moment"]
) -> Float[np.ndarray, "mic mic"]:
    """Midway between the medians before and after; one of them where there is no other."""
    before = _median(apart[(after_s < 0) & (after_s >= -AROUND_S)])
    after = _median(apart[(after_s > 0) & (after_s <= AROUND_S)])
    return np.where(np.isnan(before), after, np.where(np.isnan(after), before, (before + after) / 2))


def _median(values: Float[np.ndarray, "moment mic mic"]) -> Float[np.ndarray, "mic mic"]:
    """NaN of none."""
    is_there = np.isfinite(values).any(axis=0)
    found = np.full(is_there.shape, np.nan)
    found[is_there] = np.nanmedian(values[:, is_there], axis=0)
    return found
