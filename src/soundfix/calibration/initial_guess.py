"""First guesses for bundle adjustment: where sources were, and where a microphone is.

Each looks through many places, drawn by a seed, and takes the one that fits best where wrong arrivals count no more than a
few right ones (Cauchy's loss): what is wrong by metres must not pull.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from soundfix.calibration.bundle import Arrivals, Layout
from soundfix.microphones import Microphones
from soundfix.robust import medians
from soundfix.scene import Room, search_box

PLACES = 4000  # looked through
GUESSES, APART_M = 6, 0.5
COARSE_M = 0.3  # a misfit that counts half
OWN_WALLS_M = 0.3  # a box reaches beyond the room, for microphones on the walls
AROUND_M = 0.5  # where sources are looked for round an unknown array


def sources_from(
    arrivals: Arrivals, layout: Layout, box: Float[np.ndarray, "2 3"], rng: np.random.Generator
) -> Float[np.ndarray, "moment 3"]:
    """Where each moment's sound came from, by all microphones of this layout (those at NaN do not count)."""
    places = sample_box(box, PLACES, rng)
    ranges = np.linalg.norm(places[:, None] - layout.positions, axis=-1)
    heard = layout.kappa * arrivals.path_m - layout.late_m(arrivals.times_s)
    return np.array([places[_misfits(moment - ranges).argmin()] for moment in heard])


def places_from(
    ranges_m: Float[np.ndarray, "moment"],
    sources: Float[np.ndarray, "moment 3"],
    box: Float[np.ndarray, "2 3"],
    rng: np.random.Generator,
    *,
    is_late: bool,
) -> list[tuple[Float[np.ndarray, "3"], float]]:
    """Where a microphone may be that heard the sources from these distances, and its offset there, if it may be late.

    The GUESSES best places that are APART_M from each other: a mirror image fits nearly as well as the place itself.
    """
    places = sample_box(box, PLACES, rng)
    off = ranges_m - np.linalg.norm(places[:, None] - sources, axis=-1)
    order, offsets = np.argsort(_misfits(off, is_centred=is_late)), medians(off) if is_late else np.zeros(PLACES)
    found: list[int] = []
    for k in order:
        if len(found) < GUESSES and all(np.linalg.norm(places[k] - places[other]) > APART_M for other in found):
            found.append(int(k))
    return [(places[k], float(offsets[k])) for k in found]


def box_of(microphones: Microphones, room: Room | None) -> Float[np.ndarray, "2 3"]:
    """The room, a little beyond its walls; nowhere, before the shape of an array without any position is found."""
    if not microphones.is_known.any():
        return np.zeros((2, 3))
    return search_box(microphones, room) + np.array([[-OWN_WALLS_M], [OWN_WALLS_M]])


def sample_box(box: Float[np.ndarray, "2 3"], count: int, rng: np.random.Generator) -> Float[np.ndarray, "place 3"]:
    """Places anywhere in the box."""
    return box[0] + rng.random((count, 3)) * (box[1] - box[0])


def _misfits(off: Float[np.ndarray, "place arrival"], *, is_centred: bool = True) -> Float[np.ndarray, "place"]:
    """What they have in common may be anything, where they are centred."""
    if is_centred:
        off = off - medians(off)[:, None]
    return np.nansum(np.log1p(np.square(off / COARSE_M)), axis=-1)


def around(positions: Float[np.ndarray, "mic 3"]) -> Float[np.ndarray, "2 3"]:
    """The box that holds an array whose place is not known, and its sources."""
    return np.stack([positions.min(axis=0) - AROUND_M, positions.max(axis=0) + AROUND_M])


def procrustes(layout: Layout, onto: Float[np.ndarray, "mic 3"]) -> Layout:
    """The layout turned and moved (and mirrored, if that fits better) onto these positions; NaN rows do not count.

    Kabsch's algorithm (1976).
    """
    known = np.isfinite(onto).all(axis=1)
    centre, there = layout.positions[known].mean(axis=0), onto[known].mean(axis=0)
    left, _, right = np.linalg.svd((layout.positions[known] - centre).T @ (onto[known] - there))
    turn = left @ right
    return replace(
        layout, positions=(layout.positions - centre) @ turn + there, sources=(layout.sources - centre) @ turn + there
    )
