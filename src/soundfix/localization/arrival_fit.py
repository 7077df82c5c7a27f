"""A place as exact as arrivals allow whose errors are not known beforehand: of recorders with clocks and coordinates.

From each pair the highest peak within reach of what a place predicts; then, by Gauss-Newton, the place x and the share s by
which sound is slower than was told, that minimize

    sum_ij  w_ij rho((d_ij - (1 + s) d_ij(x)) / s_ij)  +  2 log(1 + (s / air)²)  +  2 log(1 + ((z - z0) / HEIGHT_M)²)

with weights and rho as in position_errors.py, rho(e) = e² where e is small. The second is what is known of the air; the
last, used under the sky alone, of heights: recorders stand at about one and say little of it, most sounds come from a
little above them, z0, and some from far above. What is left over, taken apart into one error of each microphone, says how
large these errors are; the reach shrinks to that, and the peaks are taken anew. Where a wind w is told of (its standard
error along each axis, the same for all paths), it is found as well: sound goes at c + w.u along a path of direction u, so
that r_m is heard as r_m - v.x_m with v = w / c, but for what is common to all microphones. The region is that of a
Student's t: its covariance has the size of what is left over, and of what was expected, and counts how few these are.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from soundfix import physics, quantiles
from soundfix.estimate import Air
from soundfix.localization.arrival_errors import from_middle_m
from soundfix.localization.evidence import Evidence
from soundfix.localization.position_errors import HUBER, REACH, REACH_M, TIMING_M, peaks_near
from soundfix.physics import REGION_90
from soundfix.scene import free_axes

AIR = 0.01  # half the width of what the speed of sound is about what it is taken for (Cauchy): 6 degrees, or 3.4 m/s of wind
TOLD_AIR = 0.003  # the same where somebody told it: 2 degrees, or 1 m/s
ABOVE_M, HEIGHT_M = 5.0, 10.0  # of sounds over recorders: the middle, and half the width of a Cauchy distribution
PULL = 2.0  # half the slope of 2 log(1 + (x / w)²) is this times x / (w² + x²)
LEAST = 1e-6  # 1/m²: along an axis of which nothing is known a step stays finite
ANY_AIR = 0.03  # the same in the first rounds
DOUBTFUL = 3.0  # times what is known of the air
ROUNDS, STEPS = 6, 4
WIDE = 2  # rounds in which nobody is believed who told how fast sound is: if that is wrong, it is found first
SETTLED_M, SETTLED_AIR = 3e-5, 1e-6  # steps smaller than these change no answer
LONGEST_STEP = 1.0  # by which range differences change, in expected standard errors: far away a place moves far by that
SHRINKS_TO = 1.5  # times the scatter that is left
NEAREST, MOST_LONGER = 1.645, 6.0  # standard errors that hold 90 %, and times as long as a Gaussian tells, at most
DECLARED_FREEDOM = 4.0  # what somebody says of errors is worth so many arrivals
USUAL_M, USUAL_FREEDOM = 0.03, 1.5  # where nobody says anything, at least: a tenth of a millisecond


class Known(NamedTuple):
    """What is known beforehand: whether somebody said how large errors are; whether heights are what they usually are
    outdoors; standard error of the wind along each axis, as a share of the speed of sound; AIR or TOLD_AIR."""

    is_declared: bool
    is_under_sky: bool
    wind: float = 0.0
    air: float = AIR


class Arrivals(NamedTuple):
    """Where microphones stand (m), when they hear a sound (m of path, but for what is common), and standard errors (m)."""

    positions: Float[np.ndarray, "used 3"]
    heard_m: Float[np.ndarray, "used"]
    sigma_m: Float[np.ndarray, "used"]


class Fix(NamedTuple):
    """A place (m), its covariance (m²), and how many times slower sound is than was told, with its standard error.

    arrivals: of those that it was found by. cost: -2 log of how likely it is, by what is left over (Student's t: how large
    errors are is not known either) and by what is known beforehand; but for a constant.
    """

    position_m: Float[np.ndarray, "3"]
    covariance_m2: Float[np.ndarray, "3 3"]
    slower: float
    slower_sigma: float
    arrivals: Arrivals
    cost: float

    def doubts_air(self, known: Known) -> bool:
        """Whether sound is slower or faster in it than was told, by more than is usual."""
        return abs(self.slower) > DOUBTFUL * known.air

    @property
    def errors_m(self) -> Float[np.ndarray, "used"]:
        """How late each of them hears: what is left over, 0 on average."""
        off_m = self.arrivals.heard_m - (1 + self.slower) * physics.distances(self.position_m, self.arrivals.positions)
        return off_m - off_m.mean()

    def holds(self, place: Float[np.ndarray, "3"]) -> bool:
        """Whether its region of 90 % holds this place (m)."""
        return physics.is_in_region(place - self.position_m, self.covariance_m2)

    def reaching(self, places: Iterable[Float[np.ndarray, "3"]]) -> "Fix":
        """With a region that holds these places (m) too."""
        off_m = np.reshape([place - self.position_m for place in places], (-1, 3))
        return self._replace(covariance_m2=self.covariance_m2 + off_m.T @ off_m / REGION_90)


def air_of(fix: Fix, told_m_s: float) -> Air:
    """The speed of sound in this fix, where this one was told."""
    speed_m_s = float(told_m_s / (1 + fix.slower))
    return Air(speed_m_s, speed_m_s * fix.slower_sigma)


def fit_arrivals(
    evidence: Evidence,
    sigma_m: Float[np.ndarray, "mic"],
    place: Float[np.ndarray, "3"],
    box: Float[np.ndarray, "2 3"],
    known: Known,
    *,
    believes: bool = False,
) -> Fix:
    """From a place (m) to the best one near it; sigma_m: standard errors (m) of arrivals, but for what the wind does.
    believes: what was told of the air, from the first round on."""
    is_free, used, wide = free_axes(box), evidence.used, 0 if believes else WIDE
    point, air = place.copy(), np.zeros(4 if known.wind else 1)
    error_m = np.hypot(sigma_m, known.wind * from_middle_m(evidence.positions))
    for number in range(ROUNDS):
        steps, wider_m, so_far = 0, error_m, known if number >= wide else known._replace(air=ANY_AIR)
        while steps < STEPS:
            step, before = _step(evidence, error_m, point, air, is_free, so_far), point
            point = _within(point + step[:3], box, evidence.positions[used])
            air, steps = air + step[3:], steps + 1
            if np.abs(point - before).max() < SETTLED_M and np.abs(step[3:]).max() < SETTLED_AIR:
                break
        errors_m = _arrival_errors(evidence, error_m, point, air)
        left = float(np.sqrt(np.mean(np.square(errors_m[used] / sigma_m[used]))))
        least = TIMING_M * evidence.breadth / sigma_m
        error_m = sigma_m * np.clip(SHRINKS_TO * left, least, 1.0)
        if number >= wide and steps == 1 and np.abs(error_m / wider_m - 1).max() < SETTLED_AIR:
            break
    arrivals = Arrivals(evidence.positions[used], _heard_m(evidence.positions, point, air)[used], sigma_m[used])
    return _fix(arrivals, point, air, errors_m[used], box, known)


def refit(arrivals: Arrivals, fix: Fix, box: Float[np.ndarray, "2 3"], known: Known) -> Fix:
    """From a fix to the best place for arrivals that are told one by one: as above, of microphones instead of pairs."""
    positions, heard_m, sigma_m = arrivals
    point, air = fix.position_m, np.append(fix.slower, np.zeros(3 if known.wind else 0))
    error_m, is_free = np.hypot(sigma_m, known.wind * from_middle_m(positions)), free_axes(box)
    for _ in range(ROUNDS * STEPS):
        late_m, weight = _late_m(heard_m - _heard_m(positions, point, air), error_m)
        slopes = _slopes(positions, point, air)
        slopes[:, :3] *= (1 + air[0]) * is_free
        centred = slopes - weight @ slopes / weight.sum()
        step = _with_known(
            centred.T @ (weight[:, None] * centred), centred.T @ (weight * late_m), centred,
            LONGEST_STEP * float(error_m.mean()), (_above_m(positions, point), air, is_free, known),
        )  # fmt: skip
        before, point, air = point, _within(point + step[:3], box, positions), air + step[3:]
        if np.abs(point - before).max() < SETTLED_M and np.abs(step[3:]).max() < SETTLED_AIR:
            break
    late_m = heard_m - _heard_m(positions, point, air)
    return _fix(arrivals, point, air, late_m - late_m.mean(), box, known)


def _late_m(
    off_m: Float[np.ndarray, "mic"], error_m: Float[np.ndarray, "mic"]
) -> tuple[Float[np.ndarray, "mic"], Float[np.ndarray, "mic"]]:
    """How late each hears, but for when the sound was made, and its weight (1/m²) by Huber's loss."""
    off_m = off_m - np.median(off_m)
    weight = np.minimum(1, HUBER * error_m / np.maximum(np.abs(off_m), 1e-9)) / np.square(error_m)
    return off_m - weight @ off_m / weight.sum(), weight


def _step(
    evidence: Evidence, sigma_m: Float[np.ndarray, "mic"], point: Float[np.ndarray, "3"], air: Float[np.ndarray, "air"],
    is_free: Bool[np.ndarray, "3"], known: Known,
) -> Float[np.ndarray, "unknown"]:  # fmt: skip
    """One step of Gauss-Newton: along the free axes, and of the air."""
    residual, weight, error_m = _residuals(evidence, sigma_m, point, air)
    i, j = evidence.pairs.T
    slopes = _slopes(evidence.positions, point, air)
    slopes[:, :3] *= (1 + air[0]) * is_free
    jacobian = (slopes[i] - slopes[j]) / error_m[:, None]
    pairs_a_microphone = len(evidence.used) / 2  # pairs of one microphone are not independent
    weight = weight / max(float(weight.mean()), 1e-12) / pairs_a_microphone
    normal, slope = jacobian.T @ (weight[:, None] * jacobian), jacobian.T @ (weight * residual)
    above_m = _above_m(evidence.positions[evidence.used], point)
    longest_m = LONGEST_STEP * float(sigma_m.mean())
    return _with_known(normal, slope, slopes[i] - slopes[j], longest_m, (above_m, air, is_free, known))


def _with_known(
    normal: Float[np.ndarray, "unknown unknown"], slope: Float[np.ndarray, "unknown"],
    slopes: Float[np.ndarray, "row unknown"], longest_m: float,
    before: tuple[float, Float[np.ndarray, "air"], Bool[np.ndarray, "3"], Known],
) -> Float[np.ndarray, "unknown"]:  # fmt: skip
    """The step that these normal equations and what is known beforehand ask for, by which what is heard changes by
    longest_m at most. slopes: of what is heard. before: height above the usual one, air, free axes, and how well known."""
    above_m, air, is_free, known = before
    usual = PULL * _known(above_m, HEIGHT_M) if known.is_under_sky and is_free[2] else 0.0
    prior = np.concatenate([[LEAST, LEAST, LEAST + usual], _known_air(air, known, PULL)])
    pulled = slope - np.concatenate([[0, 0, usual * above_m], prior[3:] * air])
    step = np.linalg.solve(normal + np.diag(prior), pulled)
    moved_m = float(np.sqrt(np.mean(np.square(slopes[:, :3] @ step[:3]))))
    step[:3] *= min(1.0, longest_m / max(moved_m, 1e-9))
    return step


def _slopes(
    positions: Float[np.ndarray, "mic 3"], point: Float[np.ndarray, "3"], air: Float[np.ndarray, "air"]
) -> Float[np.ndarray, "mic unknown"]:
    """How what each microphone hears (m) grows with the place, with how slow sound is, and with a wind that is sought."""
    ranges_m = physics.distances(point, positions)[:, None]
    wind = [point - positions] if len(air) > 1 else []
    return np.hstack([physics.directions(point, positions), ranges_m, *wind])


def _known_air(air: Float[np.ndarray, "air"], known: Known, times: float = 1.0) -> Float[np.ndarray, "air"]:
    """The information about it beforehand, that about how slow sound is so many times."""
    return np.append(
        times * _known(float(air[0]), known.air), (len(air) - 1) * [known.wind**-2.0 if known.wind else 0.0]
    )


def _above_m(positions: Float[np.ndarray, "used 3"], point: Float[np.ndarray, "3"]) -> float:
    """How far above the usual height of sounds over these recorders."""
    return float(point[2] - positions[:, 2].mean() - ABOVE_M)


def _known(off: float, width: float) -> float:
    """The information in a Cauchy distribution of this width, so far from its middle."""
    return 1 / (width**2 + off**2)


def _residuals(
    evidence: Evidence, sigma_m: Float[np.ndarray, "mic"], point: Float[np.ndarray, "3"], air: Float[np.ndarray, "air"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every pair, in standard errors, their weights, and the standard errors (m)."""
    i, j = evidence.pairs.T
    error_m = np.sqrt(np.square(sigma_m[i]) + np.square(sigma_m[j]) + TIMING_M**2)
    heard_m = _heard_m(evidence.positions, point, air)
    expected_m = heard_m[i] - heard_m[j]
    found, height = peaks_near(evidence, expected_m, REACH * error_m + REACH_M)
    residual = (found - expected_m) / error_m
    return residual, np.square(height) * np.minimum(1, HUBER / np.maximum(np.abs(residual), 1e-9)), error_m


def _heard_m(
    positions: Float[np.ndarray, "mic 3"], point: Float[np.ndarray, "3"], air: Float[np.ndarray, "air"]
) -> Float[np.ndarray, "mic"]:
    """When (m of path) each microphone hears a sound made at the point."""
    heard_m = (1 + air[0]) * physics.distances(point, positions)
    return heard_m if len(air) == 1 else heard_m + (point - positions) @ air[1:]


def _arrival_errors(
    evidence: Evidence, sigma_m: Float[np.ndarray, "mic"], point: Float[np.ndarray, "3"], air: Float[np.ndarray, "air"]
) -> Float[np.ndarray, "mic"]:
    """How late (m) each microphone hears: the errors whose differences suit the pairs best, 0 on average."""
    residual, weight, error_m = _residuals(evidence, sigma_m, point, air)
    i, j = evidence.pairs.T
    laplacian, late = np.zeros((len(evidence.positions),) * 2), np.zeros(len(evidence.positions))
    for a, b, sign in ((i, j, 1), (j, i, -1)):
        np.add.at(laplacian, (a, a), weight)
        np.add.at(laplacian, (a, b), -weight)
        np.add.at(late, a, sign * weight * residual * error_m)
    return np.linalg.pinv(laplacian, hermitian=True) @ late


def _fix(
    arrivals: Arrivals, point: np.ndarray, air: np.ndarray, errors_m: np.ndarray, box: np.ndarray, known: Known
) -> Fix:
    positions, _, sigma_m = arrivals
    freedom = max(0.0, len(positions) - 2.0 - free_axes(box).sum())
    prior, expected_m = (
        (DECLARED_FREEDOM, sigma_m) if known.is_declared else (USUAL_FREEDOM, np.full_like(sigma_m, USUAL_M))
    )
    scatter = np.square(errors_m / expected_m).sum()
    size = _size(scatter, freedom, prior, is_declared=known.is_declared)
    above_m = _above_m(positions, point)
    in_box = 12 / np.square(np.maximum(box[1] - box[0], 1e-3)) + [0, 0, _known(above_m, HEIGHT_M) * known.is_under_sky]
    covariance = _covariance(
        _slopes(positions, point, air), size * expected_m,
        np.concatenate([in_box, _known_air(air, known)]),
    )  # fmt: skip
    few = 3 * quantiles.fisher(3, prior + freedom, 0.9) / REGION_90
    spread_m2 = _outwards(few * covariance[:3, :3], point, positions)
    cost = (prior + len(positions) - 1) * np.log1p(scatter / prior) + 2 * np.log1p((air[0] / known.air) ** 2)
    cost += 2 * known.is_under_sky * np.log1p((above_m / HEIGHT_M) ** 2)
    arrivals = arrivals._replace(heard_m=_heard_m(positions, point, air) + errors_m)
    return Fix(point, spread_m2, float(air[0]), float(np.sqrt(few * covariance[3, 3])), arrivals, float(cost))


def _within(
    point: Float[np.ndarray, "3"], box: Float[np.ndarray, "2 3"], positions: Float[np.ndarray, "used 3"]
) -> Float[np.ndarray, "3"]:
    """The nearest place in the box; far outside the array the last one in it on the ray, so that the direction stays."""
    inside = np.clip(point, box[0], box[1])
    if np.array_equal(inside[:2], point[:2]) or not is_outside(inside, positions):
        return inside
    middle = positions[:, :2].mean(axis=0)
    away, left = point[:2] - middle, np.where(point[:2] > middle, box[1, :2], box[0, :2]) - middle
    share = np.min(left / np.where(away == 0, np.inf, away), where=np.abs(away) > np.abs(left), initial=1.0)
    inside[:2] = np.clip(middle + max(float(share), 0.0) * away, box[0, :2], box[1, :2])
    return inside


def is_outside(point: Float[np.ndarray, "3"], positions: Float[np.ndarray, "used 3"]) -> bool:
    """Whether it is further from the middle of the array than any microphone."""
    middle = positions.mean(axis=0)
    return bool(np.linalg.norm(point - middle) > np.linalg.norm(positions - middle, axis=1).max())


def _outwards(
    covariance_m2: Float[np.ndarray, "3 3"], point: Float[np.ndarray, "3"], positions: Float[np.ndarray, "used 3"]
) -> Float[np.ndarray, "3 3"]:
    """The covariance of a place outside the array, as long along its ray as what lies beyond it.

    From afar arrivals tell 1 / r, with a standard error e / r²: its end of NEAREST standard errors, r / (1 - NEAREST e / r),
    is further away than e tells, or nowhere.
    """
    ray_m = point - positions.mean(axis=0)
    away_m = float(np.linalg.norm(ray_m))
    if not is_outside(point, positions):
        return covariance_m2
    along = covariance_m2 @ (ray_m / away_m)
    variance_m2 = float(along @ ray_m / away_m)
    longer = 1 / max(1 - NEAREST * variance_m2**0.5 / away_m, 1 / MOST_LONGER)
    return covariance_m2 + (longer**2 - 1) * np.outer(along, along) / variance_m2


def _size(scatter: float, freedom: float, prior: float, *, is_declared: bool) -> float:
    """Of the errors, against what was expected: with what somebody said counted in, or at least what is usual."""
    if is_declared:
        return float(np.sqrt((prior + scatter) / (prior + freedom)))
    return max(1.0, float(np.sqrt(scatter / max(freedom, 1.0))))


def _covariance(
    slopes: Float[np.ndarray, "used unknown"], sigma_m: Float[np.ndarray, "used"], known: Float[np.ndarray, "unknown"]
) -> Float[np.ndarray, "unknown unknown"]:
    """Of the place (m²) and the air: Cramér-Rao for arrivals whose common lateness is unknown; known: before (1/m²)."""
    weight = np.square(1 / sigma_m)
    centred = slopes - weight @ slopes / weight.sum()
    return np.linalg.inv((centred * weight[:, None]).T @ centred + np.diag(known))
