"""Where a sound comes from so far away that a wide array tells no distance, though it tells one nearby.

From afar arrivals tell 1 / r, with a standard error e / r². Where that is more than UNTOLD of it, or the place is at the end
of all that was searched, the answer is the direction from the middle of the array, and no distance (compact.py has those of
arrays that are small for everything).
"""

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.estimate import Direction, Finding
from soundfix.localization.arrival_fit import is_outside
from soundfix.scene import free_axes

UNTOLD = 0.5  # standard error of a distance, as a share of it
AT_END = 0.05  # of the side of the box: a place this near its end is further away
NARROWEST_DEG = 0.5
SAID = Finding(
    "direction_only", "the sound is so far outside the array that it tells where from, and not how far", False
)


def bearing(
    place: Float[np.ndarray, "3"],
    covariance_m2: Float[np.ndarray, "3 3"],
    positions: Float[np.ndarray, "kept 3"],
    box: Float[np.ndarray, "2 3"],
) -> Direction | None:
    """The direction from the middle of these microphones (m) to a place that was sought in this box, with a cone of 90 %;
    None where the distance is told."""
    ray_m = place - positions.mean(axis=0)
    away_m = float(np.linalg.norm(ray_m))
    if not (is_outside(place, positions) and free_axes(box).all()):
        return None
    unit = ray_m / away_m
    end_m = AT_END * (box[1] - box[0])[:2]
    is_at_end = bool(((place - box[0])[:2] < end_m).any() or ((box[1] - place)[:2] < end_m).any())
    if not is_at_end and unit @ covariance_m2 @ unit <= (UNTOLD * away_m) ** 2:
        return None
    across = np.eye(3) - np.outer(unit, unit)
    cone_deg = float(np.degrees(np.arctan(physics.radius90(across @ covariance_m2 @ across) / away_m)))
    azimuth_deg, elevation_deg = physics.azimuth_elevation(unit)
    return Direction(
        azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, cone90_deg=max(NARROWEST_DEG, cone_deg),
        from_m=positions.mean(axis=0),
    )  # fmt: skip
