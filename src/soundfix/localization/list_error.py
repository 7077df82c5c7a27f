"""How wrong is a list of positions that declares nothing? By whether the pairs' peaks meet at the place.

    meeting = sum_ij l_ij(d_ij(x)) h_ij / sum_ij h_ij²

where h_ij is the highest value of a pair's curve within NEAR_M of what the place x predicts: 1 where every pair peaks just
there, as in an exact array (0.97 to 0.99 in simulated rooms); less where positions are a few centimetres off, or the speed
of sound is, and peaks miss each other. High peaks count most, so that echoes beside low ones say little. What is missing
makes a standard error of each position; its scale was fitted to rough rooms and halls (EXPERIMENTS.md, 26 November 2026).
"""

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.localization.evidence import Evidence

NEAR_M = 0.08
USUAL = 0.97  # meeting, from which down a list is doubted
ERROR_M, LARGEST_M = 2.3, 0.17  # standard error for a meeting of 0 (by proportion), and the largest that is believed


def list_error_m(evidence: Evidence, place: Float[np.ndarray, "3"]) -> float:
    """Standard error of each position (m), beside what is declared."""
    return float(np.clip(ERROR_M * (USUAL - meeting(evidence, place)), 0, LARGEST_M))


def meeting(evidence: Evidence, place: Float[np.ndarray, "3"]) -> float:
    """0 to 1."""
    expected_m = physics.range_differences(place, evidence.positions, evidence.pairs)
    at = np.maximum(evidence.at(expected_m), 0)
    highest = np.maximum(_highest_near(evidence, expected_m), at)
    total = float(np.square(highest).sum())
    return float(at @ highest / total) if total > 0 else 1.0


def _highest_near(evidence: Evidence, expected_m: Float[np.ndarray, "pair"]) -> Float[np.ndarray, "pair"]:
    last = evidence.values.shape[1] - 1
    middles, reach = np.rint(expected_m / evidence.step_m).astype(int) + last // 2, int(NEAR_M / evidence.step_m)
    lags = np.clip(middles[:, None] + np.arange(-reach, reach + 1), 0, last)
    return np.take_along_axis(evidence.values, lags, axis=1).max(axis=1)
