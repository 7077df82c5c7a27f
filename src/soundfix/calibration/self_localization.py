"""The shape of an array of which no position is known, and the track of the sources, from arrivals alone.

Arrays and walks are wider than high. So first a flat array: the largest difference of two microphones' arrivals is about
their distance, multidimensional scaling of these (Torgerson, 1952) is where bundle adjustment begins, in the plane. Then
the heights. With b known of a moment, what a microphone heard is a range, r = a - b, and with d the distance in the plane

    r² - d² = (z_m - z_w)² = z_m² + z_w² - 2 z_m z_w

is a term of microphones, a term of moments, and a matrix of rank one: the product of the heights. Robust least squares
finds it, up to mirroring; bundle adjustment in space follows. What is wrong then is up and down exchanged: of single
microphones, or of all that is on one side of a line, sources too. So such are mirrored in the plane of the sources, one at
a time and at random, and what is better stays. Only the cost tells one start from another: several are tried.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from soundfix.calibration.bundle import Arrivals, Freedom, Layout, Solution, adjust
from soundfix.calibration.initial_guess import around, sources_from
from soundfix.calibration.mirrors import reflected
from soundfix.robust import medians

STARTS, FOUND, FLIPS = 6, 3, 40
LARGEST_SHARE = 0.98  # of the moments: the largest difference of two arrivals is about the distance of the microphones
ENDFIRE = 1.15  # times that: no source was quite on the line through both
PLACED_M = 0.3  # standard deviation of where a start has a microphone; the first start has them as they are
FLAT = np.array([1.0, 1.0, 0.0])
FLAT_SCALES, FLAT_AGAIN_SCALES = (100.0, 30.0), (30.0, 20.0)  # standard errors: heights are misfits in the plane
SCALES, FLIP_SCALES, FINE_SCALES = (30.0, 10.0), (10.0, 3.0), (5.0, 3.0, 1.0)
HEIGHT_ROUNDS, HEIGHT_MISFIT_M = 60, 0.15  # of ranges, that counts half
SHORTEST_M = 0.5  # a range that is shorter is not trusted more
LEAST = 1e-6  # of least squares, so that they are not singular
BETTER = 0.999  # of the cost, to be worth a change


def shapes(arrivals: Arrivals, rng: np.random.Generator) -> Iterator[Solution]:
    """The FOUND best that differ, the best start first: turned, moved and mirrored each is as good."""
    found = [lift_to_3d(flat(start, arrivals, rng), arrivals, rng) for start in _starts(arrivals, rng)]
    found.sort(key=lambda solution: solution.cost)
    best = [each for k, each in enumerate(found) if k == 0 or each.cost > found[k - 1].cost / BETTER]
    for each in best[:FOUND]:
        yield refined(each.layout, arrivals, rng)


def upright(layout: Layout) -> Layout:
    """The layout moved and turned: the microphones' middle is the origin, and the plane they are nearest to is level."""
    middle = layout.positions.mean(axis=0)
    axes = np.linalg.svd(layout.positions - middle, full_matrices=False)[2].T
    return replace(layout, positions=(layout.positions - middle) @ axes, sources=(layout.sources - middle) @ axes)


def refined(layout: Layout, arrivals: Arrivals, rng: np.random.Generator) -> Solution:
    """With what is better mirrored, and then as exact as it gets."""
    best = unbound(layout, arrivals, FLIP_SCALES)
    for _ in range(FLIPS):
        flip = mirrored if rng.random() < 0.5 else flip_half
        tried = unbound(flip(best.layout, rng), arrivals, FLIP_SCALES)
        best = tried if tried.cost < BETTER * best.cost else best
    return unbound(best.layout, arrivals, FINE_SCALES)


def _starts(arrivals: Arrivals, rng: np.random.Generator) -> Iterator[Float[np.ndarray, "mic 3"]]:
    """Flat arrays: two axes of classical multidimensional scaling."""
    path_m = arrivals.path_m
    apart = np.nanquantile(np.abs(path_m[:, :, None] - path_m[:, None]), LARGEST_SHARE, axis=0) * ENDFIRE
    centring = np.eye(len(apart)) - 1 / len(apart)
    values, vectors = np.linalg.eigh(-centring @ np.square(np.nan_to_num(apart, nan=np.nanmean(apart))) @ centring / 2)
    scaled = np.pad(vectors[:, -2:] * np.sqrt(values[-2:].clip(LEAST)), ((0, 0), (0, 1)))
    for k in range(STARTS):
        yield scaled + FLAT * PLACED_M * rng.standard_normal(scaled.shape) * (k > 0)


def flat(positions: Float[np.ndarray, "mic 3"], arrivals: Arrivals, rng: np.random.Generator) -> Layout:
    """Downhill in the plane; then with sources sought anew, downhill again."""
    still = np.zeros(len(positions))
    blank = np.zeros((len(arrivals.path_m), 3))
    layout = Layout(positions=positions, offset_m=still, drift_m_s=still, sources=blank)
    for scales in (FLAT_SCALES, FLAT_AGAIN_SCALES):
        sources = sources_from(arrivals, layout, FLAT * around(layout.positions), rng)
        layout = unbound(replace(layout, sources=sources), arrivals, scales).layout
    return layout


def lift_to_3d(layout: Layout, arrivals: Arrivals, rng: np.random.Generator) -> Solution:
    """A flat array with heights, and downhill from there in space."""
    z = heights(layout, arrivals, rng)
    upright = replace(
        layout,
        positions=FLAT * layout.positions + np.outer(z.microphones, 1 - FLAT),
        sources=FLAT * layout.sources + np.outer(z.moments, 1 - FLAT),
    )
    return unbound(upright, arrivals, SCALES)


class Heights(NamedTuple):
    """Above the plane; as large for moments as for microphones, which nothing here tells."""

    microphones: Float[np.ndarray, "mic"]
    moments: Float[np.ndarray, "moment"]


def heights(layout: Layout, arrivals: Arrivals, rng: np.random.Generator) -> Heights:
    """Of the rank-one part of r² - d², by alternating least squares in which large misfits count less (Cauchy's loss)."""
    distance = np.linalg.norm(layout.sources[:, None] - layout.positions, axis=-1)
    ranges = arrivals.path_m - medians(arrivals.path_m - distance)[:, None]
    square = np.nan_to_num(ranges**2 - distance**2)
    sure = np.isfinite(ranges) / np.square(2 * np.maximum(np.nan_to_num(ranges), SHORTEST_M))
    weight, of_moment = sure, np.zeros(len(square))
    high = Heights(rng.standard_normal(square.shape[1]), rng.standard_normal(len(square)))
    for _ in range(HEIGHT_ROUNDS):
        of_mic, u = _lines(high.moments, square - of_moment[:, None], weight)
        of_moment, v = _lines(u, (square - of_mic).T, weight.T)
        off = square - of_mic - of_moment[:, None] + 2 * np.outer(v, u)
        weight = sure / (1 + np.square(off / HEIGHT_MISFIT_M) * sure)
        high, of_moment = _balanced(u, v, of_moment)
    return high


def _lines(
    x: Float[np.ndarray, "row"], y: Float[np.ndarray, "row column"], weight: Float[np.ndarray, "row column"]
) -> tuple[Float[np.ndarray, "column"], Float[np.ndarray, "column"]]:
    """Every column as s - 2 x t: its s and t."""
    terms = np.column_stack([np.ones(len(x)), -2 * x])
    normal = np.einsum("rc,ra,rb->cab", weight, terms, terms) + LEAST * np.eye(2)
    right = np.einsum("rc,ra,rc->ca", weight, terms, y)
    s, t = np.linalg.solve(normal, right[..., None])[..., 0].T
    return s, t


def _balanced(
    u: Float[np.ndarray, "mic"], v: Float[np.ndarray, "moment"], of_moment: Float[np.ndarray, "moment"]
) -> tuple[Heights, Float[np.ndarray, "moment"]]:
    """As large each, and 0 on average; the product with what is taken away from u goes to the term of moments."""
    share = np.sqrt(max(np.std(u), LEAST) / max(np.std(v), LEAST))
    u, v = u / share, v * share
    return Heights(u - u.mean(), v - v.mean()), of_moment - 2 * v * u.mean()


def unbound(start: Layout, arrivals: Arrivals, scales: tuple[float, ...]) -> Solution:
    """Downhill; all microphones are anywhere."""
    still = np.zeros(len(start.positions))
    free = Freedom(positions=still + np.inf, offset_m=still, drift_m_s=still)
    return adjust(arrivals, start, free, scales=scales)


def mirrored(layout: Layout, rng: np.random.Generator) -> Layout:
    """One microphone on the other side of the plane that the sources are nearest to."""
    alone = np.arange(len(layout.positions)) == rng.integers(len(layout.positions))
    return _reflected(layout, alone, np.zeros(len(layout.sources), dtype=bool))


def flip_half(layout: Layout, rng: np.random.Generator) -> Layout:
    """All on one side of a line in that plane, through a microphone, on its other side."""
    along = rng.standard_normal(3)
    cut = rng.choice(layout.positions @ along)
    return _reflected(layout, layout.positions @ along <= cut, layout.sources @ along <= cut)


def _reflected(layout: Layout, these: Bool[np.ndarray, "mic"], those: Bool[np.ndarray, "moment"]) -> Layout:
    positions, sources = (reflected(places, layout.sources) for places in (layout.positions, layout.sources))
    return replace(
        layout,
        positions=np.where(these[:, None], positions, layout.positions),
        sources=np.where(those[:, None], sources, layout.sources),
    )
