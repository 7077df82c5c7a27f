"""Numbers that a few outliers do not move."""

import numpy as np
from jaxtyping import Float

GAUSSIAN = 1.4826  # a Gaussian's standard deviation over its median distance from the middle
LEAST = 1e-9


def medians(values: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "row"]:
    """Of every row's numbers, NaN aside; 0 of none."""
    is_there = np.isfinite(values).any(axis=1, keepdims=True)
    return np.nanmedian(np.where(is_there, values, 0.0), axis=1)


def deviation(
    values: Float[np.ndarray, "*shape"],
    *,
    about: float | None = None,
    axis: int | None = None,
    dtype: type[np.floating] | None = None,
) -> np.floating | Float[np.ndarray, "*kept"]:
    """The standard deviation by the median distance from `about`, or from the median: right for a Gaussian with outliers.

    LEAST is added, so that it may be divided by. axis: along which, and which is kept; all values, without one.
    dtype: of the result; that of the values by default.
    """
    if not values.size:
        return np.float64(LEAST)
    middle = np.median(values, axis=axis, keepdims=axis is not None) if about is None else about
    distance = np.median(np.abs(values - middle), axis=axis, keepdims=axis is not None)
    return GAUSSIAN * distance.astype(dtype or distance.dtype) + LEAST
