"""The curves of one microphone's pairs, turned as if it came first in each of them, moved so that they agree, and added up.

Whoever asks when a microphone heard the source asks this sum: consensus.py about its pull, calibration's guided_arrivals.py
about its arrival. range_shell.py asks about its distance, between the lags, so it interpolates the curves instead.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int


def curves_of(
    m: int,
    values: Float[np.ndarray, "pair lag"],
    pairs: Int[np.ndarray, "pair 2"],
    is_partner: Bool[np.ndarray, "mic"],
) -> tuple[Float[np.ndarray, "partner lag"], Int[np.ndarray, "partner"]]:
    """Those with its partners as if m came first, in the order of the pairs, and who the other of each is."""
    curves, others = views_of(m, values, pairs, is_partner)
    return np.stack(curves) if curves else values[:0], others


def views_of(
    m: int,
    values: Float[np.ndarray, "pair lag"],
    pairs: Int[np.ndarray, "pair 2"],
    is_partner: Bool[np.ndarray, "mic"],
) -> tuple[list[Float[np.ndarray, "lag"]], Int[np.ndarray, "partner"]]:
    """The same, each curve as it stands in memory: for who looks at a part of it alone."""
    other = np.where(pairs[:, 0] == m, pairs[:, 1], pairs[:, 0])
    rows = np.flatnonzero((pairs == m).any(axis=1) & is_partner[other])
    is_first = pairs[rows, 0] == m
    return [values[r] if first else values[r, ::-1] for r, first in zip(rows, is_first, strict=True)], other[rows]


def sum_about(
    curves: Float[np.ndarray, "partner lag"] | Sequence[Float[np.ndarray, "lag"]],
    lags: Int[np.ndarray, "partner"],
    half: int,
) -> tuple[Float[np.ndarray, "delay"], int]:
    """The sum of the curves up to `half` lags from their own one, and of how many: not of those that do not reach so far."""
    total, count, middle = np.zeros(2 * half + 1, dtype=np.float32), 0, len(curves[0]) // 2 if len(curves) else 0
    for curve, lag in zip(curves, lags, strict=True):
        if abs(lag) + half <= middle:
            total += curve[middle + lag - half : middle + lag + half + 1]
            count += 1
    return total, count
