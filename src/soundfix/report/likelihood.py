"""The curves of all pairs, small enough to be sent: whoever has them can draw the likelihood at any place.

    log p(x)  ~  mean over pairs ij of  l_ij(d_i(x) - d_j(x))

A lag says no more than GRAIN_M of path here, and keeps the highest value within it, so that no peak is lost.
"""

from base64 import b64encode
from typing import Any

import numpy as np
from jaxtyping import Float

from soundfix.localization.evidence import Evidence

GRAIN_M = 0.04
LARGEST = 127  # of a signed byte


def likelihood_dict(evidence: Evidence, grain_m: float = GRAIN_M) -> dict[str, Any]:
    """positions_m: of the microphones that `pairs` numbers. values: signed bytes in base64, a row of `lags` a pair, in units
    of `unit`; the middle one is at a range difference of 0, its neighbours step_m beside it."""
    curves, step_m = thinned(evidence.within(float(evidence.spacing_m.max())), grain_m)
    unit = max(float(np.abs(curves).max()), 1e-9) / LARGEST
    return {
        "positions_m": evidence.positions.tolist(),
        "pairs": evidence.pairs.tolist(),
        "lags": curves.shape[1],
        "step_m": step_m,
        "unit": unit,
        "values": b64encode(np.rint(curves / unit).astype(np.int8).tobytes()).decode("ascii"),
    }


def thinned(evidence: Evidence, grain_m: float) -> tuple[Float[np.ndarray, "pair block"], float]:
    """The highest value of each block of lags, one of them centred at zero; and how far apart blocks are (m)."""
    half = evidence.values.shape[1] // 2
    width = min(1 + 2 * int(grain_m / evidence.step_m / 2), 2 * half + 1)  # odd
    beside = (half - width // 2) // width
    first, count = half - beside * width - width // 2, 2 * beside + 1
    blocks = evidence.values[:, first : first + count * width].reshape(-1, count, width)
    return blocks.max(axis=2), width * evidence.step_m
