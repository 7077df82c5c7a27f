"""From sound to an answer, box by box. Every method takes this way.

    prepare   who can be heard, who is located with, which pairs          (preparation.py; or an abstention)
    hear      the evidence of every pair                                  (the method's: boxes.py)
    agree     who contradicts the rest; where those that are kept agree   (search.py, consensus.py)
    place     sources and regions                                         (the method's; sources.py)
              or, where the array is compact for that, a direction        (compact.py)
    believe   is there anything to hear, and is it there?                 (belief.py; or an abstention)
    follow    does it move?                                               (motion.py)
    report    what the answer says of every microphone                    (microphone_status.py)

What a method brings is how to hear, where to find and how to place. Everything that makes the answer honest is the same for
all of them.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from soundfix.estimate import AMBIGUITIES, Direction, Estimate, Finding, MicrophoneReport, Source, Verdict
from soundfix.localization.abstention import Abstention
from soundfix.localization.arrival_fit import air_of
from soundfix.localization.bearing import SAID, bearing
from soundfix.localization.belief import believe
from soundfix.localization.boxes import Boxes, Placed
from soundfix.localization.compact import Directed, is_far_for, locate_direction, tells_directions_only
from soundfix.localization.directions import CONES
from soundfix.localization.microphone_status import report_microphones, report_unbelieved, report_unused
from soundfix.localization.motion import Ways, followed, one_of_ways
from soundfix.localization.own_frame import own_frame
from soundfix.localization.pairs import weighted
from soundfix.localization.preparation import Prepared, prepare
from soundfix.localization.search import Agreement, agree_somewhere
from soundfix.localization.sources import THEORY
from soundfix.localization.subwindows import Window
from soundfix.resample import resampled, working_rate
from soundfix.scene import Scene, is_within
from soundfix.threads import one_thread


class Answer(NamedTuple):
    """The estimate, and what the method heard on the way (None where it was not asked)."""

    estimate: Estimate
    heard: Any


def estimate_window(scene: Scene, boxes: Boxes, *, method: str) -> Answer:
    """The answer for one window, heard as recordings are, in a frame of the array's own where nothing else has axes."""
    scene = at_working_rate(scene)
    frame = None if boxes.knows_axes else own_frame(scene)
    with one_thread():
        if frame is None:
            return _answer(scene, boxes, method)
        answer = _answer(frame.scene(scene), boxes, method)
    return answer._replace(estimate=frame.estimate(answer.estimate, scene))


def at_working_rate(scene: Scene) -> Scene:
    """The window at the rate that recordings are heard at."""
    rate = working_rate(scene.sample_rate, scene.band_hz)
    if rate == scene.sample_rate:
        return scene
    at_rate = partial(resampled, rate_hz=scene.sample_rate, wanted_hz=rate)
    others = scene.others and replace(scene.others, audio=at_rate(scene.others.audio))
    return replace(scene, audio=at_rate(scene.audio), sample_rate=rate, others=others)


def _answer(scene: Scene, boxes: Boxes, method: str) -> Answer:
    heard = None
    try:
        prepared = prepare(scene)
        if tells_directions_only(prepared):
            return Answer(_directed(prepared, locate_direction(prepared), method), None)
        heard = boxes.hear(prepared)
        evidence = weighted(heard.evidence, prepared.health.weight)
        prepared, agreement = agree_somewhere(prepared, evidence, boxes, heard)
        placed = boxes.place(heard, prepared, agreement.consensus, agreement.box)
        believe(prepared, agreement.consensus, placed.sources)
        if is_far_for(prepared, placed.sources):
            return Answer(_directed(prepared, locate_direction(prepared), method), heard)
    except Abstention as nothing:
        return Answer(_abstaining(scene, nothing, method), heard)
    follows = boxes.follows and not agreement.consensus.evidence.errors_hide_waves
    ways = ways_of(prepared, agreement)
    moved = follow(ways, placed) if follows else Placed(placed.sources, ())
    consensus = one_of_ways(agreement.consensus, placed.sources, moved.sources)
    is_moving = any(finding.code == "moves" for finding in moved.findings)
    if is_moving or consensus is not agreement.consensus:  # peaks that do not meet are not the list's fault
        agreement = agreement._replace(consensus=replace(consensus, is_moving=is_moving))
        placed = boxes.place(heard, prepared, agreement.consensus, agreement.box)
        moved = follow(ways, placed)
    return Answer(report(prepared, agreement, placed, moved, method=method), heard)


def follow(ways: Ways, placed: Placed) -> Placed:
    """The sources where they were in the middle of the window."""
    return Placed(*followed(ways, placed.sources))


def ways_of(prepared: Prepared, agreement: Agreement) -> Ways:
    """Where what was heard may have moved, by what those that were kept heard, of right polarity."""
    consensus = agreement.consensus
    audio = np.where(consensus.is_inverted[:, None], -prepared.audio, prepared.audio)
    pairs = consensus.evidence.among(consensus.is_kept).pairs
    return Ways(window=Window(scene=prepared.scene, audio=audio, pairs=pairs, box=agreement.box))


def report(prepared: Prepared, agreement: Agreement, placed: Placed, moved: Placed, *, method: str) -> Estimate:
    """All that was found."""
    scene, health = prepared.scene, prepared.health
    is_certain = all(finding.code != "several_places" for finding in placed.findings)
    reports, said = report_microphones(
        scene, health, agreement.consensus, source=moved.sources[0], is_certain=is_certain
    )
    findings = (
        *health.findings,
        *said,
        *agreement.findings,
        *placed.findings,
        *moved.findings,
        *prepared.findings,
    )
    estimate = _estimate(scene, method, findings, moved.sources, reports)
    fix = agreement.consensus.modes[0].fix
    if fix is not None:
        estimate = replace(estimate, air=air_of(fix, scene.speed))
    found = _bearing(scene, agreement, moved.sources[0])
    if found is None:
        return estimate
    return replace(estimate.with_findings(SAID), verdict="direction only", direction=found)


def _bearing(scene: Scene, agreement: Agreement, source: Source) -> Direction | None:
    """Where nobody told how far a source may be, and the array does not: of what was fitted to arrivals, or lies beyond the
    box round the microphones."""
    if scene.search is not None:
        return None
    fix, kept = agreement.consensus.modes[0].fix, scene.microphones.positions[agreement.consensus.is_kept]
    if fix is not None:
        return bearing(fix.position_m, fix.covariance_m2, kept, agreement.box)
    if scene.room is not None or is_within(source.position_m, scene.search_box()):
        return None
    return bearing(source.position_m, source.covariance_m2, kept, agreement.box)


def _directed(prepared: Prepared, found: Directed, method: str) -> Estimate:
    findings = (*prepared.health.findings, *found.findings, *prepared.findings)
    return _estimate(prepared.scene, method, findings, found.sources, found.microphones, direction=found.direction)


def _abstaining(scene: Scene, nothing: Abstention, method: str) -> Estimate:
    health, consensus = nothing.health, nothing.consensus
    reports = report_unbelieved(scene, health, consensus) if consensus else report_unused(scene, health)
    silent = _estimate(scene, method, (*health.findings, nothing.why), (), reports)
    return replace(silent, guess_m=nothing.guess_m)


def _estimate(
    scene: Scene,
    method: str,
    findings: Sequence[Finding],
    sources: tuple[Source, ...],
    reports: tuple[MicrophoneReport, ...],
    direction: Direction | None = None,
) -> Estimate:
    return Estimate(
        method=method,
        start_s=scene.start_s,
        end_s=scene.start_s + scene.duration_s,
        verdict="direction only" if direction else _verdict(findings, sources),
        findings=tuple(findings),
        sources=sources,
        regions=(CONES if direction else THEORY) if sources else None,
        microphones=reports,
        direction=direction,
    )


def _verdict(findings: Sequence[Finding], sources: tuple[Source, ...]) -> Verdict:
    if not sources:
        return "abstain"
    if any(finding.code in AMBIGUITIES for finding in findings):
        return "ambiguous"
    return "degraded" if any(finding.degrades for finding in findings) else "ok"
