"""What the curves of pairs say at many places: the innermost loops of every search, compiled.

Axes: P pairs, L lags, M microphones, N places. Ranges and lags come microphone by microphone, so that a pair is the
difference of two rows. All add up pair by pair, in the order of pairs.
"""

import numpy as np
from jaxtyping import Float, Int

from soundfix.compiled import compiled

Curves = Float[np.ndarray, "pair lag"]
Pairs = Int[np.ndarray, "pair 2"]
TO_THE_END = 1e-6  # of a lag, from the last one: the one after it is looked up, too


@compiled
def mean_at(values: Curves, lags: Int[np.ndarray, "pair place"]) -> Float[np.ndarray, "place"]:
    """Of each pair the value at its own lag: their mean."""
    total = np.zeros(lags.shape[1], dtype=np.float32)
    for p in range(len(values)):
        for n in range(len(total)):
            total[n] += values[p, lags[p, n]]
    return total / np.float32(len(values))


@compiled
def mean_nearest(
    values: Curves, pairs: Pairs, lags_and_middle: Float[np.ndarray, "mic place"], lags: Float[np.ndarray, "mic place"]
) -> Float[np.ndarray, "place"]:
    """The mean at the lag that is nearest to each range difference; beyond the ends the last one counts."""
    total = np.zeros(lags.shape[1], dtype=np.float32)
    last = values.shape[1] - 1
    for p in range(len(values)):
        first, second = lags_and_middle[pairs[p, 0]], lags[pairs[p, 1]]
        for n in range(len(total)):
            total[n] += values[p, min(max(np.int32(first[n] - second[n]), 0), last)]
    return total / np.float32(len(values))


@compiled
def mean_between(
    values: Curves, pairs: Pairs, ranges_m: Float[np.ndarray, "mic place"], step_m: float
) -> Float[np.ndarray, "place"]:
    """The mean at each range difference, linear between lags, constant beyond the last one."""
    total = np.zeros(ranges_m.shape[1], dtype=np.float64)
    last = values.shape[1] - 1
    for p in range(len(values)):
        first, second = ranges_m[pairs[p, 0]], ranges_m[pairs[p, 1]]
        for n in range(len(total)):
            lag = min(max((first[n] - second[n]) / step_m + last / 2, 0.0), last - TO_THE_END)
            below = np.int64(lag)
            left = values[p, below]
            total[n] += left + (lag - below) * (values[p, below + 1] - left)
    return total / len(values)


@compiled
def averaged(values: Curves, width: int) -> Curves:
    """Over so many lags (odd); the last ones stand in for those beyond."""
    count, half = values.shape[1], width // 2
    padded = np.empty(count + width - 1, dtype=np.float32)
    total = np.empty(values.shape, dtype=np.float32)
    for p in range(len(values)):
        padded[:half] = values[p, 0]
        padded[half : half + count] = values[p]
        padded[half + count :] = values[p, -1]
        row = total[p]
        row[:] = padded[:count]
        for k in range(1, width):
            for n in range(count):
                row[n] += padded[k + n]
        for n in range(count):
            row[n] /= np.float32(width)
    return total
