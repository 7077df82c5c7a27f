"""From the likelihood's best places to the likeliest: reranked by the network, then placed as exactly as curves allow."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import polish
from soundfix.scene import free_axes

LEAST_HEIGHT = 0.01  # of a curve, to count for something in the polish
USUAL_WALL_M = 1.3  # from a source to floor and ceiling
BREADTH = 2.0  # of the search for candidates: what it passes over no second look finds


def with_height(box: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "2 3"]:
    """The box as a room: where it is thin, because a coordinate is known, as far to both sides as walls usually are."""
    known = ~free_axes(box) * USUAL_WALL_M
    return np.stack([box[0] - known, box[1] + known])


def polished(
    evidence: Evidence, positions: Float[np.ndarray, "mic 3"], place: Float[np.ndarray, "3"],
    box: Float[np.ndarray, "2 3"],
) -> Float[np.ndarray, "3"]:  # fmt: skip
    """The top of the peak that this place lies on; pairs with a higher curve there, whose delays are exacter, count more."""
    height = evidence.at(physics.range_differences(place, positions, evidence.pairs)).clip(LEAST_HEIGHT)
    weighted = replace(evidence, values=evidence.values * np.sqrt(height)[:, None].astype(evidence.values.dtype))
    return polish(weighted, positions, place[None], box)[0].position
