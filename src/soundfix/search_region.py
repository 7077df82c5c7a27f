"""Where a source may be: a box, a known height, or a polygon seen from above. Walls are something else (scene.py: room).

A region is told by whoever asks, and says nothing of echoes. It is open along an axis of which nothing is told: there the
room bounds it, or without one the box round the microphones. Where it is no thicker than KNOWN_M that coordinate counts as
known: it is sought in the middle, and the thickness only makes the answer less certain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from soundfix.errors import SceneError

KNOWN_M = 0.05  # the height of a table or of a mouth, as well as one can say it; sound at 4 kHz still adds up within
TOLD_M = 0.1  # a region no larger than this along any axis is a place
ROUNDING_M = 1e-9  # 0.29 - 0.24 is more than 0.05
EDGE_M = 0.1  # a peak this far outside a polygon is one on its edge

OPEN = np.array([[-np.inf] * 3, [np.inf] * 3])  # nothing told

Box = Float[np.ndarray, "2 3"]
Numbers = (
    ArrayLike | Sequence[Any] | float | int
)  # where types are checked at run time, tuples and 1.5 are no ArrayLike


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchRegion:
    """bounds: (2, 3) lowest and highest corner in metres, infinite where nothing is told. corners: (V, 2) x and y (m) of a
    polygon, in order, round which the region goes; None: the box alone. Raises SceneError on what is no region.
    """

    bounds: np.ndarray
    corners: np.ndarray | None = None

    def __post_init__(self) -> None:
        bounds = _checked_bounds(self.bounds)
        if self.corners is not None:
            corners = _checked_corners(self.corners)
            bounds[:, :2] = [corners.min(axis=0), corners.max(axis=0)]
            corners.flags.writeable = False
            object.__setattr__(self, "corners", corners)
        bounds.flags.writeable = False
        object.__setattr__(self, "bounds", bounds)

    def __repr__(self) -> str:
        shape = "" if self.corners is None else f", {len(self.corners)} corners"
        return f"SearchRegion({self.bounds[0].tolist()} to {self.bounds[1].tolist()}{shape})"

    @classmethod
    def of(cls, search: "SearchRegion | Numbers | None", height_m: Numbers | None = None) -> "SearchRegion | None":
        """What was told: a region, a box ((x0, y0, z0), (x1, y1, z1)) or a polygon (V, 2), in metres, and a height, or the
        lowest and the highest, in metres. None where nothing was."""
        if search is None and height_m is None:
            return None
        region = search if isinstance(search, SearchRegion) else cls._of_numbers(search)
        return region if height_m is None else region.at_height(height_m)

    @classmethod
    def _of_numbers(cls, given: Numbers | None) -> "SearchRegion":
        if given is None:
            return cls(bounds=OPEN)
        numbers = _numbers(given, "search")
        if numbers.shape == (2, 3):
            return cls(bounds=numbers)
        return cls(bounds=OPEN, corners=numbers)

    def at_height(self, height_m: Numbers) -> "SearchRegion":
        """The part of it at this height (m), or between two."""
        heights = np.atleast_1d(_numbers(height_m, "height_m"))
        if heights.ndim != 1 or len(heights) not in (1, 2) or heights[0] > heights[-1]:
            raise SceneError(f"height_m is {height_m!r}, wanted a height in metres, or the lowest and the highest")
        bounds = self.bounds.copy()
        bounds[:, 2] = max(bounds[0, 2], heights[0]), min(bounds[1, 2], heights[-1])
        if bounds[0, 2] > bounds[1, 2]:
            raise SceneError(f"height_m {height_m!r} is outside the search region {self!r}: is its z the height?")
        return SearchRegion(bounds=bounds, corners=self.corners)

    def may_hold(self, points: Float[np.ndarray, "*batch 3"], margin_m: float = 0.0) -> Bool[np.ndarray, "*batch"]:
        """Which points are in the polygon, or no further from it than this."""
        if self.corners is None:
            return np.ones(points.shape[:-1], dtype=bool)
        return np.asarray(outside_m(self.corners, points) <= margin_m)

    def pulled(self, point: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
        """The point, or where it is outside the polygon the nearest one on its edge."""
        if self.may_hold(point):
            return point
        assert self.corners is not None
        return np.append(onto_edge(self.corners, point), point[2])


def contains(
    corners: Float[np.ndarray, "corner 2"], points: Float[np.ndarray, "*batch axis"]
) -> Bool[np.ndarray, "*batch"]:
    """Whether points (m) lie in a polygon seen from above: a ray from them crosses its edges an odd number of times."""
    x, y = points[..., 0, None], points[..., 1, None]
    (x0, y0), (x1, y1) = corners.T, np.roll(corners, -1, axis=0).T
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
    is_crossed = ((y0 > y) != (y1 > y)) & (x < crossing)
    return np.asarray(is_crossed.sum(axis=-1) % 2 == 1)


def onto_edge(
    corners: Float[np.ndarray, "corner 2"], points: Float[np.ndarray, "*batch axis"]
) -> Float[np.ndarray, "*batch 2"]:
    """The nearest point (m) to each on the edge of a polygon."""
    along = np.roll(corners, -1, axis=0) - corners
    off = points[..., None, :2] - corners
    share = ((off * along).sum(axis=-1) / np.square(along).sum(axis=-1)).clip(0, 1)
    feet = corners + share[..., None] * along
    gap = np.linalg.norm(points[..., None, :2] - feet, axis=-1)
    return np.take_along_axis(feet, gap.argmin(axis=-1)[..., None, None], axis=-2)[..., 0, :]


def outside_m(
    corners: Float[np.ndarray, "corner 2"], points: Float[np.ndarray, "*batch axis"]
) -> Float[np.ndarray, "*batch"]:
    """How far (m) points are from the edge of a polygon, seen from above; below 0 inside."""
    gap = np.linalg.norm(points[..., :2] - onto_edge(corners, points), axis=-1)
    return np.where(contains(corners, points), -gap, gap)


def told_place(search: SearchRegion | None) -> Float[np.ndarray, "3"] | None:
    """The middle (m) of a region so small that whoever told it knows the place of the source; None where it is sought."""
    if search is None or (search.bounds[1] - search.bounds[0] > TOLD_M).any():
        return None
    return np.asarray(search.bounds.mean(axis=0))


def flattened(box: Box) -> Box:
    """The box with its middle for both ends of every coordinate that is known."""
    return np.where(is_known(box), box.mean(axis=0), box)


def known_to_m(box: Box) -> Float[np.ndarray, "3"]:
    """How thick (m) the box is along coordinates that count as known; 0 along the others."""
    return np.where(is_known(box), box[1] - box[0], 0.0)


def is_known(box: Box) -> Bool[np.ndarray, "3"]:
    """Along which axes the box is so thin that the coordinate is known."""
    return np.asarray(box[1] - box[0] <= KNOWN_M + ROUNDING_M)


def _numbers(given: Numbers, name: str) -> np.ndarray:
    try:
        return np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SceneError(f"{name} is {given!r}, which is no list of numbers in metres") from error


def _checked_bounds(given: Numbers) -> np.ndarray:
    bounds = _numbers(given, "search")
    if bounds.shape != (2, 3) or np.isnan(bounds).any():
        raise SceneError(f"search is {given!r}, wanted ((x0, y0, z0), (x1, y1, z1)) in metres")
    if (bounds[1] < bounds[0]).any():
        raise SceneError(f"search {bounds.tolist()} has a corner below its opposite: give the lowest corner first")
    if is_known(bounds).all():
        raise SceneError(f"search {bounds.tolist()} leaves nothing to be found: wanted sides in metres")
    return bounds


def _checked_corners(given: Numbers) -> np.ndarray:
    corners = _numbers(given, "search")
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3 or not np.isfinite(corners).all():
        raise SceneError(
            f"search has shape {corners.shape}, wanted ((x0, y0, z0), (x1, y1, z1)), or three or more corners x, y of a "
            "polygon, in metres"
        )
    corners = corners[np.any(corners != np.roll(corners, 1, axis=0), axis=1)]  # a closed polygon ends where it began
    if len(corners) < 3 or np.ptp(corners, axis=0).min() <= KNOWN_M:
        raise SceneError(f"search is a polygon without an inside, {given!r}: wanted x, y in metres")
    return corners
