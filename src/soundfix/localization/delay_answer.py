"""From the delays of one sound to an Estimate: where it was, which delays are wrong, and whether that is sure.

Where all microphones lie in a plane and no height is told, the source is taken to be in that plane unless a place beside it
explains the delays clearly better; then its mirror image does too.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from soundfix import physics
from soundfix.delays import Delays
from soundfix.estimate import Estimate, Finding, Source, Verdict
from soundfix.events import SoundEvent
from soundfix.localization.delay_equations import Equations
from soundfix.localization.delay_fit import Fit, fit
from soundfix.localization.delay_reports import report_delays, report_unheard, wrong_pairs
from soundfix.localization.sources import BORDER_M, LIKELY, THEORY, long_axis
from soundfix.microphones import Microphones
from soundfix.physics import REGION_90
from soundfix.scene import free_axes, is_within, search_box
from soundfix.search_region import OPEN, SearchRegion, is_known

METHOD = "delays"
USUAL_S, USUAL_SHARE = (
    0.6e-3,
    0.01,
)  # standard errors where none is told: of a delay, or of the array's width if that is less
TOLD, UNTOLD = 0.3, 1.2  # how sure standard errors are: one standard deviation of their logarithm
DOUBT = 2.3  # log of the odds of 10 to 1: less is not clear
MOST_LISTED = 8
FEWEST_NAMED = (
    2  # delays of a microphone that have to be wrong, more than are right, before it is named and not the pairs
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Surroundings:
    """What all sounds have in common: microphones, where sources may be, the speed of sound (m/s), and the standard error of
    the wind along each axis, as a share of that."""

    microphones: Microphones
    search: SearchRegion | None
    speed_m_s: float
    wind_share: float = 0.0


def locate_delays(delays: Delays, around: Surroundings, rng: np.random.Generator) -> Estimate:
    """The answer to the delays of one sound. Never raises: what cannot be answered is an `abstain`."""
    heard = _of_known(delays, around.microphones).as_arrivals()
    is_heard = np.asarray(heard.incidence(len(around.microphones)).any(axis=0))
    box = search_box(around.microphones, None, around.search)
    unknowns = int(free_axes(box).sum()) + (heard.second is None)
    fewest = int(free_axes(box).sum()) + 1
    if is_heard.sum() < fewest or len(heard) < unknowns:
        return _abstention(delays, around, _too_few(int(is_heard.sum()), fewest))
    fits = _fits(_equations(heard, around, box, is_heard), rng)
    possible = [
        each for each in (_pulled(each, around.search) for each in fits) if _may_be(each.position, around.search)
    ]
    refusal = _unbelieved(possible[0], unknowns) if possible else _outside(fits[0])
    if refusal is None:
        return _answer(heard, possible, around, box)
    if around.search is not None:
        refusal = _elsewhere(heard, around, is_heard, rng) or refusal
    return _abstention(delays, around, refusal)


def _elsewhere(
    heard: Delays, around: Surroundings, is_heard: Bool[np.ndarray, "mic"], rng: np.random.Generator
) -> Finding | None:
    """Where delays that agree on no place in the region agree on one outside, at the same height if that is known."""
    assert around.search is not None
    bounds = np.where(is_known(around.search.bounds), around.search.bounds, OPEN)
    anywhere = replace(around, search=SearchRegion(bounds=bounds))
    box = search_box(anywhere.microphones, None, anywhere.search)
    best = _fits(_equations(heard, anywhere, box, is_heard), rng)[0]
    unknowns = int(free_axes(box).sum()) + (heard.second is None)
    if _unbelieved(best, unknowns) or _may_be(best.position, around.search):
        return None
    return _outside(best)


def _answer(heard: Delays, fits: list[Fit], around: Surroundings, box: Float[np.ndarray, "2 3"]) -> Estimate:
    best, incidence = fits[0], heard.incidence(len(around.microphones))
    listed = [best, *(each for each in fits[1:] if each.probability > LIKELY)][:MOST_LISTED]
    reports, accused = report_delays(best, incidence, around.microphones)
    findings = [
        *_ambiguity(listed, around.microphones.positions[incidence.any(axis=0)]),
        *accused,
        *wrong_pairs(best, heard, reports, around.speed_m_s),
        *_integrity(best, int(free_axes(box).sum()) + (heard.second is None)),
        *_border(best.position, around.search, box),
        *long_axis(best.covariance),
    ]
    is_degraded = any(finding.degrades for finding in findings)
    verdict: Verdict = "ambiguous" if len(listed) > 1 else "degraded" if is_degraded else "ok"
    made_s = best.moment_m / around.speed_m_s
    return Estimate(
        method=METHOD,
        event=SoundEvent(start_s=made_s, end_s=made_s, label=heard.label),
        start_s=made_s,
        end_s=made_s,
        verdict=verdict,
        findings=tuple(findings),
        sources=tuple(map(_source, listed)),
        regions=THEORY,
        microphones=reports,
    )


def _of_known(delays: Delays, microphones: Microphones) -> Delays:
    """Those of microphones of known position, with what clocks are late taken out."""
    late_s = delays.incidence(len(microphones)) @ microphones.offset_s
    is_known = microphones.is_known[delays.first]
    if delays.second is not None:
        is_known = is_known & microphones.is_known[delays.second]
    return replace(
        delays,
        first=delays.first[is_known],
        second=None if delays.second is None else delays.second[is_known],
        delay_s=(delays.delay_s - late_s)[is_known],
        sigma_s=delays.sigma_s[is_known],
    )


def _equations(
    heard: Delays, around: Surroundings, box: Float[np.ndarray, "2 3"], is_heard: Bool[np.ndarray, "mic"]
) -> Equations:
    """A coordinate that is known is no axis; where nothing is told, a source may be an array's width away, or far more.
    Standard errors of positions add to those of delays."""
    incidence, is_free = heard.incidence(len(around.microphones))[:, is_heard], free_axes(box)
    microphones, is_told = around.microphones.where(is_heard), heard.sigma_s > 0
    width_m = float(np.ptp(microphones.positions, axis=0).max())
    bounds = OPEN if around.search is None else around.search.bounds
    is_open = np.asarray(~np.isfinite(bounds).all(axis=0))
    wind_m = around.wind_share * incidence @ (microphones.positions - microphones.positions.mean(axis=0))
    usual_m = min(USUAL_S * around.speed_m_s, USUAL_SHARE * width_m)
    sigma_m = np.where(is_told, heard.sigma_s * around.speed_m_s, usual_m)
    return Equations(
        incidence=incidence,
        path_m=heard.delay_s * around.speed_m_s,
        sigma_m=np.sqrt(sigma_m**2 + np.square(incidence) @ microphones.sigma_m**2 + np.square(wind_m).sum(axis=1)),
        wind_m=wind_m,
        doubt=TOLD if is_told.all() else UNTOLD,
        positions=microphones.positions,
        origin=np.where(is_free, 0.0, box[0]),
        axes=np.eye(3)[is_free],
        box=box,
        expected_m=np.maximum(np.where(is_open, width_m, (box[1] - box[0]) / 12**0.5), 1e-3),
        is_open=is_open,
    )


def _fits(equations: Equations, rng: np.random.Generator) -> list[Fit]:
    """In space, or, where that explains nothing more, in the plane of the microphones."""
    rank = physics.shape_rank(equations.positions)
    if rank == 3 or len(equations.axes) < 3:
        return fit(equations, rng)
    centre, axes = equations.positions.mean(axis=0), physics.shape(equations.positions)[1]
    flat = fit(replace(equations, origin=centre, axes=axes[:2]), rng)
    if rank == 1:
        return _with_twins(flat, equations)
    deep = fit(equations, rng) if len(equations.path_m) > equations.unknowns else flat
    if deep[0].support > flat[0].support + DOUBT:
        return _with_twins(deep, equations)
    return [_thick(each, equations) for each in flat]


def _thick(found: Fit, equations: Equations) -> Fit:
    """A place in the plane, which knows how little delays say of the height h over it: they change by h² / 2r only."""
    away_m = float(np.median(physics.distances(found.position, equations.positions)))
    relief_m2 = float(np.var((equations.positions - found.position) @ _normal(equations)))
    across = np.outer(_normal(equations), _normal(equations))
    return replace(found, covariance=found.covariance + (2 * away_m * found.sigma_m + relief_m2) * across)


def _normal(equations: Equations) -> Float[np.ndarray, "3"]:
    axes: np.ndarray = physics.shape(equations.positions)[1]
    return axes[2]


def _with_twins(fits: list[Fit], equations: Equations) -> list[Fit]:
    """The best, the places that no delay can tell from it, and what else is none of these."""
    best = fits[0]
    twins = [_reflected(best, twin) for twin in physics.twins(best.position, equations.positions)]
    near_m = BORDER_M + float(np.sqrt(np.trace(best.covariance)))
    others = [each for each in fits[1:] if all(np.linalg.norm(each.position - t.position) > near_m for t in twins)]
    return [best, *twins, *others]


def _reflected(found: Fit, twin: Float[np.ndarray, "3"]) -> Fit:
    """The same at its mirror image."""
    across = (twin - found.position) / max(float(np.linalg.norm(twin - found.position)), 1e-9)
    mirror = np.eye(3) - 2 * np.outer(across, across)
    return replace(found, position=twin, covariance=mirror @ found.covariance @ mirror)


def _pulled(found: Fit, search: SearchRegion | None) -> Fit:
    """A place outside the box that was told by less than it is uncertain is taken to its border, along what else changes."""
    if search is None:
        return found
    point, covariance = found.position.copy(), found.covariance
    for axis in range(3):
        excess = point[axis] - np.clip(point[axis], *search.bounds[:, axis])
        if abs(excess) > 0 and excess**2 < REGION_90 * covariance[axis, axis]:
            point -= covariance[:, axis] / covariance[axis, axis] * excess
    return replace(found, position=point)


def _may_be(point: Float[np.ndarray, "3"], search: SearchRegion | None) -> bool:
    if search is None:
        return True
    grown = search.bounds + np.array([[-BORDER_M], [BORDER_M]])
    return bool(is_within(point, grown) & search.may_hold(point, margin_m=BORDER_M))


def _source(found: Fit) -> Source:
    return Source(
        position_m=found.position,
        covariance_m2=found.covariance,
        radius90_m=physics.radius90(found.covariance),
        score=float(found.is_right.mean()),
    )


def _ambiguity(listed: list[Fit], kept: Float[np.ndarray, "mic 3"]) -> list[Finding]:
    if len(listed) == 1:
        return []
    rank = physics.shape_rank(kept)
    twins = physics.twins(listed[0].position, kept)
    if not len(twins) or physics.distances(listed[1].position, twins).min() > BORDER_M:
        return [Finding("several_places", f"{len(listed)} places explain the delays about equally well")]
    if rank == 1:
        return [Finding("collinear", "the microphones stand on a line: the source is somewhere on a circle round it")]
    return [Finding("mirror_twin", "the microphones lie in a plane: the source may as well be at its mirror image")]


def _integrity(best: Fit, fewest: int) -> list[Finding]:
    if len(best.is_right) > fewest:
        return []
    return [Finding("no_integrity_check", f"{fewest} microphones explain everything: a wrong delay would go unnoticed")]


def _border(point: Float[np.ndarray, "3"], search: SearchRegion | None, box: Float[np.ndarray, "2 3"]) -> list[Finding]:
    """At an end that was told; or, where none was, where delays tell little."""
    if search is not None and _is_at_edge(point, search):
        return [Finding("at_border", "the source lies at the border of the search region, and may lie outside")]
    if is_within(point, box + np.array([[-BORDER_M], [BORDER_M]])):
        return []
    return [Finding("at_border", "the source lies far outside the microphones, where they hardly tell how far")]


def _is_at_edge(point: Float[np.ndarray, "3"], search: SearchRegion) -> bool:
    is_open = ~is_known(search.bounds)
    gap = np.minimum(point - search.bounds[0], search.bounds[1] - point)
    return bool((gap[is_open] <= BORDER_M).any() or not search.may_hold(point, margin_m=-BORDER_M))


def _unbelieved(best: Fit, unknowns: int) -> Finding | None:
    """Where delays can be checked and agree no more than by chance, or cannot and do not all fit, there is no place."""
    count = len(best.is_right)
    is_believed = best.support > DOUBT if count > unknowns else best.agreeing == count
    if is_believed:
        return None
    sentence = f"{best.agreeing} of {count} delays agree on a place, as some do by chance: are they of one sound?"
    return Finding("no_fix", sentence)


def _too_few(heard: int, fewest: int) -> Finding:
    sentence = f"{heard} microphones of known position have delays, and a place needs {fewest}"
    return Finding("too_few_microphones", sentence)


def _outside(best: Fit) -> Finding:
    place = ", ".join(f"{x:.2f}" for x in best.position)
    return Finding("outside_search", f"the delays agree on ({place}) m, which is outside the search region")


def _abstention(delays: Delays, around: Surroundings, why: Finding) -> Estimate:
    reports = report_unheard(around.microphones)
    return Estimate(
        method=METHOD,
        event=SoundEvent(start_s=0.0, end_s=0.0, label=delays.label),
        start_s=0.0,
        end_s=0.0,
        verdict="abstain",
        findings=(why,),
        microphones=reports,
    )
