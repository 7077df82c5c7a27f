"""What a calibration found: a finding for every microphone, the corrected list, and where to stand next.

The adjusted layout (bundle.py) and what it was free to move say what is wrong with each microphone; what stays unsure
stays as it was listed.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from soundfix.calibration import bundle
from soundfix.calibration.bundle import Arrivals, Freedom, Layout, Solution
from soundfix.calibration.hypotheses import AGREES_M
from soundfix.calibration.mirrors import Image
from soundfix.microphones import Microphones
from soundfix.scene import Room

FindingKind = Literal[
    "good", "placed", "misplaced", "late", "drifting", "late and misplaced", "swapped", "unheard", "unsure"
]

FEWEST_FIXED = 3  # known positions that leave no turn, shift or mirror image
AGREEING_SHARE = 0.5  # of a sound microphone's arrivals, at least
FEWEST_AGREEING = 4  # arrivals that leave nothing to check a moment's place by: more are wanted
GOOD_M = 0.1  # from where the list has it: what is further is misplaced
SPOT_M = 0.02  # no two microphones are nearer
SWAP_M = 0.3  # a place this near to another's is that one
SURE_M = 0.1  # a standard error beyond this wants more motion
STRETCHED = 0.4  # reach of an array that was never crossed
MOST = 0.5  # of the positions
DOUBTFUL = 0.45  # misfit: of shapes right to 5 cm 0.18-0.3, of wrong ones 0.6-0.8 (EXPERIMENTS.md)
GRID_M, STANDING_M = 0.5, 1.5  # between places to stand at, and their height above the floor of the box
MOST_PLACES = 200


@dataclass(frozen=True, kw_only=True, eq=False)
class MicrophoneFinding:
    """What was found of one microphone: where it stands and how its clock is off, each with its standard error.

    before_m, after_m: median misfit of its arrivals, by the list and by what was found; None where unheard.
    """

    name: str
    finding: FindingKind
    position_m: Float[np.ndarray, "3"]
    covariance_m2: Float[np.ndarray, "3 3"]
    moved_m: float | None
    offset_s: float
    offset_sigma_s: float
    drift_ppm: float
    drift_sigma_ppm: float
    before_m: float | None
    after_m: float | None
    other: str | None = None  # with whose channel, or row of the list, its own was exchanged
    image_m: Float[np.ndarray, "3"] | None = None  # where it may be instead: covariance_m2 reaches there


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """microphones: the list, corrected. sources: (W, 3), at times_s: of the moments on which enough microphones agree.

    speed_m_s and its standard error. is_relative: fewer than three positions were known, so the layout may be turned, moved
    and mirrored. is_doubtful: most positions were found, and what was heard does not fit them well.
    stand: where to make a sound next, and for which microphone, where one is not sure enough.
    """

    microphones: Microphones
    repairs: tuple[MicrophoneFinding, ...]
    sources: Float[np.ndarray, "moment 3"]
    times_s: Float[np.ndarray, "moment"]
    speed_m_s: float
    speed_sigma_m_s: float
    is_relative: bool
    is_doubtful: bool
    has_free_clocks: bool
    stand_m: Float[np.ndarray, "3"] | None
    stand_for: str | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """The solution, what it was free to move, and what it was made from.

    listed: the layout of the list, unknown positions anywhere, every channel at its own row. order: of every channel that
    row. speed_m_s: that times were made path by. images: of
    microphones that may be at a mirror image of their place.
    """

    solution: Solution
    freedom: Freedom
    arrivals: Arrivals
    listed: Layout
    order: Int[np.ndarray, "mic"]
    microphones: Microphones
    speed_m_s: float
    images: dict[int, Image]

    @property
    def as_listed(self) -> Layout:
        """The list's microphones, and the sources that were found."""
        found = self.solution.layout
        own = self.microphones.border_positions()
        positions = np.where(np.isnan(own), self.listed.positions, own)
        return replace(self.listed, positions=positions, sources=found.sources, kappa=found.kappa)

    @property
    def moved_m(self) -> Float[np.ndarray, "mic"]:
        """How far from its own row of the list each was found."""
        away: np.ndarray = np.linalg.norm(self.solution.layout.positions - self.listed.positions, axis=1)
        return away

    @property
    def is_shape(self) -> bool:
        """Most positions were found, so that little holds them but each other."""
        return bool(np.isinf(self.freedom.positions).mean() > MOST)

    @property
    def reach(self) -> float:
        """The largest difference of two arrivals, as a share of the distance of the two: of the median pair.

        Someone who walks among microphones passes near the line through most pairs; an array far too large is never crossed.
        """
        path_m, positions = self.arrivals.path_m, self.solution.layout.positions
        first, second = np.triu_indices(len(positions), 1)
        apart_m = np.linalg.norm(positions[first] - positions[second], axis=1)
        largest_m = np.abs(np.nan_to_num(path_m[:, first] - path_m[:, second])).max(axis=0)
        return float(np.median(largest_m / np.maximum(apart_m, SPOT_M)))

    @property
    def misfit(self) -> float:
        """What an arrival costs on average: half of log(1 + e² / sigma²)."""
        return self.solution.cost / max(int(np.isfinite(self.arrivals.path_m).sum()), 1)


def summarize(outcome: Outcome, *, room: Room | None, has_free_clocks: bool) -> Calibration:
    """The solution in words and in a corrected list."""
    solution, microphones = outcome.solution, outcome.microphones
    is_relative = int(microphones.is_known.sum()) < FEWEST_FIXED
    repairs = _with_images(_apart(_swaps(_repairs(outcome), microphones)), outcome)
    stand, stand_for = (None, None) if is_relative else _advice(outcome, room)
    is_sure = np.sum(np.abs(solution.residual_m) < AGREES_M, axis=1) > FEWEST_AGREEING
    return Calibration(
        microphones=_corrected(microphones, repairs),
        repairs=repairs,
        sources=solution.layout.sources[is_sure],
        times_s=outcome.arrivals.times_s[is_sure],
        speed_m_s=outcome.speed_m_s * solution.layout.kappa,
        speed_sigma_m_s=outcome.speed_m_s * solution.covariance.kappa,
        is_relative=is_relative,
        is_doubtful=outcome.is_shape and (outcome.misfit > DOUBTFUL or outcome.reach < STRETCHED),
        has_free_clocks=has_free_clocks,
        stand_m=stand,
        stand_for=stand_for,
    )


def _repairs(outcome: Outcome) -> tuple[MicrophoneFinding, ...]:
    before = np.abs(bundle.misfit(outcome.arrivals, outcome.as_listed))
    return tuple(_repair(m, outcome, before[:, m]) for m in range(len(outcome.microphones)))


def _repair(m: int, outcome: Outcome, before: Float[np.ndarray, "moment"]) -> MicrophoneFinding:
    layout, covariance = outcome.solution.layout, outcome.solution.covariance
    is_known, after = bool(outcome.microphones.is_known[m]), np.abs(outcome.solution.residual_m[:, m])
    is_heard = bool(np.isfinite(after).any())
    return MicrophoneFinding(
        name=outcome.microphones.names[m],
        finding=_finding(m, outcome),
        position_m=layout.positions[m],
        covariance_m2=covariance.positions[m],
        moved_m=float(np.linalg.norm(layout.positions[m] - outcome.as_listed.positions[m])) if is_known else None,
        offset_s=float(layout.offset_m[m] / outcome.speed_m_s),
        offset_sigma_s=float(covariance.offset_m[m] / outcome.speed_m_s),
        drift_ppm=float(1e6 * layout.drift_m_s[m] / outcome.speed_m_s),
        drift_sigma_ppm=float(1e6 * covariance.drift_m_s[m] / outcome.speed_m_s),
        before_m=float(np.nanmedian(before)) if is_heard and is_known else None,
        after_m=float(np.nanmedian(after)) if is_heard else None,
        other=outcome.microphones.names[outcome.order[m]] if outcome.order[m] != m else None,
    )


def _finding(m: int, outcome: Outcome) -> FindingKind:
    """What was free to move is what is wrong, as long as it then explains most of what was heard."""
    off = np.abs(outcome.solution.residual_m[:, m])
    off, freedom = off[np.isfinite(off)], outcome.freedom
    if not len(off):
        return "unheard"
    if np.mean(off < AGREES_M) < AGREEING_SHARE:
        return "unsure"
    if not outcome.microphones.is_known[m]:
        return "placed"
    if outcome.order[m] != m:
        return "swapped"
    if np.isinf(freedom.positions[m]) or outcome.moved_m[m] > GOOD_M:
        return "late and misplaced" if freedom.offset_m[m] > 0 else "misplaced"
    if freedom.drift_m_s[m] > 0:
        return "drifting"
    return "late" if freedom.offset_m[m] > 0 else "good"


def _swaps(repairs: tuple[MicrophoneFinding, ...], microphones: Microphones) -> tuple[MicrophoneFinding, ...]:
    """Microphones that stand where the list has each other: their channels, or their rows of the list, are exchanged."""
    found = list(repairs)
    is_elsewhere = [m for m, repair in enumerate(repairs) if repair.finding == "misplaced"]
    for m in is_elsewhere:
        gaps = np.linalg.norm(microphones.border_positions() - repairs[m].position_m, axis=1)
        other = int(np.nanargmin(gaps))
        if other != m and gaps[other] < SWAP_M and other in is_elsewhere:
            found[m] = replace(repairs[m], finding="swapped", other=microphones.names[other])
    return tuple(found)


def _apart(repairs: tuple[MicrophoneFinding, ...]) -> tuple[MicrophoneFinding, ...]:
    """No two microphones stand on one spot: of two that do, one with a place of its own finding is not sure."""
    found = list(repairs)
    for m, repair in enumerate(repairs):
        others = [other for k, other in enumerate(found) if k != m and other.finding != "unsure"]
        gaps = [float(np.linalg.norm(other.position_m - repair.position_m)) for other in others]
        if repair.finding in ("placed", "misplaced", "late and misplaced") and min(gaps, default=1.0) < SPOT_M:
            found[m] = replace(repair, finding="unsure")
    return tuple(found)


def _with_images(repairs: tuple[MicrophoneFinding, ...], outcome: Outcome) -> tuple[MicrophoneFinding, ...]:
    """A place that may be a mirror image is as unsure as the two of them are apart."""
    return tuple(
        _with_image(repair, outcome.images[m]) if m in outcome.images and repair.finding != "unsure" else repair
        for m, repair in enumerate(repairs)
    )


def _with_image(repair: MicrophoneFinding, image: Image) -> MicrophoneFinding:
    way_m, odds = image.position_m - repair.position_m, image.probability
    covariance_m2 = repair.covariance_m2 + odds * np.outer(way_m, way_m)
    return replace(repair, image_m=image.position_m, covariance_m2=covariance_m2)


def _corrected(microphones: Microphones, repairs: tuple[MicrophoneFinding, ...]) -> Microphones:
    """The list with what was found; a microphone that was not heard, or is not sure, keeps what the list says."""
    is_sure = np.array([repair.finding not in ("unheard", "unsure") for repair in repairs])
    places = np.array([repair.position_m for repair in repairs])
    sigma = np.array([float(np.sqrt(max(np.trace(repair.covariance_m2), 0.0) / 3)) for repair in repairs])
    return replace(
        microphones,
        positions=np.where(is_sure[:, None], places, microphones.border_positions()),
        sigma_m=np.where(is_sure, sigma, microphones.sigma_m),
        offset_s=np.where(is_sure, [repair.offset_s for repair in repairs], microphones.offset_s),
        drift_ppm=np.where(is_sure, [repair.drift_ppm for repair in repairs], microphones.drift_ppm),
    )


def _advice(outcome: Outcome, room: Room | None) -> tuple[Float[np.ndarray, "3"] | None, str | None]:
    """Where one more sound would tell the most of the least sure microphone; nowhere, where all are sure enough."""
    layout, sigma_m = outcome.solution.layout, outcome.solution.covariance.sigma_m
    worst = int(sigma_m.argmax())
    if sigma_m[worst] < SURE_M:
        return None, None
    places = _standing(layout, room)
    worth = [bundle.with_moment(outcome.arrivals, layout, outcome.freedom, place)[worst] for place in places]
    return places[int(np.argmin(worth))], outcome.microphones.names[worst]


def _standing(layout: Layout, room: Room | None) -> Float[np.ndarray, "place 3"]:
    """A grid of places to stand at."""
    everything = np.concatenate([layout.positions, layout.sources])
    low, high = np.array(room) if room else (everything.min(axis=0), everything.max(axis=0))
    x, y = (np.arange(a + GRID_M, b, GRID_M) for a, b in zip(low[:2], high[:2], strict=True))
    height = min(low[2] + STANDING_M, high[2])
    everywhere = np.array([(a, b, height) for a in x for b in y] or [(low + high) / 2])
    return everywhere[:: -(-len(everywhere) // MOST_PLACES)]
