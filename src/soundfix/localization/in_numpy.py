"""The loops of lookup.py, climb.py and cells.py in numpy's passes, until compiling pays (compiled.py): the same
numbers, to the last bit. So sums are taken over the first axis, which numpy adds row by row.
"""

import numpy as np
from jaxtyping import Complex, Float, Int, UInt32

Curves = Float[np.ndarray, "pair lag"]
Pairs = Int[np.ndarray, "pair 2"]
Lags = Int[np.ndarray, "pair"]
Ranges = Float[np.ndarray, "mic place"]
TO_THE_END = 1e-6  # of a lag, from the last one: the one after it is looked up, too


def mean_at(values: Curves, lags: UInt32[np.ndarray, "pair place"]) -> Float[np.ndarray, "place"]:
    """Of each pair the value at its own lag: their mean."""
    total = np.zeros(lags.shape[1], dtype=np.float32)
    for curve, wanted in zip(values, lags, strict=True):
        total += curve.take(wanted)
    return total / np.float32(len(values))


def mean_nearest(values: Curves, pairs: Pairs, lags: Ranges) -> Float[np.ndarray, "place"]:
    """The mean at the lag that each difference is nearest to; beyond the ends the last one counts."""
    total, lags_and_middle = np.zeros(lags.shape[1], dtype=np.float32), lags + np.float32(values.shape[1] // 2 + 0.5)
    for curve, (i, j) in zip(values, pairs, strict=True):
        total += curve.take((lags_and_middle[i] - lags[j]).astype(np.int64), mode="clip")
    return total / np.float32(len(values))


def mean_between(values: Curves, pairs: Pairs, lags: Ranges) -> Float[np.ndarray, "place"]:
    """The mean at each difference of lags, linear between two, constant beyond the last one."""
    last = values.shape[1] - 1
    lag = np.clip(lags[pairs[:, 0]] - lags[pairs[:, 1]] + last / 2, 0.0, last - TO_THE_END)
    below = lag.astype(np.int64)
    index = below + np.arange(len(pairs))[:, None] * values.shape[1]
    left, right = values.take(index), values.take(index + 1)
    return added(left + (lag - below) * (right - left)) / len(values)


def highest_between(values: Curves, first: Lags, last: Lags) -> Lags:
    """Of each pair the lag from `first` to `last` where its curve is highest."""
    lags = np.minimum(first[:, None] + np.arange(int((last - first).max()) + 1), last[:, None])
    best = np.take_along_axis(values, lags, axis=1).argmax(axis=1)
    return np.asarray(lags[np.arange(len(lags)), best])


def blurred(values: Curves, first: int, count: int, block: int, width: int) -> Float[np.ndarray, "pair coarselag"]:
    """Positive evidence: means of blocks of lags, then twice averaged."""
    kept = np.maximum(values[:, first : first + count * block], np.float32(0))
    means = added(np.stack([kept[:, k::block] for k in range(block)])) / np.float32(block)
    for _ in range(2):
        padded = np.pad(means, ((0, 0), (width // 2, width // 2)), mode="edge")
        means = added(np.stack([padded[:, k : k + count] for k in range(width)])) / np.float32(width)
    return means


def highest_round(
    padded: Float[np.ndarray, "pair padded"], weight: Float[np.ndarray, "off pair"]
) -> Float[np.ndarray, "pair lag"]:
    """The highest value round each lag, times the weight of its offset, 0 at least."""
    highest = np.zeros((len(padded), padded.shape[1] + 1 - len(weight)), dtype=np.float32)
    for k, share in enumerate(weight):
        np.maximum(highest, share[:, None] * padded[:, k : k + highest.shape[1]], out=highest)
    return highest


def slopes_nearest(
    curves: Float[np.ndarray, "piece pair lag"], pairs: Pairs, lags: Float[np.ndarray, "piece mic place"],
    uphill: Float[np.ndarray, "pair 3"], near: int,
) -> tuple[Float[np.ndarray, "place piece 3"], Float[np.ndarray, "place piece 3 3"]]:  # fmt: skip
    """Gradient and curvature of the sum at the lag that each difference is nearest to."""
    middle, last = np.float32(curves.shape[2] // 2 + 0.5), np.float32(curves.shape[2] - 1 - near)
    beyond = np.clip(lags[:, pairs[:, 0]] - lags[:, pairs[:, 1]] + middle, np.float32(near), last)
    start = np.arange(curves.shape[0] * curves.shape[1]).reshape(curves.shape[:2])[..., None] * curves.shape[2]
    index = start + beyond.astype(np.int64)
    before, at, after = (curves.take(index + off).astype(np.float64).transpose(1, 2, 0) for off in (-near, 0, near))
    slope, bend = (after - before) / (2 * near), np.maximum(2 * at - before - after, 0.0) / near**2
    away = uphill[:, None, None]
    gradient, bent = slope[..., None] * away, bend[..., None] * away
    return added(gradient), added(bent[..., None] * away[..., None, :])


def cubic_slopes(
    values: Curves, pairs: Pairs, lags: Float[np.ndarray, "mic"], unit: Float[np.ndarray, "mic 3"]
) -> tuple[float, Float[np.ndarray, "3"], Float[np.ndarray, "3 3"]]:
    """Value, gradient and curvature of the mean evidence of all pairs, by cubics (climb.py)."""
    last = values.shape[1] - 1
    lag = np.clip(lags[pairs[:, 0]] - lags[pairs[:, 1]] + last / 2, 1.0, last - 2 - TO_THE_END)
    below, turn = lag.astype(np.int64), unit[pairs[:, 0]] - unit[pairs[:, 1]]
    t, rows = lag - below, np.arange(len(lag))
    before, left, right, after = (values[rows, below + k].astype(np.float64) for k in (-1, 0, 1, 2))
    linear, square = 0.5 * (right - before), before - 2.5 * left + 2 * right - 0.5 * after
    cube = 1.5 * (left - right) + 0.5 * (after - before)
    value = left + t * (linear + t * (square + t * cube))
    slope, bend = linear + t * (2 * square + 3 * t * cube), 2 * square + 6 * t * cube
    gradient, hessian = slope[:, None] * turn, (bend[:, None] * turn)[..., None] * turn[:, None]
    return float(added(value[:, None])[0] / len(lag)), added(gradient) / len(lag), added(hessian) / len(lag)


def shared(
    dense: Complex[np.ndarray, "row freq"], power: Float[np.ndarray, "row freq"], rows: Int[np.ndarray, "mic frame"],
    turn: Complex[np.ndarray, "mic freq"], smallest: float,
) -> Float[np.ndarray, "frame freq"]:  # fmt: skip
    """rho(t, f) of these rows, the phases of every microphone turned so (cells.py)."""
    heard, turn = dense[rows], turn[:, None]
    real = added(heard.real * turn.real - heard.imag * turn.imag)
    imaginary = added(heard.real * turn.imag + heard.imag * turn.real)
    total = np.float32(len(rows)) * added(power[rows]) + np.float32(smallest)
    return (real * real + imaginary * imaginary) / total


def added(values: Float[np.ndarray, "first *rest"]) -> Float[np.ndarray, "*rest"]:
    """The sum over the first axis, row after row, from zero; numpy adds columns of one row in another order."""
    if values[0].size > 1:
        return np.add.reduce(values, axis=0)
    return np.cumsum(values, axis=0)[-1]
