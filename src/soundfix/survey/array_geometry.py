"""What the layout of the microphones can tell, and what it never can: limits, predicted errors, who matters most.

The error predicted at a point is the Cramér-Rao bound (physics.py): the root of the mean squared distance in metres,
for a stated timing error and the declared errors of the positions. It is what is left when every delay is
right: wrong delays and reverberation come on top, and mirror images are another matter (`Geometry.limits`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from soundfix import physics
from soundfix.errors import SceneError
from soundfix.microphones import Microphones
from soundfix.scene import THIN_ROOM_M, Room, free_axes, search_box, unknowns
from soundfix.search_region import SearchRegion

TIMING_SIGMA_M = 0.01  # 10 mm, about 30 us: what a sharp sound in a live room allows
VOLUME_POINTS, SLICE_POINTS, FEWEST_SLICE_POINTS = 200, 41, 7  # of the box; along the sides of a slice
EAR_HEIGHT_M, SAME_HEIGHT_M = 1.5, 0.1
POOR_AXIS_RATIO = 3.0  # a coordinate this much worse than the next is named
SAME_PLACE_M = 0.06  # a mirror image nearer than this is the place itself


@dataclass(frozen=True, kw_only=True, eq=False)
class Geometry:
    """What the layout of the usable microphones can and can never tell.

    rank: 3 with depth, 2 flat, 1 a line, 0 a point. limits: what it can never tell, in sentences. can_lose: how many
    microphones may fail, in the worst order, before too few are left or the rest has lost a dimension.
    """

    grade: Literal["good", "fair", "poor"]
    rank: int
    integrity: str
    limits: tuple[str, ...]
    can_lose: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Slice:
    """Predicted error (m) over a plane of constant z (across x, up y) or constant y (across x, up z)."""

    normal: Literal["y", "z"]
    at_m: float
    across_m: Float[np.ndarray, "column"]
    up_m: Float[np.ndarray, "row"]
    error_m: Float[np.ndarray, "row column"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """Predicted error (m) over the box: its median, the 90 % quantile, the worst, and per-axis median deviations."""

    median_m: float
    p90_m: float
    worst_m: float
    axes_m: Float[np.ndarray, "3"]
    slices: tuple[Slice, ...]


class Loss(NamedTuple):
    """The median predicted error (m) without this microphone; None where too few would be left for any position."""

    name: str
    error_m: float | None


def survey_box(
    microphones: Microphones, room: Room | None, search: SearchRegion | None = None
) -> Float[np.ndarray, "2 3"]:
    """The box that is searched, for an array of which at least one position is known; else SceneError."""
    if not microphones.is_known.any():
        raise SceneError(f"none of the {len(microphones)} microphones has a position, wanted at least one x, y, z")
    return search_box(microphones, room, search)


class Array(NamedTuple):
    """The usable microphones, the timing error (m) and the box (m): what a predicted error depends on."""

    microphones: Microphones
    sigma_m: float
    box: Float[np.ndarray, "2 3"]

    @property
    def fewest(self) -> int:
        """Every unknown coordinate and the time of the sound need one microphone."""
        return unknowns(self.box)

    @property
    def prior(self) -> Float[np.ndarray, "3 3"]:
        """What the box itself tells (1/m²): the variance of a uniform place in it is side² / 12."""
        return np.diag(12 / np.maximum(self.box[1] - self.box[0], 1e-3) ** 2)

    def covariances(self, points: Float[np.ndarray, "point 3"]) -> Float[np.ndarray, "point 3 3"]:
        """physics.cramer_rao, at thousands of points at once."""
        weights = 1 / (self.sigma_m**2 + self.microphones.sigma_m**2)
        offsets = points[:, None] - self.microphones.positions
        units = offsets / np.maximum(np.linalg.norm(offsets, axis=2, keepdims=True), 1e-9)
        centred = units - (np.einsum("m,pmi->pi", weights, units) / weights.sum())[:, None]
        information = np.swapaxes(centred * weights[:, None], 1, 2) @ centred
        return np.linalg.inv(information + self.prior)

    def errors(self, points: Float[np.ndarray, "point 3"]) -> Float[np.ndarray, "point"]:
        return np.sqrt(np.trace(self.covariances(points), axis1=1, axis2=2))

    def without(self, m: int) -> "Array":
        return self._replace(microphones=self.microphones.where(np.arange(len(self.microphones)) != m))


def lattice(box: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "point 3"]:
    """About 200 points spread evenly over the box."""
    sides, free = box[1] - box[0], free_axes(box)
    step_m = float(np.prod(sides[free]) / VOLUME_POINTS) ** (1 / max(free.sum(), 1))
    counts = np.where(free, np.maximum(np.rint(sides / step_m), 2), 1).astype(int)
    axes = [low + side * (np.arange(n) + 0.5) / n for low, side, n in zip(box[0], sides, counts, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def predict(array: Array, points: Float[np.ndarray, "point 3"]) -> Prediction:
    """The predicted error at these points, and on slices through the box."""
    covariances = array.covariances(points)
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    error = np.sqrt(variances.sum(axis=1))
    return Prediction(
        median_m=float(np.median(error)),
        p90_m=float(np.quantile(error, 0.9)),
        worst_m=float(error.max()),
        axes_m=np.median(np.sqrt(variances), axis=0),
        slices=tuple(_slices(array)),
    )


def _slices(array: Array) -> Iterator[Slice]:
    """Horizontal at the microphones' median height and at that of an ear, upright through their median y."""
    _, y, z = np.clip(np.median(array.microphones.positions, axis=0), array.box[0], array.box[1]).tolist()
    x_free, y_free, z_free = free_axes(array.box)
    is_ear_inside = array.box[0, 2] <= EAR_HEIGHT_M <= array.box[1, 2] and abs(EAR_HEIGHT_M - z) > SAME_HEIGHT_M
    if x_free and y_free:
        yield _slice(array, "z", z)
    if x_free and y_free and z_free and is_ear_inside:
        yield _slice(array, "z", EAR_HEIGHT_M)
    if x_free and z_free:
        yield _slice(array, "y", y)


def _slice(array: Array, normal: Literal["y", "z"], at_m: float) -> Slice:
    up = 3 - "xyz".index(normal)  # across is x, so up is y of a horizontal slice and z of an upright one
    sides = np.ptp(array.box, axis=0)[[0, up]]
    columns, rows = np.maximum(np.rint(SLICE_POINTS * sides / sides.max()), FEWEST_SLICE_POINTS).astype(int)
    (low, high), (bottom, top) = array.box[:, 0].tolist(), array.box[:, up].tolist()
    across_m, up_m = np.linspace(low, high, columns), np.linspace(bottom, top, rows)
    points = np.full((rows, columns, 3), at_m)
    points[..., 0], points[..., up] = np.meshgrid(across_m, up_m)
    error_m = array.errors(points.reshape(-1, 3)).reshape(rows, columns)
    return Slice(normal=normal, at_m=at_m, across_m=across_m, up_m=up_m, error_m=error_m)


def losses(array: Array, points: Float[np.ndarray, "point 3"]) -> tuple[Loss, ...]:
    """What the loss of each microphone would cost, most harmful first."""
    if len(array.microphones) <= array.fewest:
        return tuple(Loss(name, None) for name in array.microphones.names)
    errors = [float(np.median(array.without(m).errors(points))) for m in range(len(array.microphones))]
    order = np.argsort(errors, kind="stable")[::-1]
    return tuple(Loss(array.microphones.names[m], errors[m]) for m in order)


def judge(array: Array, points: Float[np.ndarray, "point 3"], axes_m: Float[np.ndarray, "3"]) -> Geometry:
    """The grade and the limits. axes_m: the median deviations of `predict`."""
    positions, count = array.microphones.positions, len(array.microphones)
    rank = physics.shape_rank(positions)
    shape = list(_shape_limits(array, points, rank))
    limits = [*_count_limits(count, array.fewest), *shape, *_axis_limits(axes_m, array.box)]
    is_poor = count < array.fewest or (shape and rank < 2)
    return Geometry(
        grade="poor" if is_poor else "fair" if limits else "good",
        rank=rank,
        integrity=_integrity(count, array.fewest),
        limits=tuple(limits),
        can_lose=_can_lose(positions, array.fewest),
    )


def _count_limits(count: int, fewest: int) -> Iterator[str]:
    if count < fewest:
        yield f"any position: {fewest} microphones are needed, for {fewest - 1} coordinates and the time of the sound"
    elif count == fewest:
        yield f"whether a microphone is wrong: with {count} every set of delays fits somewhere"
    elif count == fewest + 1:
        yield f"which microphone is wrong: with {count} a fault is noticed, but nobody can be named"


def _integrity(count: int, fewest: int) -> str:
    """k faults can be isolated while one microphone more than the unknowns remains (consensus.py)."""
    spare = count - fewest - 1
    if spare < 1:
        return "a fault is noticed, but not whose it is" if spare == 0 else "a fault goes unnoticed"
    return f"up to {spare} wrong microphone{'s' if spare > 1 else ''} can be found and left out"


def _shape_limits(array: Array, points: Float[np.ndarray, "point 3"], rank: int) -> Iterator[str]:
    """What symmetry hides, unless the room excludes every mirror image."""
    if rank == 0 or rank == 3 or not has_twin(points, array.microphones.positions, array.box).any():
        return
    if rank == 1:
        yield "where round its line a sound is: only the distance along the line and from it"
    else:
        yield f"which side of {_plane(array.microphones.positions)} a sound is on: it sees the mirror image as well"


def has_twin(
    points: Float[np.ndarray, "point 3"], positions: Float[np.ndarray, "mic 3"], box: Float[np.ndarray, "2 3"]
) -> Bool[np.ndarray, "point"]:
    """Which points have a mirror image in the box, elsewhere than themselves."""
    twins = physics.twins(points, positions)
    is_inside = ((twins >= box[0] - THIN_ROOM_M) & (twins <= box[1] + THIN_ROOM_M)).all(axis=2)
    is_elsewhere = np.linalg.norm(twins - points[:, None], axis=2) > SAME_PLACE_M
    return (is_inside & is_elsewhere).any(axis=1)


def _plane(positions: Float[np.ndarray, "mic 3"]) -> str:
    """The plane of a flat array in words."""
    normal = np.abs(physics.shape(positions)[1][2])
    axis = int(normal.argmax())
    if normal[axis] < 1 - physics.FLAT_RATIO:
        return "its slanted plane"
    return f"the plane {'xyz'[axis]} = {positions[:, axis].mean():.2f} m"


def _axis_limits(axes_m: Float[np.ndarray, "3"], box: Float[np.ndarray, "2 3"]) -> Iterator[str]:
    """A coordinate that is known much worse than the others."""
    worst, next_worst = int(axes_m.argmax()), float(np.sort(axes_m)[1])
    if free_axes(box).sum() > 1 and axes_m[worst] > POOR_AXIS_RATIO * next_worst:
        name = ("x", "y", "the height")[worst]
        yield f"{name} as well as the rest: its predicted error is {axes_m[worst] / next_worst:.0f} times as large"


def _can_lose(positions: Float[np.ndarray, "mic 3"], fewest: int) -> int:
    """Takes away, one by one, the microphone that gives the array most of its depth."""
    rank, lost = physics.shape_rank(positions), 0
    while len(positions) > fewest:
        positions = min((np.delete(positions, m, axis=0) for m in range(len(positions))), key=lambda r: _depth(r, rank))
        if physics.shape_rank(positions) < rank:
            break
        lost += 1
    return lost


def _depth(positions: Float[np.ndarray, "mic 3"], rank: int) -> float:
    """The smallest principal width that an array of this rank has, against the largest."""
    widths = np.linalg.svd(positions - positions.mean(axis=0), compute_uv=False)
    return float(widths[max(rank, 1) - 1] / widths[0])
