"""How good is a list of positions that does not say so? By how far what was heard moves its microphones.

Positions that were taken with a tape are off by centimetres, drawn ones by nothing. With d_m how far bundle adjustment moved
microphone m, with standard errors sigma along each axis that the list was given, and S_m the covariance that was left,

    sigma² = (sum of |d_m|² + PRIOR TAPE_M²) / (gamma + PRIOR)      gamma = sum of (3 - trace(S_m) / sigma²)

gamma being the number of coordinates that were heard of, not only told (MacKay, Bayesian interpolation, 1992, sec. 4). What
moves or turns all alike nothing is heard of; hence not the mean of |d_m|² alone.

Which of two lists to begin with, one that is nearly exact and one that is taped? Of each the cost is the misfit by its own
sigma; the looser one fits better always, and the more it could have been the less it says that it is this: a Gaussian's
log sigma for every coordinate that was heard of (Occam's factor, sec. 2 there).
"""

import numpy as np
from jaxtyping import Bool, Float

from soundfix.calibration.bundle import Freedom, Solution

DRAWN_M, TAPE_M = 0.02, 0.08  # along each axis, before anything was heard
ANYWHERE_M = 3.0  # standard deviation of a place, or of a clock as path, of which nothing is known
EXACT_M = 0.01  # of a clock
ALIKE = 7  # coordinates of which nothing is heard: shifts, turns and, nearly, the scale
USUAL_M, PRIOR = 0.05, 1.0  # what it may be with nothing heard, and for how many coordinates that counts
LEAST_M = 0.005


def estimated(
    solved: Solution, listed_m: Float[np.ndarray, "mic 3"], sigma_m: float, is_listed: Bool[np.ndarray, "mic"]
) -> float:
    """The standard error of these listed positions along each axis, from a solution that was given sigma_m."""
    moved = np.square(solved.layout.positions - listed_m)[is_listed].sum()
    left = np.einsum("maa->m", solved.covariance.positions)[is_listed].sum()
    heard_of = float(np.clip(3 * is_listed.sum() - left / sigma_m**2, 0, None))
    variance = (moved + PRIOR * USUAL_M**2) / (heard_of + PRIOR)
    return float(np.clip(np.sqrt(variance), LEAST_M, TAPE_M))


def surprise(freedom: Freedom, is_known: Bool[np.ndarray, "mic"]) -> float:
    """What is to be added to a solution's cost, to compare what was free to move less with what was free to move more."""
    place_m, late = np.minimum(freedom.positions, ANYWHERE_M)[is_known], freedom.offset_m[is_known] > 0
    share = max(3 * len(place_m) - ALIKE, 0) / max(3 * len(place_m), 1)
    return float(3 * share * np.log(place_m).sum() + late.sum() * np.log(ANYWHERE_M / EXACT_M))
