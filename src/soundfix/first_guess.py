"""First guesses for bundle adjustment: where sources were, where a microphone is, what shape an array has.

Each looks through many places, drawn by a seed, and takes the one that fits best where wrong arrivals count no more than a
few right ones (Cauchy's loss): what is wrong by metres must not pull.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from soundfix.bundle import Arrivals, Freedom, Layout, Solution, adjust, medians

PLACES = 4000  # looked through
GUESSES, APART_M = 6, 0.5
COARSE_M = 0.3  # a misfit that counts half
LARGEST_SHARE = 0.98  # of the moments: the largest difference of two arrivals is about the distance of the microphones
ENDFIRE = 1.15  # times that: no source was quite on the line through both
HEIGHT_M = 0.7  # above or below the plane of an unknown array
STARTS, FINALISTS, FLIPS = 16, 4, 3
PLACED_M = 0.3  # standard deviation of where a start has a microphone
COARSE_SCALES, MIDDLE_SCALES, FINE_SCALES = (100.0, 30.0), (30.0, 10.0), (5.0, 3.0, 1.0)  # standard errors
AROUND_M = 0.5  # where sources are looked for round an unknown array
BETTER = 0.995  # of the cost, to be worth a change


def sources_from(
    arrivals: Arrivals, layout: Layout, box: Float[np.ndarray, "2 3"], rng: np.random.Generator
) -> Float[np.ndarray, "moment 3"]:
    """Where each moment's sound came from, by all microphones of this layout (those at NaN do not count)."""
    places = drawn(box, PLACES, rng)
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
    places = drawn(box, PLACES, rng)
    off = ranges_m - np.linalg.norm(places[:, None] - sources, axis=-1)
    order, offsets = np.argsort(_misfits(off, is_centred=is_late)), medians(off) if is_late else np.zeros(PLACES)
    found: list[int] = []
    for k in order:
        if len(found) < GUESSES and all(np.linalg.norm(places[k] - places[other]) > APART_M for other in found):
            found.append(int(k))
    return [(places[k], float(offsets[k])) for k in found]


def drawn(box: Float[np.ndarray, "2 3"], count: int, rng: np.random.Generator) -> Float[np.ndarray, "place 3"]:
    """Places anywhere in the box."""
    return box[0] + rng.random((count, 3)) * (box[1] - box[0])


def _misfits(off: Float[np.ndarray, "place arrival"], *, is_centred: bool = True) -> Float[np.ndarray, "place"]:
    """What they have in common may be anything, where they are centred."""
    if is_centred:
        off = off - medians(off)[:, None]
    return np.nansum(np.log1p(np.square(off / COARSE_M)), axis=-1)


def shape(arrivals: Arrivals, rng: np.random.Generator) -> Layout:
    """The shape of an array of which no position is known, and of the sources' track; the best of several starts.

    Turned, moved and mirrored it is as good. The distance of two microphones is at least the largest difference of their
    arrivals: multidimensional scaling of these is where each start begins, with heights drawn at random.
    """
    found = [_researched(start, arrivals, rng) for start in _scaled(arrivals, rng)]
    finalists = sorted(found, key=lambda solution: solution.cost)[:FINALISTS]
    fine = [_unbound(_flipped(each, arrivals).layout, arrivals, FINE_SCALES) for each in finalists]
    return min(fine, key=lambda solution: solution.cost).layout


def _scaled(arrivals: Arrivals, rng: np.random.Generator) -> list[Layout]:
    """Classical multidimensional scaling (Torgerson, 1952): two axes of it, the third drawn."""
    path_m = arrivals.path_m
    apart = np.nanquantile(np.abs(path_m[:, :, None] - path_m[:, None]), LARGEST_SHARE, axis=0) * ENDFIRE
    centring = np.eye(len(apart)) - 1 / len(apart)
    values, vectors = np.linalg.eigh(-centring @ np.square(np.nan_to_num(apart, nan=np.nanmean(apart))) @ centring / 2)
    flat = vectors[:, -2:] * np.sqrt(values[-2:].clip(1e-6))
    return [_start(flat, arrivals, rng) for _ in range(STARTS)]


def _start(flat: Float[np.ndarray, "mic 2"], arrivals: Arrivals, rng: np.random.Generator) -> Layout:
    count = len(flat)
    scattered = flat + PLACED_M * rng.standard_normal(flat.shape)
    positions = np.column_stack([scattered, HEIGHT_M * rng.choice([-1.0, 1.0], count)])
    blank = Layout(
        positions=positions,
        offset_m=np.zeros(count),
        drift_m_s=np.zeros(count),
        sources=np.zeros((len(arrivals.path_m), 3)),
    )
    return replace(blank, sources=sources_from(arrivals, blank, around(positions), rng))


def around(positions: Float[np.ndarray, "mic 3"]) -> Float[np.ndarray, "2 3"]:
    """The box that holds an array whose place is not known, and its sources."""
    return np.stack([positions.min(axis=0) - AROUND_M, positions.max(axis=0) + AROUND_M])


def _researched(start: Layout, arrivals: Arrivals, rng: np.random.Generator) -> Solution:
    """Downhill; then with sources sought anew, downhill again."""
    rough = _unbound(start, arrivals, COARSE_SCALES).layout
    sources = sources_from(arrivals, rough, around(rough.positions), rng)
    return _unbound(replace(rough, sources=sources), arrivals, MIDDLE_SCALES)


def _flipped(best: Solution, arrivals: Arrivals) -> Solution:
    """With one microphone after the other mirrored in the plane of the sources, while that helps."""
    for _ in range(FLIPS):
        before = best.cost
        for m in _furthest_first(best.layout):
            mirrored = _unbound(_mirrored(best.layout, int(m)), arrivals, MIDDLE_SCALES[-1:])
            best = mirrored if mirrored.cost < BETTER * best.cost else best
        if best.cost > BETTER * before:
            break
    return best


def _unbound(start: Layout, arrivals: Arrivals, scales: tuple[float, ...]) -> Solution:
    """All microphones are anywhere."""
    count = len(start.positions)
    free = Freedom(positions=np.full(count, np.inf), offset_m=np.zeros(count), drift_m_s=np.zeros(count))
    return adjust(arrivals, start, free, scales=scales)


def _plane(layout: Layout) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """A point of the plane that the sources are nearest to, and its normal."""
    centre = np.median(layout.sources, axis=0)
    return centre, np.linalg.svd(layout.sources - centre, full_matrices=False)[2][2]


def _furthest_first(layout: Layout) -> Int[np.ndarray, "mic"]:
    centre, normal = _plane(layout)
    return np.argsort(-np.abs((layout.positions - centre) @ normal))


def _mirrored(layout: Layout, m: int) -> Layout:
    centre, normal = _plane(layout)
    positions = layout.positions.copy()
    positions[m] -= 2 * ((positions[m] - centre) @ normal) * normal
    return replace(layout, positions=positions)


def aligned(layout: Layout, onto: Float[np.ndarray, "mic 3"]) -> Layout:
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
