"""Mirror images: on the other side of the plane that all sources were near to, a microphone hears nearly the same.

Someone who walks about sounds at heights that differ by centimetres, and downhill never leads through that plane. So a
microphone whose place was sought is tried on its other side, too. By the cost C of either,

    P(the other) = 1 / (1 + exp(dC / CORRELATED))        dC = C(the other) - C(this one)

of which each is the solution that fits best from there: neighbouring moments share their sound, and their errors. Of two
sides that fit about alike the one that was found first stays.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from soundfix.calibration.bundle import Arrivals, Freedom, Layout, Solution, adjust
from soundfix.scene import is_within

CORRELATED = 4.0  # of the misfits of so many arrivals one counts
LEAST_ODDS = 0.05  # of an image that is told
APART_M = 0.05  # a place nearer than this is the same
SCALES = (3.0, 1.0)
Box = Float[np.ndarray, "2 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Image:
    """Where a microphone may be instead, and the probability of that."""

    position_m: Float[np.ndarray, "3"]
    probability: float


def righted(arrivals: Arrivals, listed: Layout, freedom: Freedom, solved: Solution, box: Box | None) -> Solution:
    """The solution, with every microphone whose place was sought on the side that fits better, in the box."""
    for m in _sought(arrivals, freedom):
        tried = _mirrored(arrivals, listed, freedom, solved, m)
        if tried.cost < solved.cost - CORRELATED and _may_be(tried.layout.positions[m], box):
            solved = tried
    return solved


def images(arrivals: Arrivals, listed: Layout, freedom: Freedom, solved: Solution, box: Box | None) -> dict[int, Image]:
    """By microphone, those mirror images that are not out of the question, in the box."""
    found = {}
    for m in _sought(arrivals, freedom):
        tried = _mirrored(arrivals, listed, freedom, solved, m)
        place_m = tried.layout.positions[m]
        odds = 1 / (1 + np.exp(np.clip((tried.cost - solved.cost) / CORRELATED, -1, 100)))
        is_apart = np.linalg.norm(place_m - solved.layout.positions[m]) > APART_M
        if odds > LEAST_ODDS and is_apart and _may_be(place_m, box):
            found[m] = Image(position_m=place_m, probability=float(odds))
    return found


def reflected(
    places: Float[np.ndarray, "place 3"], sources: Float[np.ndarray, "moment 3"]
) -> Float[np.ndarray, "place 3"]:
    """The places on the other side of the plane that the sources are nearest to."""
    centre = np.median(sources, axis=0)
    normal = np.linalg.svd(sources - centre, full_matrices=False)[2][2]
    return places - 2 * np.outer((places - centre) @ normal, normal)


def _sought(arrivals: Arrivals, freedom: Freedom) -> list[int]:
    """Microphones whose place was sought, and that heard something."""
    is_heard = np.isfinite(arrivals.path_m).any(axis=0)
    sought: list[int] = np.flatnonzero(np.isinf(freedom.positions) & is_heard).tolist()
    return sought


def _may_be(place_m: Float[np.ndarray, "3"], box: Box | None) -> bool:
    return box is None or bool(is_within(place_m, box))


def _mirrored(arrivals: Arrivals, listed: Layout, freedom: Freedom, solved: Solution, m: int) -> Solution:
    """Downhill with microphone m on the other side."""
    layout, is_it = solved.layout, np.arange(len(solved.layout.positions)) == m
    positions = np.where(is_it[:, None], reflected(layout.positions, layout.sources), layout.positions)
    return adjust(arrivals, listed, freedom, start=replace(layout, positions=positions), scales=SCALES)
