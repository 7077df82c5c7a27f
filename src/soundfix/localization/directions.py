"""From the evidence of directions (steering.py) to what is believed: a direction, its cone, and where its ray ends.

Cells are not independent: a sound lasts several frames, its reverberation longer. So a cell counts for BETA, which makes
the probability of a direction

    p(u) ~ exp(BETA fit(u))   blurred by   exp(-sum_m (r_m . (u - u'))² / (2 slack²))

the second for positions that are not exact. The direction is the mean of p, and half the cone's opening the angle round it
that holds 90 % of p, times a factor that was measured in simulated rooms (bench/compact_arrays.py, on seeds and sounds for
development): the smallest that holds 90 % of n held-out answers, for each kind of array by itself (conformal.py has why).

An array in a plane hears a direction and its mirror image alike: p is that of one side, and each side an answer, unless the
box where sources are expected ends within LEAST_ROOM_M of the plane there, or holds none of the directions believed in.
Axes: U directions; xyz last.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.estimate import COVERAGE, Direction, Regions, Source
from soundfix.localization.steering import SLACK_M, SLACK_SHARE, Cells

BETA = 0.03
COARSE, KEPT, FINE_DEG = 1500, 120, 1.75  # directions of the sphere; those that are looked at closely, nine for each
LIKELY, NEIGHBOURS = 12.0, 24  # in log-odds less than the best, not looked at; but always so many, which surround it
FACTOR_FLAT_FEW, FACTOR_FLAT, FACTOR_DEEP = 0.999, 0.894, 0.649  # of the cone; of 207, 191 and 200 answers
FEW, HELD_OUT = 4, 598  # microphones; answers in all
NARROWEST_DEG = 1.0
FLAT_SLACKS = 4.0  # a plane is no thinner than its positions are exact
LEAST_ROOM_M = 0.3  # from the middle of the array to the end of the box, for a source to be there
LEAST_SIDE = 0.05  # of the probability of the other side
RANGES = 200  # looked at along a ray
TAILS = (0.05, 0.95)
CONES = Regions(method="cones, by a factor from simulated rooms", coverage=COVERAGE, held_out=HELD_OUT)

Units = Float[np.ndarray, "direction 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Shape:
    """A compact array: its middle, the microphones round it (in its plane, where it has one), how wide it is, metres.

    normal: of the plane; None for an array with depth. slack_m: standard error of a position.
    """

    centre_m: Float[np.ndarray, "3"]
    offsets_m: Float[np.ndarray, "mic 3"]
    normal: Float[np.ndarray, "3"] | None
    width_m: float
    slack_m: float

    def mirrored(self, units: Units) -> Units:
        """On the other side of the plane."""
        assert self.normal is not None
        return units - 2 * (units @ self.normal)[..., None] * self.normal


@dataclass(frozen=True, kw_only=True, eq=False)
class Belief:
    """Directions on one side of a plane, and their probabilities, which add up to 1.

    strength: how far the best stands out, in log-likelihood a cell.
    """

    units: Units
    shares: Float[np.ndarray, "direction"]
    strength: float


def shape_of(positions: Float[np.ndarray, "mic 3"], sigma_m: Float[np.ndarray, "mic"]) -> Shape:
    """The array at these positions (m), whose standard errors were declared, or are what is usual."""
    width_m = float(physics.distances(positions, positions).max())
    slack_m = float(np.hypot(min(SLACK_M, SLACK_SHARE * width_m), sigma_m.mean()))
    centre_m = positions.mean(axis=0)
    widths_m, axes = physics.spread(positions)
    is_flat = widths_m[2] < max(physics.FLAT_RATIO * widths_m[0], FLAT_SLACKS * slack_m)
    offsets_m, normal = positions - centre_m, None
    if is_flat:
        normal = axes[2] * np.sign(axes[2][np.abs(axes[2]).argmax()])
        offsets_m = offsets_m - (offsets_m @ normal)[:, None] * normal
    return Shape(centre_m=centre_m, offsets_m=offsets_m, normal=normal, width_m=width_m, slack_m=slack_m)


def believed(cells: Cells, shape: Shape) -> Belief:
    """p(u), on the side of a plane to which its normal points."""
    coarse = _one_side(sphere(COARSE), shape)
    fit = cells.fit(coarse)
    best = np.argsort(-fit)[:KEPT]
    is_likely = (BETA * (fit[best] - fit.max()) > -LIKELY) | (np.arange(len(best)) < NEIGHBOURS)
    units = _one_side(_round_each(coarse[best[is_likely]]), shape)
    odds = BETA * cells.fit(units)
    shares = _blurred(np.exp(odds - odds.max()), units @ shape.offsets_m.T, shape.slack_m)
    return Belief(units=units, shares=shares, strength=float(fit.max() - np.median(fit)) / max(cells.count, 1))


def directions(belief: Belief, shape: Shape, box: Float[np.ndarray, "2 3"], *, is_bounded: bool) -> list[Direction]:
    """The direction, or one on each side of a plane; the box (m) decides where it can.

    is_bounded: whether sources are known to be in the box, which then says how far they may be.
    """
    both = [belief.units] if shape.normal is None else [belief.units, shape.mirrored(belief.units)]
    spans_m = [spans(shape.centre_m, units, box) for units in both]
    is_open = _open_sides(shape, box)
    shares = [
        belief.shares * (span_m[:, 1] > span_m[:, 0]) * own for span_m, own in zip(spans_m, is_open, strict=False)
    ]
    odds = np.array([share.sum() for share in shares])
    if not odds.any():  # the box cannot be right: what was heard came from outside
        return [_direction(units, belief.shares, None, shape) for units in both]
    return [
        _direction(units, share / share.sum(), span_m if is_bounded else None, shape)
        for units, share, span_m, own in zip(both, shares, spans_m, odds, strict=True)
        if own > LEAST_SIDE * odds.max()
    ]


def source(direction: Direction, box: Float[np.ndarray, "2 3"], score: float) -> Source:
    """The middle of the ray in the box, with a region as long as that and as wide as the cone."""
    (nearest_m, furthest_m), unit = _usable(spans(direction.from_m, direction.unit[None], box)[0]), direction.unit
    square_m2 = (nearest_m**2 + nearest_m * furthest_m + furthest_m**2) / 3
    across = square_m2 * np.radians(direction.cone90_deg) ** 2 / (2 * np.log(10)) * (np.eye(3) - np.outer(unit, unit))
    covariance_m2 = across + (furthest_m - nearest_m) ** 2 / 12 * np.outer(unit, unit)
    middle_m = direction.from_m + (nearest_m + furthest_m) / 2 * unit
    return Source(
        position_m=middle_m, covariance_m2=covariance_m2, radius90_m=physics.radius90(covariance_m2), score=score
    )


def spans(
    centre_m: Float[np.ndarray, "3"], units: Units, box: Float[np.ndarray, "2 3"]
) -> Float[np.ndarray, "direction 2"]:
    """From where to where each ray is in the box, LEAST_ROOM_M wider, beyond LEAST_ROOM_M; the second smaller: nowhere."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ends_m = (np.stack([box[0] - LEAST_ROOM_M / 2, box[1] + LEAST_ROOM_M / 2])[:, None] - centre_m) / units
    ends_m = np.nan_to_num(ends_m, nan=0.0, posinf=np.inf, neginf=-np.inf)
    nearest_m = np.maximum(ends_m.min(axis=0).max(axis=1), LEAST_ROOM_M)
    return np.stack([nearest_m, ends_m.max(axis=0).min(axis=1)], axis=1)


def sphere(count: int) -> Units:
    """Unit vectors spread evenly (Fibonacci's lattice)."""
    k = np.arange(count) + 0.5
    up, turn = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    across = np.sqrt(1 - up**2)
    return np.stack([across * np.cos(turn), across * np.sin(turn), up], axis=1)


def _open_sides(shape: Shape, box: Float[np.ndarray, "2 3"]) -> tuple[bool, bool]:
    """Whether the box goes on above the plane of the array, and below; both, where it has none."""
    if shape.normal is None:
        return True, True
    along = (box - shape.centre_m) * shape.normal
    above_m, below_m = float(along.max(axis=0).sum()), float(-along.min(axis=0).sum())
    return above_m >= min(LEAST_ROOM_M, below_m / 2), below_m >= min(LEAST_ROOM_M, above_m / 2)


def _one_side(units: Units, shape: Shape) -> Float[np.ndarray, "some 3"]:
    return units if shape.normal is None else units[units @ shape.normal >= 0]


def _round_each(units: Units) -> Float[np.ndarray, "more 3"]:
    """Nine for each, FINE_DEG apart."""
    helper = np.where(np.abs(units[:, :1]) < 0.8, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    first = np.cross(units, helper)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    steps = np.radians(FINE_DEG) * np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), axis=-1).reshape(-1, 2, 1, 1)
    near = (units + steps[:, 0] * first + steps[:, 1] * np.cross(units, first)).reshape(-1, 3)
    return near / np.linalg.norm(near, axis=1, keepdims=True)


def _blurred(
    odds: Float[np.ndarray, "direction"], paths_m: Float[np.ndarray, "direction mic"], slack_m: float
) -> Float[np.ndarray, "direction"]:
    """Blurred as errors of positions do; adds up to 1."""
    square = np.square(paths_m).sum(axis=1)
    apart_m2 = square[:, None] + square - 2 * paths_m @ paths_m.T
    shares = np.exp(-np.maximum(apart_m2, 0) / (2 * slack_m**2)) @ odds
    return shares / shares.sum()


def _direction(
    units: Units, shares: Float[np.ndarray, "direction"], span_m: Float[np.ndarray, "direction 2"] | None, shape: Shape
) -> Direction:
    mean = shares @ units
    unit = mean / np.linalg.norm(mean)
    azimuth_deg, elevation_deg = physics.azimuth_elevation(unit)
    return Direction(
        azimuth_deg=azimuth_deg,
        elevation_deg=elevation_deg,
        cone90_deg=_cone_deg(units, shares, unit, _factor(shape)),
        from_m=shape.centre_m,
        range_m=None if span_m is None else _interval(shares, span_m),
    )


def _factor(shape: Shape) -> float:
    if shape.normal is None:
        return FACTOR_DEEP
    return FACTOR_FLAT_FEW if len(shape.offsets_m) <= FEW else FACTOR_FLAT


def _cone_deg(units: Units, shares: Float[np.ndarray, "direction"], unit: np.ndarray, factor: float) -> float:
    angles_deg = np.degrees(np.arccos(np.clip(units @ unit, -1, 1)))
    order = angles_deg.argsort()
    held = np.interp(COVERAGE, np.cumsum(shares[order]), angles_deg[order])
    return float(np.clip(factor * held, NARROWEST_DEG, 180))


def _interval(shares: Float[np.ndarray, "direction"], span_m: Float[np.ndarray, "direction 2"]) -> tuple[float, float]:
    """What holds the distance with 90 %, if every one on a ray is as likely."""
    is_there = shares > 0
    (nearest_m, furthest_m), own = span_m[is_there].T, shares[is_there]
    ranges_m = np.linspace(nearest_m.min(), furthest_m.max(), RANGES)
    inside = (ranges_m >= nearest_m[:, None]) & (ranges_m <= furthest_m[:, None])
    density = (own / (furthest_m - nearest_m)) @ inside + 1e-12
    low_m, high_m = np.interp(TAILS, np.cumsum(density) / density.sum(), ranges_m).tolist()
    return low_m, high_m


def _usable(span_m: Float[np.ndarray, "2"]) -> tuple[float, float]:
    """A ray that misses the box ends where it begins."""
    nearest_m, furthest_m = span_m.tolist()
    return nearest_m, max(furthest_m, nearest_m)
