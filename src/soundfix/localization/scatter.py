"""Do the pairs' peaks meet at the place? By how much they miss it says how wrong the list of positions may be.

    scatter² = sum_ij  h_ij² r_ij² / (2 sum_ij h_ij²)

where r_ij is how far the highest peak of a pair within REACH_M of what the place predicts lies from that, and h_ij how high it
is. Two microphones share an error, hence the 2. In an exact array it is about the width of a peak, 5 mm; positions that are a
few centimetres off, a wrong speed of sound or a body between source and microphone make it a few centimetres, whatever the
list declares.
"""

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.localization.evidence import Evidence
from soundfix.localization.position_errors import peaks_near

REACH_M = 0.15
FINEST_M, COARSEST_M = 0.003, 0.1


def scatter_m(evidence: Evidence, place: Float[np.ndarray, "3"]) -> float:
    """In metres, from FINEST_M to COARSEST_M; the latter where no pair has a peak near the place."""
    expected_m = physics.range_differences(place, evidence.positions, evidence.pairs)
    found_m, height = peaks_near(evidence, expected_m, np.full(len(expected_m), REACH_M))
    weight = np.square(height)
    if not weight.any():
        return COARSEST_M
    squared = float(weight @ np.square(found_m - expected_m) / weight.sum()) / 2
    return float(np.clip(np.sqrt(squared), FINEST_M, COARSEST_M))
