"""A frame of the array's own, about z: a turned and moved array then has its answer at the turned and moved place.

Grids and boxes have axes, and what is found in them depends on these by millimetres, a verdict now and then. So where
nothing is told that has axes itself (walls, a search region), a window is located along the sides of the smallest rectangle
round the microphones, from its middle, and the answer is turned back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.estimate import Direction, Estimate, Finding, MicrophoneReport, Shell, Source
from soundfix.localization.sources import POOR, long_axis
from soundfix.microphones import Microphones
from soundfix.scene import Scene

FLAT = 1e-12  # relative: what turns less goes straight on
ALIKE = 1e-6  # of an area: the first of rectangles that are as small, or every rounding would choose another


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnFrame:
    """axes: its x, y and z, in rows, in those of the list. origin_m: where it begins."""

    axes: Float[np.ndarray, "3 3"]
    origin_m: Float[np.ndarray, "3"]

    def inside(self, points_m: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3"]:
        """These places of the list as they are here."""
        return (points_m - self.origin_m) @ self.axes.T

    def outside(self, points_m: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3"]:
        """These places as they are in the list."""
        return points_m @ self.axes + self.origin_m

    def scene(self, scene: Scene) -> Scene:
        """The scene, its microphones as they are here."""
        others = scene.others and replace(scene.others, microphones=self._inside(scene.others.microphones))
        return replace(scene, microphones=self._inside(scene.microphones), others=others, truth=None)

    def _inside(self, microphones: Microphones) -> Microphones:
        return replace(microphones, positions=self.inside(microphones.border_positions()))

    def estimate(self, estimate: Estimate, scene: Scene) -> Estimate:
        """The answer, of this scene, as it is in the list."""
        sources = tuple(self._source(source) for source in estimate.sources)
        positions = scene.microphones.border_positions()
        return replace(
            estimate,
            sources=sources,
            findings=tuple(_with_names_of_axes(estimate.findings, sources)),
            microphones=tuple(map(self._report, estimate.microphones, positions)),
            guess_m=None if estimate.guess_m is None else self.outside(estimate.guess_m),
            direction=self._direction(estimate.direction),
        )

    def _source(self, source: Source) -> Source:
        covariance_m2 = self.axes.T @ source.covariance_m2 @ self.axes
        return replace(source, position_m=self.outside(source.position_m), covariance_m2=covariance_m2)

    def _direction(self, direction: Direction | None) -> Direction | None:
        if direction is None:
            return None
        azimuth_deg, _ = physics.azimuth_elevation(direction.unit @ self.axes)
        mirror, from_m = self._direction(direction.mirror), self.outside(direction.from_m)
        return replace(direction, azimuth_deg=azimuth_deg, from_m=from_m, mirror=mirror)

    def _report(self, report: MicrophoneReport, listed_m: Float[np.ndarray, "3"]) -> MicrophoneReport:
        """Who is listed stands where it is listed, to the last bit."""
        found_m = None if report.position_m is None else self.outside(report.position_m)
        position_m = listed_m if np.isfinite(listed_m).all() and found_m is not None else found_m
        shell, guess = self._shell(report.shell), self._shell(report.guess)
        return replace(report, position_m=position_m, shell=shell, guess=guess)

    def _shell(self, shell: Shell | None) -> Shell | None:
        if shell is None:
            return None
        return replace(shell, centre_m=self.outside(shell.centre_m), place_m=self.outside(shell.place_m))


def own_frame(scene: Scene) -> OwnFrame | None:
    """That of the array; None where walls or a search region are told."""
    if scene.room is not None or scene.search is not None:
        return None
    level = scene.microphones.positions[scene.microphones.is_known, :2]
    origin = np.append(level.mean(axis=0), 0.0)
    x, y = _direction_of_smallest(level - origin[:2])
    return OwnFrame(axes=np.array([[x, y, 0.0], [-y, x, 0.0], [0.0, 0.0, 1.0]]), origin_m=origin)


def _direction_of_smallest(level: Float[np.ndarray, "mic 2"]) -> Float[np.ndarray, "2"]:
    """Unit vector along the smallest rectangle round these points, which has a side along one of their hull."""
    sides = _sides(level)
    along, across = level @ sides.T, level @ np.column_stack([-sides[:, 1], sides[:, 0]]).T
    areas = np.ptp(along, axis=0) * np.ptp(across, axis=0)
    smallest = int(np.argmax(areas <= areas.min() + ALIKE * np.ptp(level) ** 2))
    lengthwise = np.ptp(along[:, smallest]) >= np.ptp(across[:, smallest])
    direction = sides[smallest] if lengthwise else np.array([-sides[smallest, 1], sides[smallest, 0]])
    skew = float(np.power(level @ direction, 3).sum())
    return -direction if skew < 0 else direction


def _sides(level: Float[np.ndarray, "mic 2"]) -> Float[np.ndarray, "side 2"]:
    """Unit vectors along the sides of their convex hull; of points on a line along that, of one point along x."""
    hull = _hull(level)
    is_flat = len(hull) < 3
    sides = level[[np.linalg.norm(level, axis=1).argmax()]] if is_flat else np.roll(hull, -1, axis=0) - hull
    lengths = np.linalg.norm(sides, axis=1, keepdims=True)
    return np.where(lengths > 0, sides / np.maximum(lengths, 1e-12), np.array([1.0, 0.0]))


def _hull(points: Float[np.ndarray, "mic 2"]) -> Float[np.ndarray, "corner 2"]:
    """The corners of their convex hull, counter-clockwise (Andrew's monotone chain, 1979); fewer than three of a line."""
    ordered = points[np.lexsort(points.T[::-1])]
    least = FLAT * max(float(np.ptp(points, axis=0).max()), FLAT) ** 2
    lower, upper = _chain(ordered, least), _chain(ordered[::-1], least)
    return np.array([*lower[:-1], *upper[:-1]]).reshape(-1, 2)


def _chain(ordered: Float[np.ndarray, "mic 2"], least: float) -> list[Float[np.ndarray, "2"]]:
    """From the first to the last, turning left only; a turn of less than this area is none."""
    chain: list[np.ndarray] = []
    for point in ordered:
        while len(chain) > 1 and _area(chain[-2], chain[-1], point) <= least:
            chain.pop()
        chain.append(point)
    return chain


def _area(a: Float[np.ndarray, "2"], b: Float[np.ndarray, "2"], c: Float[np.ndarray, "2"]) -> float:
    """Twice that of a triangle, positive where it turns left."""
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def _with_names_of_axes(findings: tuple[Finding, ...], sources: tuple[Source, ...]) -> Iterator[Finding]:
    """Those that name an axis name one of the list."""
    for finding in findings:
        yield from long_axis(sources[0].covariance_m2) if finding.code.startswith(POOR) else (finding,)
