"""The curves of one microphone's pairs, turned as if it came first in each of them, moved so that they agree, and added up.

Whoever asks when a microphone heard the source asks this sum: consensus.py about its pull, calibration's guided_arrivals.py
about its arrival. range_shell.py asks about its distance, between the lags, so it interpolates the curves instead.
"""

import numpy as np
from jaxtyping import Bool, Float, Int


def curves_of(
    m: int,
    values: Float[np.ndarray, "pair lag"],
    pairs: Int[np.ndarray, "pair 2"],
    is_partner: Bool[np.ndarray, "mic"],
) -> tuple[Float[np.ndarray, "partner lag"], Int[np.ndarray, "partner"]]:
    """Those with its partners as if m came first, in the order of the pairs, and who the other of each is."""
    other = np.where(pairs[:, 0] == m, pairs[:, 1], pairs[:, 0])
    rows = np.flatnonzero((pairs == m).any(axis=1) & is_partner[other])
    is_first = pairs[rows, 0] == m
    return np.where(is_first[:, None], values[rows], values[rows, ::-1]), other[rows]


def sum_about(
    curves: Float[np.ndarray, "partner lag"], lags: Int[np.ndarray, "partner"], half: int
) -> tuple[Float[np.ndarray, "delay"], int]:
    """The sum of the curves up to `half` lags from their own one, and of how many: not of those that do not reach so far."""
    total, count, middle = np.zeros(2 * half + 1, dtype=np.float32), 0, curves.shape[1] // 2
    for curve, lag in zip(curves, lags, strict=True):
        if abs(lag) + half <= middle:
            total += curve[middle + lag - half : middle + lag + half + 1]
            count += 1
    return total, count
