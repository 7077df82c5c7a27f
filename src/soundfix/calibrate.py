"""Where microphones stand and how their clocks run, from a recording of a sound that moves.

Arrivals of every moment (hearing.py) -> where the sources were, by the microphones that agree -> what is wrong with the
others, the simplest of explanations that fits -> bundle adjustment of all that is in doubt (bundle.py). Twice: the second
time with better sources. With too few microphones of known position the shape is found first (shape.py), with no
clock to trust the offsets are. What is made of the solution is in repairs.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from soundfix import bundle
from soundfix.bundle import Arrivals, Freedom, Layout, Solution, adjust
from soundfix.errors import SceneError
from soundfix.explanations import Explanation, Heard, explained
from soundfix.first_guess import aligned, around, drawn, sources_from
from soundfix.hearing import Hearing
from soundfix.mirrors import righted
from soundfix.repairs import FEWEST_FIXED, Calibration, Outcome, told
from soundfix.scene import Microphones, Room, search_box
from soundfix.shape import refined, shapes, upright

FEWEST_KNOWN = 5  # positions that a wrong one does not outvote
FEWEST_MOMENTS = 8
USUAL_DRIFT = 100e-6  # standard deviation of clocks that run freely
SPEED_SHARE = 0.03  # standard deviation of the speed of sound
FREE_CLOCKS_SPEED_SHARE = 0.005  # the same where all clocks run freely: it would take the offsets with it
ROUNDS = 2
CLOCK_STARTS, OFFSET_M = 8, 1.0  # of free clocks, and how far each is from the first guess
START_SCALES, END_SCALES = (100.0, 30.0, 10.0), (10.0, 3.0, 1.0)
AGREED = 0.5  # share of the others that an arrival agrees with
MOST = 0.5  # of the microphones: moments that fewer hear say little of a shape
MISSED = 2.5  # half squared standard errors that a missing arrival counts for: as one 10 cm off does
OWN_WALLS_M = 0.3
CONVINCING = 0.3  # cost of an arrival: shapes that are right have less, nearly always (EXPERIMENTS.md)


def calibrate(
    hearing: Hearing,
    microphones: Microphones,
    *,
    room: Room | None = None,
    clocks: Literal["common", "free"] = "common",
    seed: int = 0,
) -> Calibration:
    """Solve for what the list does not know, or has wrong.

    clocks: one for all microphones, or each its own (offsets and
    drifts unknown). Raises SceneError on too few moments.
    """
    if len(hearing.arrivals.path_m) < FEWEST_MOMENTS:
        raise SceneError(
            f"{len(hearing.arrivals.path_m)} moments at which enough microphones hear the same, wanted {FEWEST_MOMENTS} or "
            "more: is there sound, does it move through the room, do the recordings begin together (`soundfix check` says)?"
        )
    rng, arrivals, speed_m_s = np.random.default_rng(seed), hearing.agreed(AGREED), hearing.speed_m_s
    hearing = hearing.at(np.isfinite(arrivals.path_m).any(axis=1))
    arrivals = hearing.agreed(AGREED)
    listed = _listed(microphones, arrivals, speed_m_s)
    if microphones.is_known.sum() < FEWEST_KNOWN:
        solved, doubts = _from_shape(hearing, listed, microphones, rng)
    elif clocks == "free":
        solved, doubts = _from_free_clocks(arrivals, listed, microphones, room, rng)
    else:
        solved, doubts = _from_majority(arrivals, listed, microphones, room, rng)
    is_anywhere = room is None or microphones.is_known.sum() < FEWEST_FIXED
    box = around(solved.layout.positions) if is_anywhere else _box(microphones, room)
    if hearing.curves is not None and clocks == "common" and microphones.is_known.sum() >= FEWEST_KNOWN:
        solved, doubts, arrivals = _heard_by_trusted(hearing, solved, doubts, listed, microphones, box, rng)
    if hearing.curves is not None:
        solved, arrivals = _heard_again(hearing, solved, doubts, listed, microphones, box, rng)
    return told(
        Outcome(
            solution=solved,
            freedom=_freedom(doubts, microphones),
            arrivals=arrivals,
            listed=_filled(listed),
            microphones=microphones,
            speed_m_s=speed_m_s,
        ),
        room=room,
        has_free_clocks=clocks == "free",
    )


def _listed(microphones: Microphones, arrivals: Arrivals, speed_m_s: float) -> Layout:
    """What the list says; NaN rows for unknown positions."""
    return Layout(
        positions=microphones.border_positions(),
        offset_m=microphones.offset_s * speed_m_s,
        drift_m_s=1e-6 * microphones.drift_ppm * speed_m_s,
        sources=np.zeros((len(arrivals.path_m), 3)),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Doubts:
    """Of each microphone: is its position, its offset, its drift in doubt?"""

    place: Bool[np.ndarray, "mic"]
    offset: Bool[np.ndarray, "mic"]
    drift: Bool[np.ndarray, "mic"]


def _from_majority(
    arrivals: Arrivals, listed: Layout, microphones: Microphones, room: Room | None, rng: np.random.Generator
) -> tuple[Solution, _Doubts]:
    """Sources by those that agree, then the others by the sources."""
    box, layout = _box(microphones, room), listed
    layout = replace(layout, sources=sources_from(arrivals, layout, box, rng))
    layout = _sources_settled(arrivals, layout, microphones.is_known)
    for _ in range(ROUNDS):
        doubts, layout = _doubted(arrivals, listed, layout, microphones, box, rng)
        start = _filled(layout)
        solution = adjust(arrivals, _filled(listed), _freedom(doubts, microphones), start=start, scales=END_SCALES)
        layout = solution.layout
    return solution, doubts


def _from_free_clocks(
    arrivals: Arrivals, listed: Layout, microphones: Microphones, room: Room | None, rng: np.random.Generator
) -> tuple[Solution, _Doubts]:
    """Offsets that are right on average over the room, then everything at once.

    Over a track all through the room the mean distance from a microphone is about that of the whole room.
    """
    box, known = _box(microphones, room), microphones.is_known
    anywhere = drawn(box, 1000, rng)
    typical = np.linalg.norm(anywhere[:, None] - listed.positions, axis=-1).mean(axis=0)
    offset_m = bundle.medians(arrivals.path_m.T) - np.nan_to_num(typical, nan=float(np.nanmean(typical)))
    runs_free = np.arange(len(known)) != np.flatnonzero(known)[0]  # the first one's clock is the time
    offset_m -= offset_m[~runs_free]
    doubts = _Doubts(place=~known, offset=runs_free, drift=runs_free)
    steady = replace(_freedom(replace(doubts, drift=np.zeros_like(known)), microphones), kappa=0.0)
    found = []
    for _ in range(CLOCK_STARTS):
        layout = replace(_filled(listed), offset_m=offset_m + OFFSET_M * rng.standard_normal(len(known)) * runs_free)
        for scales in (START_SCALES[:2], START_SCALES[1:], END_SCALES):
            layout = replace(layout, sources=sources_from(arrivals, layout, box, rng))
            solution = adjust(arrivals, _filled(listed), steady, start=layout, scales=scales)
            layout = solution.layout
        found.append(solution)
    best = min(found, key=lambda solution: solution.cost).layout
    return adjust(arrivals, _filled(listed), _freedom(doubts, microphones), start=best, scales=END_SCALES), doubts


def _from_shape(
    hearing: Hearing, listed: Layout, microphones: Microphones, rng: np.random.Generator
) -> tuple[Solution, _Doubts]:
    """The array's shape from moments that most microphones hear; onto the positions that are known, where three are."""
    known, arrivals = microphones.is_known, hearing.agreed(AGREED)
    found = shapes(hearing.at(np.isfinite(arrivals.path_m).mean(axis=1) > MOST).agreed(AGREED), rng)
    layout = _best(found, hearing, rng).layout
    if known.sum() < FEWEST_FIXED:
        free = np.ones_like(known)
        doubts = _Doubts(place=free, offset=~free, drift=~free)
        freedom = replace(_freedom(doubts, microphones), kappa=0.0)  # a smaller array in slower air hears the same
        return adjust(arrivals, upright(layout), freedom, scales=END_SCALES), doubts
    doubts = _Doubts(place=~known, offset=np.zeros_like(known), drift=np.zeros_like(known))
    onto = aligned(layout, listed.positions)
    return adjust(arrivals, _with(onto, listed, known), _freedom(doubts, microphones), scales=END_SCALES), doubts


def _best(found: Iterator[Solution], hearing: Hearing, rng: np.random.Generator) -> Solution:
    """The one that fits all moments best, or the first that fits well."""
    tried: list[Solution] = []
    for solution in found:
        tried.append(_on_all(solution.layout, hearing, rng))
        if tried[-1].cost < CONVINCING * np.isfinite(tried[-1].residual_m).sum():
            break
    return min(tried, key=lambda solution: solution.cost)


def _on_all(layout: Layout, hearing: Hearing, rng: np.random.Generator) -> Solution:
    """This shape with all moments, heard again as it expects them. An arrival that it does not find costs, too."""
    arrivals, box = hearing.agreed(AGREED), around(layout.positions)
    if hearing.curves is None:
        return refined(replace(layout, sources=sources_from(arrivals, layout, box, rng)), arrivals, rng)
    everyone = np.isfinite(arrivals.path_m).any(axis=0)
    again, there = hearing.again(layout, everyone, box, rng)
    solution = refined(there, again, rng)
    return replace(solution, cost=solution.cost + MISSED * float(np.isnan(again.path_m).sum()))


def _heard_by_trusted(
    hearing: Hearing, solved: Solution, doubts: _Doubts, listed: Layout, microphones: Microphones, box: np.ndarray,
    rng: np.random.Generator,
) -> tuple[Solution, _Doubts, Arrivals]:  # fmt: skip
    """Once more with arrivals that those without a doubt expect, and the others' anywhere: doubts may go, or come."""
    trusted = microphones.is_known & ~(doubts.place | doubts.offset)
    if trusted.sum() < FEWEST_KNOWN:
        return solved, doubts, hearing.agreed(AGREED)
    arrivals, layout = hearing.again(replace(listed, kappa=solved.layout.kappa), trusted, box, rng)
    doubts, layout = _doubted(arrivals, listed, layout, microphones, box, rng)
    freedom = _freedom(doubts, microphones)
    return adjust(arrivals, _filled(listed), freedom, start=_filled(layout), scales=END_SCALES), doubts, arrivals


def _heard_again(
    hearing: Hearing, solved: Solution, doubts: _Doubts, listed: Layout, microphones: Microphones, box: np.ndarray,
    rng: np.random.Generator,
) -> tuple[Solution, Arrivals]:  # fmt: skip
    """With arrivals that the whole solution expects, and nobody where a mirror image fits better."""
    freedom = _freedom(doubts, microphones)
    if microphones.is_known.sum() < FEWEST_KNOWN:
        freedom = replace(freedom, kappa=0.0)
    for _ in range(ROUNDS):
        everyone = np.isfinite(hearing.arrivals.path_m).any(axis=0)
        arrivals, layout = hearing.again(solved.layout, everyone, box, rng)
        centre = layout if microphones.is_known.sum() < FEWEST_KNOWN else _filled(listed)
        solved = adjust(arrivals, centre, freedom, start=layout, scales=END_SCALES[1:])
        solved = righted(arrivals, centre, freedom, solved)
    return solved, arrivals


def _with(layout: Layout, listed: Layout, known: Bool[np.ndarray, "mic"]) -> Layout:
    return replace(layout, positions=np.where(known[:, None], listed.positions, layout.positions))


def _box(microphones: Microphones, room: Room | None) -> Float[np.ndarray, "2 3"]:
    """Where sources and microphones are looked for: the room, a little beyond its walls."""
    box = search_box(microphones, room)
    return box + np.array([[-OWN_WALLS_M], [OWN_WALLS_M]])


def _filled(layout: Layout) -> Layout:
    """Unknown positions anywhere: in the middle."""
    is_known = np.isfinite(layout.positions).all(axis=1)
    middle = layout.positions[is_known].mean(axis=0) if is_known.any() else np.zeros(3)
    return replace(layout, positions=np.where(np.isnan(layout.positions), middle, layout.positions))


def _sources_settled(arrivals: Arrivals, layout: Layout, is_known: Bool[np.ndarray, "mic"]) -> Layout:
    """Sources, and the speed of sound, downhill; with the known microphones where the list has them."""
    only = replace(arrivals, path_m=np.where(is_known, arrivals.path_m, np.nan))
    still = np.zeros(len(is_known))
    fixed = Freedom(positions=still, offset_m=still, drift_m_s=still, kappa=SPEED_SHARE)
    found = adjust(only, _filled(layout), fixed, scales=END_SCALES).layout
    return replace(layout, sources=found.sources, kappa=found.kappa)


def _freedom(doubts: _Doubts, microphones: Microphones) -> Freedom:
    """What is in doubt is free; listed positions are as good as the list says; so is the speed of sound, nearly."""
    return Freedom(
        positions=np.where(doubts.place, np.inf, microphones.sigma_m),
        offset_m=np.where(doubts.offset, np.inf, 0.0),
        drift_m_s=np.where(doubts.drift, USUAL_DRIFT * 343.0, 0.0),
        kappa=FREE_CLOCKS_SPEED_SHARE if doubts.offset.mean() > MOST else SPEED_SHARE,
    )


def _doubted(
    arrivals: Arrivals,
    listed: Layout,
    layout: Layout,
    microphones: Microphones,
    box: np.ndarray,
    rng: np.random.Generator,
) -> tuple[_Doubts, Layout]:
    """The simplest explanation of every microphone's arrivals, given the sources; and the layout that it makes."""
    known = microphones.is_known
    current = replace(listed, sources=layout.sources, kappa=layout.kappa)
    sounded = _sounded(arrivals, _filled(layout), known)
    doubts = _Doubts(place=np.zeros_like(known), offset=np.zeros_like(known), drift=np.zeros_like(known))
    positions, offset, drift = listed.positions.copy(), listed.offset_m.copy(), listed.drift_m_s.copy()
    for m in np.flatnonzero(np.isfinite(arrivals.path_m).any(axis=0)):
        heard = Heard(
            range_m=current.kappa * arrivals.path_m[:, m] - sounded, places=current.sources, times_s=arrivals.times_s
        )
        as_listed = Explanation(position_m=positions[m], offset_m=float(offset[m]), drift_m_s=float(drift[m]))
        best = explained(heard, as_listed, box, rng)
        positions[m], offset[m], drift[m] = best.position_m, best.offset_m, best.drift_m_s
        doubts.place[m], doubts.offset[m], doubts.drift[m] = best.is_elsewhere, best.is_late, best.drifts
    return doubts, replace(current, positions=positions, offset_m=offset, drift_m_s=drift)


def _sounded(arrivals: Arrivals, layout: Layout, known: Bool[np.ndarray, "mic"]) -> Float[np.ndarray, "moment"]:
    """b of every moment, by the median microphone."""
    ranges = np.linalg.norm(layout.sources[:, None] - layout.positions, axis=-1)
    off = layout.kappa * arrivals.path_m - ranges - layout.late_m(arrivals.times_s)
    return bundle.medians(np.where(known, off, np.nan))
