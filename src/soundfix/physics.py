"""Sound in air and the geometry of delays.

Conventions, said once for the whole package
--------------------------------------------
Metres, seconds, hertz. Axes are right-handed, z points up, xyz is the last axis of every array.
A pair (i, j) has the range difference  d_ij(x) = |x - r_i| - |x - r_j|  in metres and the delay
tau_ij = d_ij / c in seconds: positive where microphone i hears the sound later than microphone j.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix import quantiles

SPEED_OF_SOUND_M_S = 343.2  # dry air at 20 °C, the value method papers of this field use: where a scene says none
NOMINAL_SPEED_M_S = 343.0  # what simulated scenes say, so what the rivals are trained with: rounded, and kept for that
UPRIGHT_M = 0.25  # a place so nearly above or below another may be its reflection in a floor or ceiling
FLAT_RATIO = 0.02  # an array thinner than 2 % of its width cannot tell the two sides of its plane apart
BOARD_SHARE, BOARD_M = 0.05, 0.5  # between neighbours on one board: of the array's width, and at most
LARGEST_SHARE = 2.0  # times as wide as that: the widest board
REGION_90 = 6.251  # 0.9 quantile of chi squared with 3 degrees of freedom: the ellipsoid that holds 90 %
OTHER_UNITS_M = {"feet": 0.3048, "cm": 0.01, "inches": 0.0254, "mm": 0.001}  # that lists are given in for metres
EXPLAINED_M = 0.25  # range differences this near to a source's are its peak and the ripples of that

Points = Float[np.ndarray, "*batch 3"]


def speed_of_sound(temperature_c: float) -> float:
    """Speed of sound in dry air (m/s) at a temperature in °C: c = 331.3 sqrt(1 + T / 273.15)."""
    return 331.3 * float(np.sqrt(1 + temperature_c / 273.15))


def temperature_c(speed_m_s: float) -> float:
    """The temperature (°C) of still, dry air in which sound is so fast."""
    return 273.15 * ((speed_m_s / 331.3) ** 2 - 1)


def chosen_speed(speed_m_s: float | None, temperature_c: float | None) -> float:
    """Speed of sound (m/s): as given, or from the temperature (°C), or at 20 °C."""
    if speed_m_s is not None:
        return float(speed_m_s)
    return SPEED_OF_SOUND_M_S if temperature_c is None else speed_of_sound(temperature_c)


def pair_indices(count: int) -> Int[np.ndarray, "pair 2"]:
    """All pairs i < j of `count` microphones, in lexical order."""
    return np.stack(np.triu_indices(count, 1), axis=1)


def distances(points: Points, positions: Float[np.ndarray, "mic 3"]) -> Float[np.ndarray, "*batch mic"]:
    """Distance from every point to every microphone (m)."""
    squares = np.square(points[..., 0, None] - positions[:, 0])
    for axis in (1, 2):
        squares += np.square(points[..., axis, None] - positions[:, axis])
    return np.sqrt(squares, out=squares)


def range_differences(
    points: Points, positions: Float[np.ndarray, "mic 3"], pairs: Int[np.ndarray, "pair 2"]
) -> Float[np.ndarray, "*batch pair"]:
    """d_ij(x) of every point and pair (m)."""
    ranges = distances(points, positions)
    return ranges[..., pairs[:, 0]] - ranges[..., pairs[:, 1]]


def directions(point: Float[np.ndarray, "3"], positions: Float[np.ndarray, "mic 3"]) -> Float[np.ndarray, "mic 3"]:
    """Unit vectors from the microphones to the point: the gradient of each distance; zero at a microphone itself."""
    offset = point - positions
    return offset / np.maximum(np.linalg.norm(offset, axis=-1, keepdims=True), 1e-9)


def azimuth_elevation(direction: Float[np.ndarray, "3"]) -> tuple[float, float]:
    """Degrees: from the x axis towards the y axis (-180 to 180), and above the horizontal (-90 to 90)."""
    x, y, z = direction.tolist()
    return float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arctan2(z, np.hypot(x, y))))


def fisher_information(
    point: Float[np.ndarray, "3"], positions: Float[np.ndarray, "mic 3"], sigma_m: float | Float[np.ndarray, "mic"]
) -> Float[np.ndarray, "3 3"]:
    """What arrival times can tell about the position of `point` (1/m²).

    They carry independent Gaussian errors of `sigma_m` metres each and the emission time t0 is unknown: with
    weights w = 1 / sigma², unit vectors u and their weighted mean u0 it is  sum w (u - u0)(u - u0)^T.
    """
    weights = np.broadcast_to(1.0 / np.square(sigma_m), len(positions))
    units = directions(point, positions)
    centred = units - weights @ units / weights.sum()
    return (centred * weights[:, None]).T @ centred


def cramer_rao(
    point: Float[np.ndarray, "3"],
    positions: Float[np.ndarray, "mic 3"],
    sigma_m: float | Float[np.ndarray, "mic"],
    box: Float[np.ndarray, "2 3"],
) -> Float[np.ndarray, "3 3"]:
    """The smallest covariance (m²) any method can reach at `point`, knowing that the source is inside the box.

    The box counts as a Gaussian of the variance of a uniform one (side² / 12), so a direction that the array cannot
    see has the room's size as its uncertainty, and a coordinate in which the room is thin has none.
    """
    sides = np.maximum(box[1] - box[0], 1e-3)
    information = fisher_information(point, positions, sigma_m) + np.diag(12 / sides**2)
    return np.linalg.inv(information)


def widest_m(positions: Float[np.ndarray, "mic 3"]) -> float:
    """The largest distance between two of them; 0 where there are no two."""
    return float(distances(positions, positions).max(initial=0.0))


def spread(positions: Float[np.ndarray, "mic 3"]) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3 3"]]:
    """Widths of the array (m, largest first) along its principal axes, and those axes as rows."""
    centred = positions - positions.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=len(positions) < 3)[2]
    return np.ptp(centred @ axes.T, axis=0), axes


def shape(positions: Float[np.ndarray, "mic 3"]) -> tuple[int, Float[np.ndarray, "3 3"]]:
    """How many axes of an array delays tell of, and its axes as rows, these first.

    Its thickness counts against its own width; in one made of boards, far apart, that of each board against the board's:
    two small ones with depth, on a line, tell a place.
    """
    widths, axes = spread(positions)
    told = axes[widths > FLAT_RATIO * widths[0]] if widths[0] >= 1e-6 else axes[:0]
    boards = _boards(positions, min(BOARD_SHARE * widths[0], BOARD_M)) if 0 < len(told) < 3 else []
    if not boards:
        return len(told), axes
    by_board = (spread(positions[board]) for board in boards)
    every = np.concatenate([told, *(axes[widths > FLAT_RATIO * widths[0]] for widths, axes in by_board)])
    _, strengths, axes = np.linalg.svd(every)
    return int(np.sum(strengths > FLAT_RATIO)), axes


def _boards(positions: Float[np.ndarray, "mic 3"], near_m: float) -> list[Bool[np.ndarray, "mic"]]:
    """Who is on each board, if all microphones are: neighbours of neighbours are on one, three or more, no chain."""
    near = distances(positions, positions) < near_m
    for _ in range(len(positions).bit_length()):
        near = near @ near
    boards = list(np.unique(near, axis=0))
    are_boards = all(board.sum() >= 3 and widest_m(positions[board]) < LARGEST_SHARE * near_m for board in boards)
    return boards if len(boards) > 1 and are_boards else []


def shape_rank(positions: Float[np.ndarray, "mic 3"]) -> int:
    """3 for an array with depth, 2 for a flat one, 1 for a line, 0 for a single point."""
    return shape(positions)[0]


def twins(point: Points, positions: Float[np.ndarray, "mic 3"], turns: int = 8) -> Float[np.ndarray, "*batch twin 3"]:
    """The other points that no delay of this array can tell from `point`, or from each of several.

    A flat array has one: the reflection in its plane. A line has a whole circle round itself: `turns - 1`
    points of it stand for all. An array with depth has none.
    """
    rank, axes = shape(positions)
    centre = positions.mean(axis=0)
    if rank == 2:
        return (point - 2 * ((point - centre) @ axes[2])[..., None] * axes[2])[..., None, :]
    if rank == 1:
        return _circle((point - centre)[..., None, :], axes[0], turns)[..., 1:, :] + centre
    return np.empty((*point.shape[:-1], 0, 3))


def level_images(
    points: Points, places: Float[np.ndarray, "place 3"], positions: Float[np.ndarray, "mic 3"]
) -> Bool[np.ndarray, "*batch place"]:
    """Whether a floor below all microphones, or a ceiling above them, would mirror each of these places to each point."""
    off = points[..., None, :] - places
    middle = places[:, 2] + off[..., 2] / 2
    is_beyond = np.where(off[..., 2] < 0, middle < positions[:, 2].min(), middle > positions[:, 2].max())
    return (np.linalg.norm(off[..., :2], axis=-1) < UPRIGHT_M) & is_beyond


def beside(
    points: Points, place: Float[np.ndarray, "3"], positions: Float[np.ndarray, "mic 3"]
) -> Float[np.ndarray, "*batch 3"]:
    """Each point, or of its twins the one nearest to `place`: of a flat array on its side, of a line in its half-plane."""
    rank, axes = shape(positions)
    if rank not in (1, 2):
        return points
    centre = positions.mean(axis=0)
    off, there = (points - centre) @ axes.T, (place - centre) @ axes.T
    towards = there[rank:] / max(float(np.linalg.norm(there[rank:])), 1e-12)
    off[..., rank:] = np.linalg.norm(off[..., rank:], axis=-1, keepdims=True) * towards
    return centre + off @ axes


def _circle(offset: np.ndarray, axis: np.ndarray, turns: int) -> np.ndarray:
    """`offset` turned round `axis` in `turns` equal steps (Rodrigues' formula), which are the second last axis."""
    along = (offset @ axis)[..., None] * axis
    across = offset - along
    angle = np.arange(turns)[:, None] * (2 * np.pi / turns)
    return along + np.cos(angle) * across + np.sin(angle) * np.cross(axis, across)


def is_in_region(off_m: Float[np.ndarray, "3"], covariance_m2: Float[np.ndarray, "3 3"]) -> bool:
    """Whether the ellipsoid that holds 90 % of a Gaussian with this covariance holds what is so far (m) off its middle."""
    return bool(off_m @ np.linalg.solve(covariance_m2, off_m) <= REGION_90)


def radius90(covariance_m2: Float[np.ndarray, "3 3"]) -> float:
    """Radius (m) of the sphere that holds 90 % of a Gaussian with this covariance.

    |e|² is a weighted sum of chi-squares; Satterthwaite (1946) replaces it by g chi²(h) with the same mean and
    variance. Exact for a sphere, a disc and a line, within 2 % in between.
    """
    return float(radii90(covariance_m2[None])[0])


def radii90(covariances_m2: Float[np.ndarray, "*batch 3 3"]) -> Float[np.ndarray, "*batch"]:
    """radius90 of many."""
    trace = np.trace(covariances_m2, axis1=-2, axis2=-1)
    trace_of_square = np.trace(covariances_m2 @ covariances_m2, axis1=-2, axis2=-1)
    degrees = trace**2 / trace_of_square
    return np.sqrt(trace_of_square / trace * quantiles.chi_square(degrees, 0.9))
