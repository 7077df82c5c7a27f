"""How good answers are.

Conventions
- An error is the Euclidean distance in metres, in 3-D, from a true source to the place said for it; `MAE` is its mean over
  windows. (Elsewhere MAE is often the mean along each axis, about half of ours.) `xy` and `z` are its parts.
- Several true sources: each is given one place, so that the sum of distances is smallest (optimal assignment); the error
  of the window is their mean. Places beyond the number of sources are not looked at: an ambiguous answer is judged by its
  first places, best first.
- Methods that abstain are measured by the places they did not believe in (Estimate.guess_m), so that all are measured on all
  windows and nobody gains by being silent where it is hard. Where there is none, or there are too few, the middle of the
  room is taken. `answered MAE` is over the windows that were answered, `abstained` the share of the others.
- acc@30cm: share of windows with an error under 0.3 m.
- Coverage: share of the true sources of answered windows that lie in a 90 % region, the ellipsoid of the place's covariance;
  of an ambiguous answer to one source, in any of its regions.
- A microphone of unknown position: distance from where it truly stands to where the answer puts it; where it only knows a
  shell (localizer.Shell), to the place on it with the least expected distance; where it abstains, to its guess; else to
  the middle of the room.
- +- is one standard error; intervals hold 95 %. Both by bootstrap over groups (clips of a recording): windows of one clip
  are no independent draws.

Score one window with `score`, then all of them with `summarize`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment

from soundfix import physics
from soundfix.errors import MetricsError
from soundfix.estimate import Estimate, MicrophoneReport, Source

NEAR_M = 0.3  # acc@30cm
RESAMPLES = 1000  # of the bootstrap
INTERVAL = (2.5, 97.5)  # percentiles
FAR_M = 1000.0  # further from everything than any room is wide


class Score(NamedTuple):
    """One window. Errors in metres, means over its true sources; covered: the share of these that lie in a 90 % region,
    NaN where the method abstained; microphones_m: of those whose position was unknown."""

    error_m: float
    xy_m: float
    z_m: float
    is_answered: bool
    covered: float
    microphones_m: tuple[float, ...] = ()


class Number(NamedTuple):
    """A mean or a share, its standard error, and the ends of its 95 % interval."""

    value: float
    error: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class ErrorSummary:
    """Metres and shares; see the conventions above. NaN where there was nothing to take a mean of."""

    windows: int
    mae_m: Number
    acc: Number
    median_m: float
    p90_m: float
    xy_m: float
    z_m: float
    answered_mae_m: float
    abstained: float
    coverage: Number
    microphones_m: Number


def score(
    estimate: Estimate,
    sources_m: Float[np.ndarray, "source 3"],
    *,
    middle_m: Float[np.ndarray, "3"],
    microphones_m: Float[np.ndarray, "mic 3"] | None = None,
) -> Score:
    """One window's answer against the truth (metres); microphones_m: where those truly stand that
    are to be judged, NaN for the others.

    middle_m: of the room, said for whatever is not said. Raises MetricsError on a truth that is missing or in other units.
    """
    _check(sources_m, middle_m)
    found = said(estimate)[: len(sources_m)]
    places = np.concatenate([found, np.tile(middle_m, (len(sources_m) - len(found), 1))])
    order = assign(sources_m, places)
    off = places[order] - sources_m
    return Score(
        error_m=float(np.linalg.norm(off, axis=1).mean()),
        xy_m=float(np.linalg.norm(off[:, :2], axis=1).mean()),
        z_m=float(np.abs(off[:, 2]).mean()),
        is_answered=bool(estimate.sources),
        covered=_covered(estimate, sources_m, order),
        microphones_m=_microphone_errors(estimate, microphones_m, middle_m),
    )


def assign(
    truth_m: Float[np.ndarray, "source 3"], places_m: Float[np.ndarray, "source 3"]
) -> Int[np.ndarray, "source"]:
    """Which place belongs to each true source, so that the sum of distances is smallest."""
    distances = np.linalg.norm(truth_m[:, None] - places_m[None], axis=-1)
    return linear_sum_assignment(distances)[1]


def is_inside(source: Source, place_m: Float[np.ndarray, "3"]) -> bool:
    """Whether the source's 90 % region holds this place."""
    return physics.is_in_region(place_m - source.position_m, source.covariance_m2)


def summarize(scores: Sequence[Score], groups: Sequence[Any] | None = None, *, seed: int = 0) -> ErrorSummary:
    """All windows. groups: which recording each comes from; without, each from its own. seed: of the bootstrap."""
    if not scores:
        raise MetricsError("no windows to summarize: did every one fail, or was the data set empty?")
    alike: Sequence[Any] = range(len(scores)) if groups is None else groups
    number = {each: k for k, each in enumerate(sorted(set(alike)))}
    group = np.array([number[each] for each in alike])
    errors = np.array([each.error_m for each in scores])
    is_answered = np.array([each.is_answered for each in scores])
    covered = np.array([each.covered for each in scores])
    own = [(error, g) for each, g in zip(scores, group, strict=True) for error in each.microphones_m]

    def mean(values: np.ndarray, of: np.ndarray) -> Number:
        return bootstrap(values, of, np.random.default_rng(seed))

    return ErrorSummary(
        windows=len(scores),
        mae_m=mean(errors, group),
        acc=mean((errors < NEAR_M).astype(float), group),
        median_m=float(np.median(errors)),
        p90_m=float(np.percentile(errors, 90)),
        xy_m=float(np.mean([each.xy_m for each in scores])),
        z_m=float(np.mean([each.z_m for each in scores])),
        answered_mae_m=_mean(errors[is_answered]),
        abstained=float(1 - is_answered.mean()),
        coverage=mean(covered[is_answered], group[is_answered]),
        microphones_m=mean(np.array([error for error, _ in own]), np.array([g for _, g in own])),
    )


def bootstrap(values: Float[np.ndarray, "n"], groups: np.ndarray, rng: np.random.Generator) -> Number:
    """The mean, and how it varies when whole groups are drawn again, with replacement."""
    _, member = np.unique(groups, return_inverse=True)
    if member.max(initial=0) == 0:  # none, or one that says nothing of how others would be
        return Number(_mean(values), np.nan, np.nan, np.nan)
    totals, counts = np.bincount(member, values), np.bincount(member)
    drawn = rng.multinomial(len(totals), np.full(len(totals), 1 / len(totals)), size=RESAMPLES)
    means = (drawn @ totals) / (drawn @ counts)
    low, high = np.percentile(means, INTERVAL)
    return Number(float(values.mean()), float(means.std(ddof=1)), float(low), float(high))


def said(estimate: Estimate) -> Float[np.ndarray, "place 3"]:
    """The places of the answer, or those that were not believed."""
    if not estimate.sources and estimate.guess_m is not None:
        return estimate.guess_m
    return np.array([source.position_m for source in estimate.sources]).reshape(-1, 3)


def _mean(values: Float[np.ndarray, "n"]) -> float:
    return float(values.mean()) if len(values) else np.nan


def _covered(estimate: Estimate, sources_m: np.ndarray, order: np.ndarray) -> float:
    if not estimate.sources:
        return np.nan
    if len(sources_m) == 1:
        return float(any(is_inside(source, sources_m[0]) for source in estimate.sources))
    said = estimate.sources
    return float(np.mean([k < len(said) and is_inside(said[k], sources_m[i]) for i, k in enumerate(order.tolist())]))


def _microphone_errors(
    estimate: Estimate, microphones_m: Float[np.ndarray, "mic 3"] | None, middle_m: np.ndarray
) -> tuple[float, ...]:
    if microphones_m is None:
        return ()
    reports = zip(estimate.microphones, microphones_m, strict=True)
    judged = [(_place_of(report), true) for report, true in reports if np.isfinite(true).all()]
    return tuple(float(np.linalg.norm((middle_m if said is None else said) - true)) for said, true in judged)


def _place_of(report: MicrophoneReport) -> Float[np.ndarray, "3"] | None:
    if report.position_m is not None:
        return report.position_m
    shell = report.shell or report.guess
    return shell.place_m if shell else None


def _check(sources_m: np.ndarray, middle_m: np.ndarray) -> None:
    if not len(sources_m) or not np.isfinite(sources_m).all():
        raise MetricsError(f"true sources are {sources_m.tolist()}, wanted one or more known places")
    furthest_m = float(np.linalg.norm(sources_m - middle_m, axis=1).max())
    if furthest_m > FAR_M:
        raise MetricsError(
            f"a true source is {furthest_m:g} m from the middle of the room: was it given in millimetres?"
        )
