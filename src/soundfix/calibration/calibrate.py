"""Where microphones stand and how their clocks run, from a recording of a sound that moves.

Arrivals of every moment (observations.py) -> the unit of the list (list_units.py), and whose channel is whose
(exchanges.py) -> where the sources were, by the microphones that agree -> what is wrong with the others, the simplest of
explanations that fits -> bundle adjustment of all that is in doubt (bundle.py). Twice: the second time with better sources.
Listed positions are as good as the list says, or as what was heard lets them be (list_errors.py). With too few microphones
of known position the shape is found first (self_localization.py), with no clock to trust the offsets are. What is made of
the solution is in findings.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from soundfix.calibration import list_errors
from soundfix.calibration.bundle import Arrivals, Freedom, Layout, Solution, adjust
from soundfix.calibration.channel_orders import Order
from soundfix.calibration.findings import Calibration, summarize
from soundfix.calibration.hypotheses import FaultHypothesis, PullHistory, simplest_fit
from soundfix.calibration.initial_guess import around, box_of, procrustes, sample_box, sources_from
from soundfix.calibration.jackknife import with_streaks
from soundfix.calibration.list_units import METRES, in_metres, unit_and_order
from soundfix.calibration.mirrors import images, righted
from soundfix.calibration.observations import Observations
from soundfix.calibration.outcome import FEWEST_FIXED, FEWEST_KNOWN, Outcome
from soundfix.calibration.self_localization import refined, shapes, upright
from soundfix.errors import SceneError
from soundfix.microphones import Microphones
from soundfix.physics import NOMINAL_SPEED_M_S
from soundfix.robust import medians
from soundfix.scene import Room
from soundfix.threads import one_thread

FEWEST_MOMENTS = 8
USUAL_DRIFT = 100e-6  # standard deviation of clocks that run freely
SPEED_SHARE = 0.015  # standard deviation of the speed of sound: of air, 9 degrees
FREE_CLOCKS_SPEED_SHARE = 0.005  # the same where all clocks run freely: it would take the offsets with it
ROUNDS = 2
CLOCK_STARTS, OFFSET_M = 8, 1.0  # of free clocks, and how far each is from the first guess
START_SCALES, SETTLING_SCALES, END_SCALES = (100.0, 30.0, 10.0), (30.0, 10.0, 3.0), (10.0, 3.0, 1.0)
AGREED = 0.5  # share of the others that an arrival agrees with
MOST = 0.5  # of the microphones: moments that fewer hear say little of a shape
LESSONS, SETTLED_SHARE = 6, 0.1  # about how good the list is, until it changes by less
MISSED = 2.5  # half squared standard errors that a missing arrival counts for: as one 10 cm off does
CONVINCING = 0.3  # cost of an arrival: shapes that are right have less, nearly always (EXPERIMENTS.md)
Watch = Callable[[str], None]
Clocks = Literal["common", "free"]


def calibrate(
    hearing: Observations,
    microphones: Microphones,
    *,
    room: Room | None = None,
    clocks: Clocks = "common",
    seed: int = 0,
    watch: Watch = lambda step: None,
) -> Calibration:
    """Solve for what the list does not know, or has wrong.

    clocks: one for all microphones, or each its own (offsets and drifts unknown). watch is told what is done now.
    Raises SceneError on too few moments.
    """
    with one_thread():
        outcome = _solved(_case(hearing, microphones, room, clocks, seed, watch), clocks)
        return summarize(outcome, room=room)


def _solved(case: "_Case", clocks: Clocks) -> Outcome:
    """Who agrees, what is wrong with the others, all heard again with that; and how sure it is."""
    if not case.has_majority:
        solved, doubts = _from_shape(case)
    elif clocks == "free":
        solved, doubts = _from_free_clocks(case)
    else:
        solved, doubts, case = _from_majority(case)
    arrivals, case = case.arrivals, case.round_about(solved)
    solved, case = _taught(case, arrivals, solved, doubts)
    if case.hearing.curves is not None:
        if case.has_majority and clocks == "common":
            solved, doubts, arrivals = _heard_by_trusted(case, solved, doubts)
        solved, arrivals, case = _heard_again(case, solved, doubts)
    case.watch("how sure that is")
    centre, freedom = case.centre(solved.layout), _freedom(doubts, case)
    return Outcome(
        solution=with_streaks(arrivals, centre, freedom, solved),
        images=images(arrivals, centre, freedom, solved, case.walls) if case.has_majority else {},
        freedom=freedom,
        arrivals=arrivals,
        listed=centre,
        order=case.order,
        unit=case.unit,
        microphones=case.microphones,
        speed_m_s=case.hearing.speed_m_s,
        has_free_clocks=clocks == "free",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Case:
    """What is to be solved. listed: what the list says, NaN rows for unknown positions, every channel with its own row by
    order. tape_m: standard error of positions of which the list says none. box: where sources and microphones are looked
    for."""

    hearing: Observations
    microphones: Microphones
    listed: Layout
    order: Order
    unit: str
    tape_m: float
    box: Float[np.ndarray, "2 3"]
    is_anywhere: bool
    rng: np.random.Generator
    watch: Watch

    @property
    def known(self) -> Bool[np.ndarray, "mic"]:
        return self.microphones.is_known

    @property
    def sigma_m(self) -> Float[np.ndarray, "mic"]:
        """Of every channel's listed position."""
        told_m = self.microphones.sigma_m[self.order]
        return np.where(told_m > 0, told_m, self.tape_m)

    @property
    def has_majority(self) -> bool:
        """Enough known positions to outvote a wrong one."""
        return bool(self.known.sum() >= FEWEST_KNOWN)

    @property
    def arrivals(self) -> Arrivals:
        return self.hearing.agreed(AGREED)

    @property
    def walls(self) -> Float[np.ndarray, "2 3"] | None:
        """What no microphone is beyond, where that was told."""
        return None if self.is_anywhere else self.box

    def centre(self, layout: Layout) -> Layout:
        """What the list says, and unknown positions as in this layout."""
        return replace(self.listed, positions=self.with_known(layout).positions, sources=layout.sources)

    def with_known(self, layout: Layout) -> Layout:
        """The layout, with known positions where the list has them."""
        return replace(layout, positions=np.where(self.known[:, None], self.listed.positions, layout.positions))

    @property
    def is_taped(self) -> Bool[np.ndarray, "mic"]:
        """Whose position is listed, with no word of how exact it is."""
        return self.known & (self.microphones.sigma_m[self.order] == 0)

    def taught(self, solved: Solution, doubts: "_Doubts") -> "_Case":
        """The same; the list as good as this solution lets it be."""
        is_listed = self.is_taped & ~doubts.place
        if not self.has_majority or not is_listed.any():
            return self
        return replace(self, tape_m=list_errors.estimated(solved, self.listed.positions, self.tape_m, is_listed))

    def round_about(self, solved: Solution) -> "_Case":
        """The same; where nothing else says where things are, round the array that was found."""
        return replace(self, box=around(solved.layout.positions)) if self.is_anywhere else self


def _case(
    hearing: Observations, microphones: Microphones, room: Room | None, clocks: Clocks, seed: int, watch: Watch
) -> _Case:
    hearing = hearing.at(np.isfinite(hearing.agreed(AGREED).path_m).any(axis=1))
    if len(hearing.arrivals.path_m) < FEWEST_MOMENTS:
        raise SceneError(
            f"{len(hearing.arrivals.path_m)} moments at which enough microphones hear the same, wanted {FEWEST_MOMENTS} or "
            "more: is there sound, does it move through the room, do the recordings begin together (`soundfix check` says)?"
        )
    rng, order, unit = np.random.default_rng(seed), np.arange(len(microphones)), METRES
    if clocks == "common" and microphones.is_known.sum() >= FEWEST_KNOWN:
        watch("whose channel is whose")
        unit, order = unit_and_order(hearing.agreed(AGREED), microphones, room, rng)
        microphones = in_metres(microphones, unit)
    listed = Layout(
        positions=microphones.border_positions()[order],
        offset_m=microphones.offset_s * hearing.speed_m_s,
        drift_m_s=1e-6 * microphones.drift_ppm * hearing.speed_m_s,
        sources=np.zeros((len(hearing.arrivals.path_m), 3)),
    )
    return _Case(
        hearing=hearing,
        microphones=microphones,
        listed=listed,
        order=order,
        unit=unit,
        tape_m=list_errors.TAPE_M,
        box=box_of(microphones, room),
        is_anywhere=bool(room is None or microphones.is_known.sum() < FEWEST_FIXED),
        rng=rng,
        watch=watch,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Doubts:
    """Of each microphone: is its position, its offset, its drift in doubt?"""

    place: Bool[np.ndarray, "mic"]
    offset: Bool[np.ndarray, "mic"]
    drift: Bool[np.ndarray, "mic"]


def _from_majority(case: _Case) -> tuple[Solution, _Doubts, _Case]:
    """With a list that is exact nearly, and with one taped by hand: of the two the one that is less of a surprise."""
    tried = []
    for tape_m in (list_errors.DRAWN_M, list_errors.TAPE_M) if case.is_taped.any() else (case.tape_m,):
        so = replace(case, tape_m=tape_m)
        solved, doubts = _by_agreement(so)
        surprise = solved.cost + list_errors.surprise(_freedom(doubts, so), case.known)
        tried.append((surprise, solved, doubts, so))
    return min(tried, key=lambda each: each[0])[1:]


def _by_agreement(case: _Case) -> tuple[Solution, _Doubts]:
    """Sources by those that agree, then the others by the sources."""
    case.watch("who agrees")
    arrivals, layout = case.arrivals, case.listed
    layout = replace(layout, sources=sources_from(arrivals, layout, case.box, case.rng))
    layout = _sources_settled(arrivals, layout, case)
    for _ in range(ROUNDS):
        doubts, layout = _doubted(case, arrivals, layout)
        listed, freedom = _filled(case.listed), _freedom(doubts, case)
        solution = adjust(arrivals, listed, freedom, start=_filled(layout), scales=END_SCALES)
        solution = righted(arrivals, listed, freedom, solution, case.walls)
        layout = solution.layout
    return solution, doubts


def _from_free_clocks(case: _Case) -> tuple[Solution, _Doubts]:
    """Offsets that are right on average over the room, then everything at once.

    Over a track all through the room the mean distance from a microphone is about that of the whole room.
    """
    arrivals, listed, known = case.arrivals, case.listed, case.known
    anywhere = sample_box(case.box, 1000, case.rng)
    typical = np.linalg.norm(anywhere[:, None] - listed.positions, axis=-1).mean(axis=0)
    offset_m = medians(arrivals.path_m.T) - np.nan_to_num(typical, nan=float(np.nanmean(typical)))
    runs_free = np.arange(len(known)) != np.flatnonzero(known)[0]  # the first one's clock is the time
    offset_m -= offset_m[~runs_free]
    doubts = _Doubts(place=~known, offset=runs_free, drift=runs_free)
    steady = replace(_freedom(replace(doubts, drift=np.zeros_like(known)), case), kappa=0.0)
    found = []
    for k in range(CLOCK_STARTS):
        case.watch(f"clocks, start {k + 1} of {CLOCK_STARTS}")
        moved_m = OFFSET_M * case.rng.standard_normal(len(known)) * runs_free
        layout = replace(_filled(listed), offset_m=offset_m + moved_m)
        for scales in (START_SCALES[:2], START_SCALES[1:], END_SCALES):
            layout = replace(layout, sources=sources_from(arrivals, layout, case.box, case.rng))
            solution = adjust(arrivals, _filled(listed), steady, start=layout, scales=scales)
            layout = solution.layout
        found.append(solution)
    best = min(found, key=lambda solution: solution.cost).layout
    freedom = _freedom(doubts, case)
    return adjust(arrivals, _filled(listed), freedom, start=best, scales=END_SCALES), doubts


def _from_shape(case: _Case) -> tuple[Solution, _Doubts]:
    """The array's shape from moments that most microphones hear; onto the positions that are known, where three are."""
    hearing, known, arrivals = case.hearing, case.known, case.arrivals
    case.watch("the shape of the array")
    found = shapes(hearing.at(np.isfinite(arrivals.path_m).mean(axis=1) > MOST).agreed(AGREED), case.rng)
    layout = _best(found, case).layout
    if known.sum() < FEWEST_FIXED:
        free = np.ones_like(known)
        doubts = _Doubts(place=free, offset=~free, drift=~free)
        return adjust(arrivals, upright(layout), _freedom(doubts, case), scales=END_SCALES), doubts
    doubts = _Doubts(place=~known, offset=np.zeros_like(known), drift=np.zeros_like(known))
    onto = procrustes(layout, case.listed.positions)
    freedom = _freedom(doubts, case)
    return adjust(arrivals, case.with_known(onto), freedom, scales=END_SCALES), doubts


def _best(found: Iterator[Solution], case: _Case) -> Solution:
    """The one that fits all moments best, or the first that fits well."""
    tried: list[Solution] = []
    for solution in found:
        case.watch(f"shape {len(tried) + 1}, with all that was heard")
        tried.append(_on_all(solution.layout, case.hearing, case.rng))
        if tried[-1].cost < CONVINCING * np.isfinite(tried[-1].residual_m).sum():
            break
    return min(tried, key=lambda solution: solution.cost)


def _on_all(layout: Layout, hearing: Observations, rng: np.random.Generator) -> Solution:
    """This shape with all moments, heard again as it expects them. An arrival that it does not find costs, too."""
    arrivals, box = hearing.agreed(AGREED), around(layout.positions)
    if hearing.curves is None:
        return refined(replace(layout, sources=sources_from(arrivals, layout, box, rng)), arrivals, rng)
    everyone = np.isfinite(arrivals.path_m).any(axis=0)
    again, there = hearing.again(layout, everyone, box, rng)
    solution = refined(there, again, rng)
    return replace(solution, cost=solution.cost + MISSED * float(np.isnan(again.path_m).sum()))


def _heard_by_trusted(case: _Case, solved: Solution, doubts: _Doubts) -> tuple[Solution, _Doubts, Arrivals]:
    """Once more with arrivals that those without a doubt expect, and the others' anywhere: doubts may go, or come."""
    case.watch("hearing again, as those in no doubt expect")
    trusted = case.known & ~(doubts.place | doubts.offset)
    if trusted.sum() < FEWEST_KNOWN:
        return solved, doubts, case.arrivals
    arrivals, layout = case.hearing.again(solved.layout, trusted, case.box, case.rng)
    doubts, layout = _doubted(case, arrivals, layout)
    freedom = _freedom(doubts, case)
    solved = adjust(arrivals, _filled(case.listed), freedom, start=_filled(layout), scales=END_SCALES)
    return solved, doubts, arrivals


def _heard_again(case: _Case, solved: Solution, doubts: _Doubts) -> tuple[Solution, Arrivals, _Case]:
    """With arrivals that the whole solution expects, and nobody where a mirror image fits better."""
    everyone = np.isfinite(case.hearing.arrivals.path_m).any(axis=0)
    for k in range(ROUNDS):
        case.watch(f"hearing again, as all expect, {k + 1} of {ROUNDS}")
        arrivals, layout = case.hearing.again(solved.layout, everyone, case.box, case.rng)
        centre, freedom = case.centre(layout), _freedom(doubts, case)
        solved = adjust(arrivals, centre, freedom, start=layout, scales=END_SCALES[1:])
        if case.has_majority:  # else self_localization.py has mirrored
            solved = righted(arrivals, centre, freedom, solved, case.walls)
        solved, case = _taught(case, arrivals, solved, doubts)
    return solved, arrivals, case


def _taught(case: _Case, arrivals: Arrivals, solved: Solution, doubts: _Doubts) -> tuple[Solution, _Case]:
    """The solution with a list as good as it lets it be, in turn until that is settled."""
    for _ in range(LESSONS):
        before_m, case = case.tape_m, case.taught(solved, doubts)
        if abs(case.tape_m - before_m) <= SETTLED_SHARE * before_m:
            break
        centre, freedom = case.centre(solved.layout), _freedom(doubts, case)
        solved = adjust(arrivals, centre, freedom, start=solved.layout, scales=END_SCALES[2:])
    return solved, case


def _filled(layout: Layout) -> Layout:
    """Unknown positions anywhere: in the middle."""
    is_known = np.isfinite(layout.positions).all(axis=1)
    middle = layout.positions[is_known].mean(axis=0) if is_known.any() else np.zeros(3)
    return replace(layout, positions=np.where(np.isnan(layout.positions), middle, layout.positions))


def _sources_settled(arrivals: Arrivals, layout: Layout, case: _Case) -> Layout:
    """Sources, the speed of sound, and known positions as far as the list may be off, downhill."""
    only = replace(arrivals, path_m=np.where(case.known, arrivals.path_m, np.nan))
    nobody = np.zeros_like(case.known)
    free = _freedom(_Doubts(place=nobody, offset=nobody, drift=nobody), case)
    found = adjust(only, _filled(layout), free, scales=SETTLING_SCALES).layout
    positions = np.where(case.known[:, None], found.positions, layout.positions)
    return replace(found, positions=positions)


def _freedom(doubts: _Doubts, case: _Case) -> Freedom:
    """What is in doubt is free; listed positions are as good as the list says; so is the speed of sound, nearly: where most
    positions are sought it is held, for a smaller array in slower air hears the same."""
    share = FREE_CLOCKS_SPEED_SHARE if doubts.offset.mean() > MOST else SPEED_SHARE
    return Freedom(
        positions=np.where(doubts.place, np.inf, case.sigma_m),
        offset_m=np.where(doubts.offset, np.inf, 0.0),
        drift_m_s=np.where(doubts.drift, USUAL_DRIFT * NOMINAL_SPEED_M_S, 0.0),
        kappa=share if case.has_majority else 0.0,
    )


def _doubted(case: _Case, arrivals: Arrivals, layout: Layout) -> tuple[_Doubts, Layout]:
    """The simplest explanation of every microphone's arrivals, given the sources; and the layout that it makes."""
    known, listed = case.known, case.listed
    current = replace(listed, sources=layout.sources, kappa=layout.kappa)
    sounded = _sounded(arrivals, _filled(layout), known)
    doubts = _Doubts(place=np.zeros_like(known), offset=np.zeros_like(known), drift=np.zeros_like(known))
    positions, offset, drift = listed.positions.copy(), listed.offset_m.copy(), listed.drift_m_s.copy()
    for m in np.flatnonzero(np.isfinite(arrivals.path_m).any(axis=0)):
        heard = PullHistory(
            range_m=current.kappa * arrivals.path_m[:, m] - sounded, places=current.sources, times_s=arrivals.times_s
        )
        as_listed = FaultHypothesis(
            position_m=positions[m],
            sigma_m=float(case.sigma_m[m]),
            offset_m=float(offset[m]),
            drift_m_s=float(drift[m]),
        )
        best = simplest_fit(heard, as_listed, case.box, case.rng)
        positions[m], offset[m], drift[m] = best.position_m, best.offset_m, best.drift_m_s
        doubts.place[m], doubts.offset[m], doubts.drift[m] = best.is_elsewhere, best.is_late, best.drifts
    return doubts, replace(current, positions=positions, offset_m=offset, drift_m_s=drift)


def _sounded(arrivals: Arrivals, layout: Layout, known: Bool[np.ndarray, "mic"]) -> Float[np.ndarray, "moment"]:
    """b of every moment, by the median microphone."""
    ranges = np.linalg.norm(layout.sources[:, None] - layout.positions, axis=-1)
    off = layout.kappa * arrivals.path_m - ranges - layout.late_m(arrivals.times_s)
    return medians(np.where(known, off, np.nan))
