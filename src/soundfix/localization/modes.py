"""Where the evidence of all pairs peaks: a coarse grid, a shrinking beam, a sub-sample polish.

A correlation at full resolution has peaks a centimetre wide; a room has millions of such places. Each level of the
search therefore looks at evidence smoothed to the size of its cells (after Cobos et al., 2011, who add up all lags
that a cell spans), keeps the best cells and cuts them into eight. The last levels see the curves unsmoothed; the
best places are then polished by a quadratic fitted to the evidence within a centimetre. All these lengths are those of
sound in air up to 7.5 kHz: where peaks are finer or broader (Evidence.grain), so are they.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int, UInt32

from soundfix import physics
from soundfix.localization.arrival_fit import Fix
from soundfix.localization.climb import climbed
from soundfix.localization.evidence import Evidence
from soundfix.localization.lookup import blurred, mean_at, mean_nearest
from soundfix.scene import free_axes

COARSE_STEP_M = 0.25  # of the first grid, for 55 pairs; fewer pairs need, and can afford, a finer one and a wider beam
MOST_CELLS, MOST_LOOKUPS = 60_000, 3_500_000  # cells; cells x pairs: a large place gets a coarser grid
USUAL_PAIRS, MOST_EFFORT = 55, 6.0
BEAM = (400, 300, 150, 50)  # cells kept after each level; the last number repeats
HALF_DIAGONAL = 0.5**0.5  # of a square, in sides
SMOOTHING_SHARE = 0.45  # half-width of the smoothing, as a share of the cell
RUNNER_UP_STEP_M, RUNNERS_UP = 0.04, 6  # while cells are larger than this, the best distinct ones are remembered
POLISH_STEPS_M = (0.02, 0.015, 0.01, 0.008, 0.005, 0.004, 0.004)
APART_M, USUAL_EXTENT_M = 0.25, 4.0  # two modes nearer than this are one, in an array of this size or larger
SAME_M = 0.05  # ... and if they came so near to each other when they were placed exactly


@dataclass(frozen=True, kw_only=True, eq=False)
class Mode:
    """A place where the evidence peaks (metres), and the mean evidence of a pair there.

    probability: that the source is here, where a method can tell (three_stream.py). fix: as exact as arrivals allow that
    are not known to a few centimetres, with its covariance (arrival_fit.py).
    """

    position: Float[np.ndarray, "3"]
    score: float
    probability: float | None = None
    fix: Fix | None = None


Find = Callable[[Evidence], list[Mode]]  # in a box that is settled
Grid = tuple[bytes, bytes, int, float]  # of positions in a box, of so many cells, no finer (m)


def find_modes(
    evidence: Evidence,
    box: Float[np.ndarray, "2 3"],
    *,
    polishes: bool = True,
    most: int = RUNNERS_UP,
    breadth: float = 1.0,
) -> list[Mode]:
    """The best distinct places inside the box, best first; without polish, cells of the last grid. Cost: linear in pairs.

    most: places that are remembered; breadth: how many times as many cells as usual are kept on the way.
    """
    extent_m = float(physics.distances(evidence.positions, evidence.positions).max())
    evidence, apart_m = evidence.within(extent_m), apart(evidence.grain, extent_m)
    points, step_m = _coarse_cells(evidence, box, breadth)
    runners_up = points[:0]
    for level in itertools.count(1):
        step_m /= 2
        points = _possible(_split(points, step_m, free_axes(box)), evidence, step_m)
        if not len(points):
            return []
        score = _nearest_score(_smoothed(evidence, step_m), physics.distances(evidence.positions, points))
        order = _best(score, _beam(level, len(evidence.pairs), breadth))
        points, score = points[order], score[order]
        if step_m > RUNNER_UP_STEP_M * evidence.grain:
            runners_up = _distinct(points, score, most, apart_m)
        if step_m <= POLISH_STEPS_M[-1] * 2 * evidence.grain:
            break
    places = np.concatenate([_distinct(points, score, most, apart_m), runners_up])
    found = polish(evidence, places, box) if polishes else _unpolished(evidence, places)
    return _apart_from_better(found, apart_m)


def _unpolished(evidence: Evidence, places: Float[np.ndarray, "mode 3"]) -> list[Mode]:
    """The places as they are."""
    found = [Mode(position=p, score=float(s)) for p, s in zip(places, evidence.score(places), strict=True)]
    return sorted(found, key=lambda mode: -mode.score)


def polish(
    evidence: Evidence, places: Float[np.ndarray, "mode 3"],
    box: Float[np.ndarray, "2 3"],
) -> list[Mode]:  # fmt: skip
    """Climb from each place to the top of its peak, to a fraction of a lag; best first."""
    stencil = _stencil(free_axes(box))
    for step_m in POLISH_STEPS_M:
        around = np.clip(places[:, None] + stencil * step_m * evidence.grain, box[0], box[1])
        score = evidence.score(around)
        places = around[np.arange(len(places)), score.argmax(axis=1)]
    places = np.clip(places + _quadratic_step(evidence, places, stencil), box[0], box[1])
    places = places[_best(evidence.score(places), len(places))]
    places[0] = climbed(evidence, places[0], box)  # and stays first: others of its peak are on kinks of straight lines
    return [Mode(position=p, score=float(s)) for p, s in zip(places, evidence.score(places), strict=True)]


def apart(grain: float, extent_m: float) -> float:
    """Two modes nearer than this (m) are one: APART_M, and less for fine peaks (Evidence.grain) in a small array."""
    return APART_M * max(grain, min(1.0, extent_m / USUAL_EXTENT_M))


def merged(modes: list[Mode], are_one: Callable[[Mode, Mode], bool]) -> list[Mode]:
    """The modes, each place once and as probable as all that are one with it. are_one: of a mode, and a better one."""
    kept: list[Mode] = []
    for mode in modes:
        first = next((k for k, better in enumerate(kept) if are_one(mode, better)), None)
        if first is None:
            kept.append(mode)
        elif mode.probability is not None:
            kept[first] = replace(kept[first], probability=mode.probability + (kept[first].probability or 0.0))
    return kept


def _apart_from_better(modes: list[Mode], apart_m: float) -> list[Mode]:
    """Those that are no neighbours of one before them."""
    places = np.array([mode.position for mode in modes])
    is_near = np.any(np.tril(physics.distances(places, places) <= apart_m, -1), axis=1)
    return [mode for mode, near in zip(modes, is_near, strict=True) if not near]


def _quadratic_step(evidence: Evidence, places: np.ndarray, stencil: np.ndarray) -> Float[np.ndarray, "mode 3"]:
    """From each place to the top of the quadratic through its neighbourhood, one stencil step at most an axis."""
    free = np.ptp(stencil, axis=0) > 0
    fit, (rows, columns) = _quadratic(tuple(free.tolist()))
    step_m = POLISH_STEPS_M[-1] * evidence.grain
    coefficients = evidence.score(places[:, None] + stencil * step_m) @ fit
    slope, bend = coefficients[:, 1 : 1 + free.sum()], coefficients[:, 1 + free.sum() :]
    hessian = np.zeros((len(places), free.sum(), free.sum()))
    hessian[:, rows, columns] += bend
    hessian[:, columns, rows] += bend
    values, vectors = np.linalg.eigh(hessian)
    downhill = np.minimum(values, -1e-9)
    along = np.einsum("kji,kj->ki", vectors, slope) / -downhill
    step = np.zeros_like(places)
    step[:, free] = np.einsum("kij,kj->ki", vectors, np.clip(along, -1, 1)) * step_m
    return step


@lru_cache(maxsize=8)
def _quadratic(free: tuple[bool, ...]) -> tuple[Float[np.ndarray, "offset coefficient"], tuple[np.ndarray, np.ndarray]]:
    """From scores at a stencil to the quadratic that fits them best: constant, slopes, then the products of these axes."""
    reduced = _stencil(np.array(free))[:, np.array(free)]
    rows, columns = np.triu_indices(reduced.shape[1])
    design = np.column_stack([np.ones(len(reduced)), reduced, reduced[:, rows] * reduced[:, columns]])
    return np.linalg.pinv(design).T, (rows, columns)


def _stencil(free: Bool[np.ndarray, "3"]) -> Float[np.ndarray, "offset 3"]:
    """The 3^d neighbours of a point along the free axes, itself among them."""
    return np.array(list(itertools.product(*[(-1.0, 0.0, 1.0) if f else (0.0,) for f in free])))


def _split(points: np.ndarray, half_m: float, free: np.ndarray) -> Float[np.ndarray, "cell 3"]:
    """Every cell cut into 2^d, of half its side."""
    corners = np.array(list(itertools.product(*[(-0.5, 0.5) if f else (0.0,) for f in free])))
    return (points[:, None] + corners * half_m).reshape(-1, 3)


def _best(score: Float[np.ndarray, "cell"], count: int) -> Int[np.ndarray, "kept"]:
    """Numbers of the `count` best cells, best first."""
    if count < len(score):
        kept = np.argpartition(-score, count)[:count]
        return kept[np.argsort(-score[kept], kind="stable")]
    return np.argsort(-score, kind="stable")


def _distinct(points: np.ndarray, score: np.ndarray, count: int, apart_m: float) -> Float[np.ndarray, "mode 3"]:
    """The best points that are not neighbours of a better one."""
    left, kept = points[_best(score, len(score))], list[np.ndarray]()
    while len(left) and len(kept) < count:
        kept.append(left[0])
        left = left[np.linalg.norm(left - left[0], axis=1) > apart_m]
    return np.array(kept)


def _smoothed(evidence: Evidence, step_m: float) -> Evidence:
    """Positive evidence, averaged over the range differences that a cell of this size spans (on fewer lags)."""
    half_width = min(int(SMOOTHING_SHARE * step_m / evidence.step_m), evidence.values.shape[1] // 2)
    if half_width < 2:
        return evidence
    block = max(1, half_width // 3) // 2 * 2 + 1
    middle = evidence.values.shape[1] // 2
    reach = (middle - block // 2) // block * block + block // 2
    count, width = (2 * reach + 1) // block, 2 * round(half_width / block / 2) + 1
    values = blurred(evidence.values, middle - reach, count, block, width)
    return replace(evidence, values=values, step_m=evidence.step_m * block)


def _nearest_score(evidence: Evidence, ranges_m: Float[np.ndarray, "mic cell"]) -> Float[np.ndarray, "cell"]:
    """Mean evidence of all pairs at the lag nearest to each cell's range difference."""
    lags = (ranges_m / evidence.step_m).astype(np.float32)
    return mean_nearest(evidence.values, evidence.pairs, lags)


def _coarse_cells(evidence: Evidence, box: np.ndarray, breadth: float) -> tuple[Float[np.ndarray, "cell 3"], float]:
    """The best cells of the coarse grid, and their side."""
    pairs = len(evidence.pairs)
    cells = min(MOST_CELLS, MOST_LOOKUPS // pairs)
    finest_m = COARSE_STEP_M * evidence.grain / _effort(pairs) ** (1 / 3)
    grid = evidence.positions.tobytes(), box.tobytes(), cells, finest_m
    points, _, step_m = _coarse_grid(*grid)
    score = _coarse_score(_smoothed(evidence, step_m), grid)
    if evidence.search is not None:
        score = np.where(evidence.search.may_hold(points, HALF_DIAGONAL * step_m), score, -np.inf)
    return points[_best(score, _beam(0, pairs, breadth))], step_m


def _coarse_score(evidence: Evidence, grid: Grid) -> Float[np.ndarray, "cell"]:
    """Mean evidence of all pairs at each cell. A recording asks for one grid again and again: then its lags are kept."""
    asked = grid, evidence.pairs.astype(np.int64).tobytes(), evidence.step_m, evidence.values.shape[1]
    if next(_times_asked(*asked)):
        return mean_at(evidence.values, _coarse_lags(*asked))
    return _nearest_score(evidence, _coarse_grid(*grid)[1])


def _possible(points: Float[np.ndarray, "cell 3"], evidence: Evidence, step_m: float) -> Float[np.ndarray, "kept 3"]:
    """Those cells that reach into the region in which a source may be."""
    return points if evidence.search is None else points[evidence.search.may_hold(points, HALF_DIAGONAL * step_m)]


def _effort(pairs: int) -> float:
    """How many more cells are looked at than with the usual number of pairs."""
    return float(np.clip(USUAL_PAIRS / pairs, 1, MOST_EFFORT))


def _beam(level: int, pairs: int, breadth: float) -> int:
    return round(breadth * BEAM[min(level, len(BEAM) - 1)] * _effort(pairs))


@lru_cache(maxsize=16)
def _times_asked(grid: Grid, pairs: bytes, step_m: float, count: int) -> Iterator[int]:
    """Counts from 0 on."""
    return itertools.count()


@lru_cache(maxsize=4)
def _coarse_lags(grid: Grid, pairs: bytes, step_m: float, count: int) -> UInt32[np.ndarray, "pair cell"]:
    """Of each pair the lag nearest to each cell's range difference, of so many; kept."""
    lags = (_coarse_grid(*grid)[1] / step_m).astype(np.float32)
    lags_and_middle = lags + np.float32(count // 2 + 0.5)  # truncation then rounds to the nearest
    numbers = np.frombuffer(pairs, dtype=np.int64).reshape(-1, 2)
    nearest = np.empty((len(numbers), lags.shape[1]), dtype=np.uint32)
    for row, (i, j) in zip(nearest, numbers, strict=True):
        row[:] = np.clip(lags_and_middle[i] - lags[j], 0, count - 1)
    return nearest


@lru_cache(maxsize=8)
def _coarse_grid(positions: bytes, box: bytes, cells: int, finest_m: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Cell centres (N, 3) that fill the box, their distance to every microphone (M, N), and their side; kept for reuse."""
    low, high = np.frombuffer(box).reshape(2, 3)
    sides, free = high - low, free_axes(np.stack([low, high]))
    step_m = max(finest_m, float(np.prod(sides[free]) / cells) ** (1 / free.sum()))
    counts = np.where(free, np.ceil(sides / step_m), 1).astype(int)
    axes = [start + side * (np.arange(n) + 0.5) / n for start, side, n in zip(low, sides, counts, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return points, physics.distances(np.frombuffer(positions).reshape(-1, 3), points), step_m
