"""Where between two lags a peak is highest."""

import numpy as np
from jaxtyping import Float, Int


def summit(curves: Float[np.ndarray, "pair lag"], peak: Int[np.ndarray, "pair"]) -> Float[np.ndarray, "pair"]:
    """Where the parabola through each peak and its neighbours is highest, as a fraction of a lag (-0.5..0.5)."""
    rows, inner = np.arange(len(curves)), np.clip(peak, 1, curves.shape[1] - 2)
    left, top, right = curves[rows, inner - 1], curves[rows, inner], curves[rows, inner + 1]
    bend = left - 2 * top + right
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = np.where(bend < 0, 0.5 * (left - right) / bend, 0.0)
    return np.clip(offset, -0.5, 0.5) * (inner == peak)
