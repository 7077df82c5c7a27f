"""Numbers that a few outliers do not move."""

import numpy as np
from jaxtyping import Float


def medians(values: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "row"]:
    """Of every row's numbers, NaN aside; 0 of none."""
    is_there = np.isfinite(values).any(axis=1, keepdims=True)
    return np.nanmedian(np.where(is_there, values, 0.0), axis=1)
