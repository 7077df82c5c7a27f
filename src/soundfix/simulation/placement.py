"""Where things stand in a room, by chance: microphones as people hang and stand them, sources, and ways to walk.

Lengths in metres from the lowest corner of the room. Nothing stands inside anything else: sources keep away from walls,
microphones and one another.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.errors import SceneError

WALL_GAP_M = 0.5  # no source nearer to a wall
MICROPHONE_GAP_M = 0.3  # no source nearer to a microphone
SOURCE_GAP_M = 0.5  # no two sources nearer
SPACING_M = 0.1  # no two microphones nearer
MOUNTED_M = 0.05  # from the wall or ceiling it hangs on
TABLE_M = (0.7, 0.9)
STAND_M = (1.0, 2.0)
LEAST_ROOM_M, LARGEST_ROOM_M = (3.0, 3.0, 2.2), (12.0, 12.0, 4.5)
SMALLEST_ARRAY_M = (2.0, 2.0, 1.8)
FLOOR_GAP_M = 0.05  # the least height of a source
STEP_S = 0.05  # between the knots of a walk
TURN_RADIUS_M = (0.5, 4.0)
TRIES = 1000


class Walk(NamedTuple):
    """Places at times, joined by straight lines; one of each where somebody stands."""

    times_s: Float[np.ndarray, "knot"]
    places: Float[np.ndarray, "knot 3"]


def random_size(
    rng: np.random.Generator, largest_m: tuple[float, float, float] = LARGEST_ROOM_M
) -> tuple[float, float, float]:
    """Side lengths of a room: from 3 x 3 x 2.2 m up to these, 12 x 12 x 4.5 m by default."""
    x, y, z = rng.uniform(LEAST_ROOM_M, largest_m).tolist()
    return x, y, z


def small_array(size_m: Float[np.ndarray, "3"], count: int, rng: np.random.Generator) -> Float[np.ndarray, "{count} 3"]:
    """The same in a part of the room, of 2 m a side or more."""
    least = np.minimum(size_m, SMALLEST_ARRAY_M)
    part_m = rng.uniform(least, np.maximum(least, 0.6 * size_m))
    corner = np.append(rng.uniform(0, size_m[:2] - part_m[:2]), 0.0)
    return corner + random_microphones(part_m, count, rng)


def random_microphones(
    size_m: Float[np.ndarray, "3"], count: int, rng: np.random.Generator
) -> Float[np.ndarray, "{count} 3"]:
    """On walls, below the ceiling, on tables and on stands."""
    places = np.zeros((0, 3))
    for _ in range(TRIES):
        if len(places) == count:
            return places
        place = _mount(size_m, rng)
        if _is_clear(place[None], places, SPACING_M):
            places = np.vstack([places, place])
    raise SceneError(f"no place for {count} microphones {SPACING_M} m apart in a room of {size_m} m: is it too small?")


def _mount(size_m: np.ndarray, rng: np.random.Generator) -> Float[np.ndarray, "3"]:
    place = rng.uniform(0.3, size_m - 0.3)
    kind = rng.integers(4)
    if kind == 0:  # a wall
        axis = rng.integers(2)
        place[axis] = rng.choice([MOUNTED_M, size_m[axis] - MOUNTED_M])
    elif kind == 1:
        place[2] = size_m[2] - MOUNTED_M
    else:
        low, high = TABLE_M if kind == 2 else STAND_M
        place[2] = rng.uniform(low, min(high, size_m[2] - 0.2))
    return place


def random_walk(
    size_m: Float[np.ndarray, "3"],
    avoid: tuple[Float[np.ndarray, "mic 3"], Float[np.ndarray, "place 3"]],
    *,
    heights_m: tuple[float, float],
    speed_m_s: tuple[float, float] | None,
    duration_s: float,
    rng: np.random.Generator,
    roams: bool = False,
    reach_m: float = 100.0,
) -> Walk:
    """A place for a source, or with a speed a straight line or an arc at one height.

    avoid: microphones, and where other sources are. roams: from place to place instead, all through the room and at all
    heights. reach_m: no further from the box round the microphones. Raises SceneError where there is no room for it.
    """
    low = np.array([WALL_GAP_M, WALL_GAP_M, max(FLOOR_GAP_M, heights_m[0])])
    high = np.array([*(size_m[:2] - WALL_GAP_M), min(size_m[2] - WALL_GAP_M, heights_m[1])])
    if len(avoid[0]):
        low[:2] = np.maximum(low[:2], avoid[0][:, :2].min(axis=0) - reach_m)
        high[:2] = np.minimum(high[:2], avoid[0][:, :2].max(axis=0) + reach_m)
    if (low > high).any():
        raise SceneError(
            f"no source {heights_m} m high is {WALL_GAP_M} m from all walls of {size_m} m: is the room low?"
        )
    if roams and speed_m_s is not None:
        return _roam(low, high, avoid, rng.uniform(*speed_m_s), duration_s, rng)
    for _ in range(TRIES):
        start = rng.uniform(low, high)
        walk = Walk(np.zeros(1), start[None]) if speed_m_s is None else _walk(start, speed_m_s, duration_s, rng)
        if ((walk.places >= low) & (walk.places <= high)).all() and _is_free(walk.places, avoid):
            return walk
    raise SceneError(f"no way through a room of {size_m} m past {len(avoid[0])} microphones found: is it too small?")


def _walk(start: np.ndarray, speed_m_s: tuple[float, float], duration_s: float, rng: np.random.Generator) -> Walk:
    """Half of them straight; the others turn on a circle."""
    times_s = np.append(np.arange(0, duration_s, STEP_S), duration_s)
    way = rng.uniform(*speed_m_s) * times_s
    heading = rng.uniform(0, 2 * np.pi)
    bend = rng.choice([0.0, 0.0, -1.0, 1.0]) / rng.uniform(*TURN_RADIUS_M)
    ahead = way * np.sinc(way * bend / (2 * np.pi))  # the chord of the arc
    angle = heading + way * bend / 2
    steps = np.stack([ahead * np.cos(angle), ahead * np.sin(angle), np.zeros_like(way)], axis=1)
    return Walk(times_s, start + steps)


def _roam(
    low: np.ndarray, high: np.ndarray, avoid: tuple[np.ndarray, np.ndarray], speed_m_s: float, duration_s: float,
    rng: np.random.Generator,
) -> Walk:  # fmt: skip
    """Straight from one drawn place to the next, at one speed."""
    corners = np.zeros((0, 3))
    for _ in range(TRIES):
        corner = rng.uniform(low, high)
        if _is_free(_between(corners[-1] if len(corners) else corner, corner), avoid):
            corners = np.vstack([corners, corner])
        way = np.append(0, np.linalg.norm(np.diff(corners, axis=0), axis=1).cumsum())
        if way[-1] >= speed_m_s * duration_s:
            times_s = np.append(np.arange(0, duration_s, STEP_S), duration_s)
            return Walk(times_s, np.stack([np.interp(speed_m_s * times_s, way, xs) for xs in corners.T], axis=1))
    raise SceneError(f"no way from place to place past {len(avoid[0])} microphones found: is the room too small?")


def _between(start: np.ndarray, end: np.ndarray) -> Float[np.ndarray, "knot 3"]:
    """Places from start to end, nearer to each other than anything must be kept away from."""
    count = 2 + int(np.linalg.norm(end - start) / MICROPHONE_GAP_M * 2)
    return start + np.linspace(0, 1, count)[:, None] * (end - start)


def _is_free(places: Float[np.ndarray, "knot 3"], avoid: tuple[np.ndarray, np.ndarray]) -> bool:
    return all(
        _is_clear(places, others, gap) for others, gap in zip(avoid, (MICROPHONE_GAP_M, SOURCE_GAP_M), strict=True)
    )


def _is_clear(places: np.ndarray, others: np.ndarray, gap_m: float) -> bool:
    gaps = np.linalg.norm(places[:, None] - others[None], axis=-1)
    return bool(gaps.min(initial=np.inf) >= gap_m)
