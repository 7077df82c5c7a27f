"""What the curves of pairs say at many places: the innermost loops of every search, compiled (compiled.py).

Axes: P pairs, L lags, M microphones, N places. Lags come microphone by microphone, so that a pair is the difference of two
rows. All add up pair by pair, in the order of pairs. Unsigned numbers of lags spare a look at negative ones.
"""

import numpy as np
from jaxtyping import Float, UInt32

from soundfix.compiled import compiled
from soundfix.localization import in_numpy
from soundfix.localization.in_numpy import TO_THE_END, Curves, Lags, Pairs, Ranges


@compiled(in_numpy.mean_at)
def mean_at(values: Curves, lags: UInt32[np.ndarray, "pair place"]) -> Float[np.ndarray, "place"]:
    """Of each pair the value at its own lag: their mean."""
    total = np.zeros(lags.shape[1], dtype=np.float32)
    for p in range(len(values)):
        curve, wanted = values[p], lags[p]
        for n in range(len(total)):
            total[n] += curve[wanted[n]]
    return total / np.float32(len(values))


@compiled(in_numpy.mean_nearest)
def mean_nearest(values: Curves, pairs: Pairs, lags: Ranges) -> Float[np.ndarray, "place"]:
    """The mean at the lag that each difference is nearest to (0 in the middle); beyond the ends the last one counts."""
    total, zero = np.zeros(lags.shape[1], dtype=np.float32), np.float32(0)
    last, middle = np.float32(values.shape[1] - 1), np.float32(values.shape[1] // 2 + 0.5)  # truncated: the nearest
    for p in range(len(values)):
        first, second, curve = lags[pairs[p, 0]], lags[pairs[p, 1]], values[p]
        for n in range(len(total)):
            total[n] += curve[np.uint32(min(max(first[n] + middle - second[n], zero), last))]
    return total / np.float32(len(values))


@compiled(in_numpy.mean_between)
def mean_between(values: Curves, pairs: Pairs, lags: Ranges) -> Float[np.ndarray, "place"]:
    """The mean at each difference of lags, linear between two, constant beyond the last one."""
    total = np.zeros(lags.shape[1], dtype=np.float64)
    last = values.shape[1] - 1
    for p in range(len(values)):
        first, second, curve = lags[pairs[p, 0]], lags[pairs[p, 1]], values[p]
        for n in range(len(total)):
            lag = min(max(first[n] - second[n] + last / 2, 0.0), last - TO_THE_END)
            below = np.uint32(lag)
            left = curve[below]
            total[n] += left + (lag - below) * (curve[below + np.uint32(1)] - left)
    return total / len(values)


@compiled(in_numpy.highest_between)
def highest_between(values: Curves, first: Lags, last: Lags) -> Lags:
    """Of each pair the lag from `first` to `last` where its curve is highest; the first one of several."""
    best = first.copy()
    for p in range(len(values)):
        curve, highest = values[p], values[p, first[p]]
        for lag in range(first[p] + 1, last[p] + 1):
            if curve[lag] > highest:
                highest, best[p] = curve[lag], lag
    return best


@compiled(in_numpy.blurred)
def blurred(values: Curves, first: int, count: int, block: int, width: int) -> Float[np.ndarray, "pair coarselag"]:
    """Positive evidence: means of `count` blocks of lags from `first` on, then twice averaged over `width` of these (odd);
    the last ones stand in for those beyond."""
    total, half = np.zeros((len(values), count), dtype=np.float32), width // 2
    padded = np.empty(count + width - 1, dtype=np.float32)
    for p in range(len(values)):
        row, curve = total[p], values[p, first:]
        for k in range(block):
            for n in range(count):
                row[n] += max(curve[n * block + k], np.float32(0))
        for n in range(count):
            row[n] /= np.float32(block)
        for _ in range(2):
            padded[:half], padded[half : half + count], padded[half + count :] = row[0], row, row[-1]
            row[:] = padded[:count]
            for k in range(1, width):
                for n in range(count):
                    row[n] += padded[n + k]
            for n in range(count):
                row[n] /= np.float32(width)
    return total


@compiled(in_numpy.highest_round)
def highest_round(
    padded: Float[np.ndarray, "pair padded"], weight: Float[np.ndarray, "off pair"]
) -> Float[np.ndarray, "pair lag"]:
    """Of each pair and lag the highest value round it, times the weight of its offset (odd in number), 0 at least."""
    count = padded.shape[1] + 1 - len(weight)
    highest = np.zeros((len(padded), count), dtype=np.float32)
    for p in range(len(padded)):
        row, curve = highest[p], padded[p]
        for k in range(len(weight)):
            share = weight[k, p]
            for n in range(count):
                row[n] = max(row[n], share * curve[n + k])
    return highest


@compiled(in_numpy.slopes_nearest)
def slopes_nearest(
    curves: Float[np.ndarray, "piece pair lag"], pairs: Pairs, lags: Float[np.ndarray, "piece mic place"],
    uphill: Float[np.ndarray, "pair 3"], near: int,
) -> tuple[Float[np.ndarray, "place piece 3"], Float[np.ndarray, "place piece 3 3"]]:  # fmt: skip
    """Gradient of the sum at the lag that each difference is nearest to, and its curvature as far as curves bend downwards,
    by differences `near` lags to both sides (a lag is the unit); piece by piece.

    uphill: how each pair's difference grows with the place.
    """
    pieces, places, last = len(curves), lags.shape[2], np.float32(curves.shape[2] - 1 - near)
    gradient, curvature = np.zeros((places, pieces, 3)), np.zeros((places, pieces, 3, 3))
    first_lag, middle = np.float32(near), np.float32(curves.shape[2] // 2 + 0.5)
    for k in range(pieces):
        for p in range(len(pairs)):
            first, second, curve, away = lags[k, pairs[p, 0]], lags[k, pairs[p, 1]], curves[k, p], uphill[p]
            for n in range(places):
                lag = np.int64(min(max(first[n] - second[n] + middle, first_lag), last))
                before, at, after = np.float64(curve[lag - near]), np.float64(curve[lag]), np.float64(curve[lag + near])
                slope = (after - before) / (2 * near)
                bend = max(2 * at - before - after, 0.0) / near**2
                for x in range(3):
                    gradient[n, k, x] += slope * away[x]
                    for y in range(3):
                        curvature[n, k, x, y] += bend * away[x] * away[y]
    return gradient, curvature
