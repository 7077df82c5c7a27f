"""What a calibration found: a finding for every microphone, the corrected list, and where to stand next.

The adjusted layout (bundle.py) and what it was free to move say what is wrong with each microphone; what stays unsure
stays as it was listed.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from soundfix.calibration import bundle
from soundfix.calibration.bundle import Layout
from soundfix.calibration.doubts import reasons
from soundfix.calibration.mirrors import Image
from soundfix.calibration.outcome import FEWEST_FIXED, SPOT_M, Outcome
from soundfix.microphones import Microphones
from soundfix.scene import Room

FindingKind = Literal[
    "good", "placed", "misplaced", "late", "drifting", "late and misplaced", "swapped", "unheard", "unsure",
    "on time", "elsewhere",
]  # fmt: skip

GOOD_M = 0.1  # from where the list has it: what is further is misplaced
SWAP_M = 0.3  # a place this near to another's is that one
SURE_M = 0.1  # a standard error beyond this wants more motion
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
    and mirrored. doubts: in words, why none of this may be so; none where all is as it would be of a right layout.
    unit: in which the list fits, and was taken to be.
    tells_clocks_only: positions stay as listed, of recorders in the field (field.py); reference: whose clock the others are
    told by there, where all run freely.
    stand: where to make a sound next, and for which microphone, where one is not sure enough.
    """

    microphones: Microphones
    repairs: tuple[MicrophoneFinding, ...]
    sources: Float[np.ndarray, "moment 3"]
    times_s: Float[np.ndarray, "moment"]
    speed_m_s: float
    speed_sigma_m_s: float
    is_relative: bool
    doubts: tuple[str, ...]
    unit: str
    has_free_clocks: bool
    stand_m: Float[np.ndarray, "3"] | None
    stand_for: str | None
    tells_clocks_only: bool = False
    reference: str | None = None

    @property
    def is_doubtful(self) -> bool:
        return bool(self.doubts)


def summarize(outcome: Outcome, *, room: Room | None) -> Calibration:
    """The solution in words and in a corrected list."""
    solution, microphones = outcome.solution, outcome.microphones
    is_relative = int(microphones.is_known.sum()) < FEWEST_FIXED
    repairs = _with_images(_apart(_swaps(_repairs(outcome), microphones)), outcome)
    stand, stand_for = (None, None) if is_relative else _advice(outcome, room)
    is_sure, doubts = outcome.is_placed, reasons(outcome, room)
    repairs = _doubted(repairs) if doubts else repairs
    return Calibration(
        microphones=_corrected(microphones, repairs, is_doubtful=bool(doubts)),
        repairs=repairs,
        sources=solution.layout.sources[is_sure],
        times_s=outcome.arrivals.times_s[is_sure],
        speed_m_s=outcome.speed_m_s * solution.layout.kappa,
        speed_sigma_m_s=outcome.speed_m_s * solution.covariance.kappa,
        is_relative=is_relative,
        doubts=doubts,
        unit=outcome.unit,
        has_free_clocks=outcome.has_free_clocks,
        stand_m=stand,
        stand_for=stand_for,
    )


def _doubted(repairs: tuple[MicrophoneFinding, ...]) -> tuple[MicrophoneFinding, ...]:
    """Of a solution that may be wrong nobody is said to be good."""
    return tuple(replace(each, finding="unsure") if each.finding == "good" else each for each in repairs)


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
    freedom = outcome.freedom
    if not outcome.is_heard[m]:
        return "unheard"
    if not outcome.is_explained[m]:
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
        is_taken = any(np.linalg.norm(other.position_m - repair.position_m) < SPOT_M for other in others)
        if repair.finding in ("placed", "misplaced", "late and misplaced") and is_taken:
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


def _corrected(microphones: Microphones, repairs: tuple[MicrophoneFinding, ...], *, is_doubtful: bool) -> Microphones:
    """The list with what was found; a microphone that was not heard, or is not sure, keeps what the list says.

    In doubt the list may be right instead: the standard error reaches there.
    """
    is_sure = np.array([repair.finding not in ("unheard", "unsure") for repair in repairs])
    places = np.array([repair.position_m for repair in repairs])
    sigma = np.array([float(np.sqrt(max(np.trace(repair.covariance_m2), 0.0) / 3)) for repair in repairs])
    if is_doubtful:
        sigma = np.maximum(sigma, [repair.moved_m or 0.0 for repair in repairs])
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
