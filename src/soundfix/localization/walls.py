"""Do walls answer where they were told? Evidence for each wall, where it was told and up to MOST_OFF_M before and behind.

A wall mirrors a source at x to an image x_k, which microphone m hears later than the source by

    delta_mk = |x_k - r_m| - |x - r_m|

where its profile (consensus.py), the mean of its pairs' curves moved by a common delay, has a peak. A periodic sound has one
there too, and another as much earlier; an echo has none: the earlier half is taken from the later one. What is left is as
wide as a place is known and in standard deviations, and the mean over microphones is z_k(s), for a wall s further out.

Right walls have their peak at s = 0; of wrong ones it is elsewhere, if they are wrong by less than MOST_OFF_M, or there is
none. Told walls are contradicted where echoes are heard, and not theirs. Over all windows and walls

    others = sum_k max_(|s| > APART) z_k(s) / sqrt(6)        told = sum_k max_(|s| <= KNOWN) z_k(s) / sqrt(6)

must be MARGIN apart, and the others TIMES as much: where places or speed are a little off, right walls answer weakly, but
they do. With no echo at all, outdoors or in a dry studio, both are chance, and nothing is said. MARGIN and TIMES were chosen
on simulated rooms (EXPERIMENTS.md, 26 November 2026): no right room in 80 was contradicted.
"""

import itertools

import numpy as np
from jaxtyping import Bool, Float

from soundfix import physics, robust
from soundfix.localization.consensus import profile_curves
from soundfix.localization.evidence import Evidence
from soundfix.scene import Room

STEP_M, MOST_OFF_M = 0.04, 1.6
SHIFTS_M = np.arange(-MOST_OFF_M, MOST_OFF_M + STEP_M / 2, STEP_M)  # outwards
KNOWN_M, APART_M = 0.1, 0.2  # to which walls are told; from where on it is another wall
PLACE_M = 0.04  # either side of where an echo is expected: half a step of a wall, and the error of a place
NEAREST_M = 0.3  # of path: an earlier echo is part of the direct sound's peak
FAINT = 0.01  # of the direct sound: a deviation smaller than this is no reverberation, but the skirts of its peak
LOWEST, HIGHEST = -3.0, 6.0  # standard deviations beyond which one microphone counts no more
FEWEST = 3  # microphones that hear a wall
THINNEST_M = 0.5  # a room thinner than this has no walls there, but a known coordinate
FEWEST_WINDOWS = 2
MARGIN, TIMES = 6.0, 2.5  # by which others must be heard better than those that were told
ROUNDING_M = 1e-9
LEAST_GAP_M = 0.02  # from the source and every microphone to a wall

Walls = Float[np.ndarray, "shift wall"]


def heard_walls(
    evidence: Evidence, is_kept: Bool[np.ndarray, "mic"], place_m: Float[np.ndarray, "3"], room: Room
) -> Walls:
    """z_k(s) of one window whose source is at this place, by the plain correlations (evidence) of the microphones that are
    kept; NaN where there can be no such wall, or too few would hear it. The walls are x0, x1, y0, y1, z0, z1.
    """
    curves, stand = _echo_curves(evidence, is_kept, place_m), evidence.positions[is_kept]
    box = np.array(room)
    walls = np.full((len(SHIFTS_M), 6), np.nan)
    for axis, side in itertools.product(range(3), range(2)):
        if box[1, axis] - box[0, axis] > THINNEST_M:
            wall_m = box[side, axis] + SHIFTS_M * (2 * side - 1)
            extra_m = _extra_paths(place_m, stand, axis, wall_m)
            is_beyond = _is_beyond(np.append(stand[:, axis], place_m[axis]), wall_m, side)
            walls[:, 2 * axis + side] = np.where(
                is_beyond, _heard(curves, extra_m / evidence.step_m, NEAREST_M / evidence.step_m), np.nan
            )
    return walls


class WallSums:
    """What all windows of a recording say of the walls."""

    def __init__(self) -> None:
        self._sum = np.zeros((len(SHIFTS_M), 6))
        self._windows = np.zeros((len(SHIFTS_M), 6))

    def add(self, walls: Walls) -> None:
        """One more window."""
        self._sum += np.nan_to_num(walls)
        self._windows += np.isfinite(walls)

    def standing(self) -> tuple[float, float]:
        """How well echoes of the told walls are heard, and those of others, in standard deviations."""
        z = np.where(self._windows > 0, self._sum / np.sqrt(self._windows.clip(1)), np.nan)
        off_m = np.abs(SHIFTS_M)[:, None] - ROUNDING_M
        return _best(z, off_m <= KNOWN_M), _best(z, off_m >= APART_M)

    def are_contradicted(self) -> bool:
        """Whether echoes are heard, but not those of these walls."""
        told, others = self.standing()
        return bool(self._windows.max() >= FEWEST_WINDOWS and others > max(told + MARGIN, TIMES * told))

    def are_confirmed(self) -> bool:
        """Whether these walls answer better than any others, by as much."""
        told, others = self.standing()
        return bool(self._windows.max() >= FEWEST_WINDOWS and told > others + MARGIN)


def _best(z: Walls, is_meant: Bool[np.ndarray, "shift 1"]) -> float:
    """Of every wall the best of these shifts, added up and divided by the root of their number."""
    best = np.where(is_meant & np.isfinite(z), z, -np.inf).max(axis=0)
    heard = best[np.isfinite(best)]
    return float(heard.sum() / max(1, len(heard)) ** 0.5)


def _echo_curves(
    evidence: Evidence, is_kept: Bool[np.ndarray, "mic"], place_m: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "kept delay"]:
    """Of every microphone that is kept: how much better its pairs fit if it heard the sound later than if it did earlier, in
    standard deviations, from no delay on."""
    curves = profile_curves(evidence, place_m, evidence.positions, is_kept)[0][is_kept]
    half = curves.shape[1] // 2
    later = curves[:, half:] - curves[:, half::-1]
    near = _highest_near(later, round(PLACE_M / evidence.step_m))
    chance = near[:, round(NEAREST_M / evidence.step_m) :]
    if not chance.size:
        return np.zeros_like(near)
    spread = np.maximum(robust.deviation(chance, axis=1), FAINT * np.abs(curves[:, half, None]) + robust.LEAST)
    return (near - np.median(chance, axis=1, keepdims=True)) / spread


def _extra_paths(
    place_m: Float[np.ndarray, "3"], stand: Float[np.ndarray, "mic 3"], axis: int, wall_m: Float[np.ndarray, "shift"]
) -> Float[np.ndarray, "shift mic"]:
    """delta_m by a wall across this axis."""
    images = np.repeat(place_m[None], len(wall_m), axis=0)
    images[:, axis] = 2 * wall_m - place_m[axis]
    return physics.distances(images, stand) - physics.distances(place_m, stand)


def _is_beyond(
    inside_m: Float[np.ndarray, "point"], wall_m: Float[np.ndarray, "shift"], side: int
) -> Bool[np.ndarray, "shift"]:
    """Whether a wall on this side leaves the source and all microphones in the room."""
    if side:
        return np.asarray(wall_m > inside_m.max() + LEAST_GAP_M)
    return np.asarray(wall_m < inside_m.min() - LEAST_GAP_M)


def _heard(
    curves: Float[np.ndarray, "mic delay"], lags: Float[np.ndarray, "shift mic"], first: float
) -> Float[np.ndarray, "shift"]:
    """The mean over microphones in standard deviations of it; NaN where fewer than FEWEST hear so late an echo."""
    nearest = np.rint(lags).astype(int)
    is_heard = (nearest >= first) & (nearest < curves.shape[1])
    z = curves[np.arange(len(curves)), nearest.clip(0, curves.shape[1] - 1)].clip(LOWEST, HIGHEST)
    count = is_heard.sum(axis=1)
    return np.where(count >= FEWEST, (z * is_heard).sum(axis=1) / np.sqrt(count.clip(1)), np.nan)


def _highest_near(curves: Float[np.ndarray, "kept delay"], beside: int) -> Float[np.ndarray, "kept delay"]:
    """At every delay the highest of those so many to either side."""
    wide = np.pad(curves, [(0, 0), (beside, beside)], mode="symmetric")
    return np.lib.stride_tricks.sliding_window_view(wide, 2 * beside + 1, axis=1).max(axis=-1)
