"""From sound to an answer: health -> evidence -> modes -> consensus -> verdict. Every classical method takes this way.

What a method brings is two functions: how to correlate pairs of microphones, and how to find the places where the
evidence peaks. Everything that makes the answer honest is the same for all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix.estimate import AMBIGUITIES, Estimate, Finding, MicrophoneReport, Source, Verdict
from soundfix.localization.consensus import Consensus
from soundfix.localization.evidence import Evidence
from soundfix.localization.health import Health, examine, is_tone
from soundfix.localization.microphone_status import drowned, report_microphones, report_unbelieved, report_unused
from soundfix.localization.modes import Find, find_modes
from soundfix.localization.motion import followed
from soundfix.localization.pairs import choose_pairs, weighted
from soundfix.localization.search import fewest_microphones, search
from soundfix.localization.sources import (
    DETECTED,
    THEORY,
    UNSURE,
    detection,
    doubt,
    least_expected_error,
    place_sources,
)
from soundfix.localization.subwindows import Window
from soundfix.scene import Scene

Correlate = Callable[[Float[np.ndarray, "mic time"], Scene, Int[np.ndarray, "pair 2"]], Evidence]
Place = Callable[[Scene, Consensus, Float[np.ndarray, "2 3"]], tuple[tuple[Source, ...], tuple[Finding, ...]]]


def estimate_window(
    scene: Scene,
    *,
    method: str,
    correlate: Correlate,
    find: Find = find_modes,
    place: Place = place_sources,
    leaves_out: bool = True,
    follows: bool = True,
) -> Estimate:
    """The estimate for one window, by the method's way to correlate, to find modes and to make sources of them.

    leaves_out: whether microphones that contradict the rest are left out; a method may have its own way with them.
    follows: whether who moves is looked for in the middle of the window; places that are no peaks of the evidence stay.
    """
    health = examine(scene)
    is_used = health.is_heard & scene.microphones.is_known & scene.is_trusted
    if not health.is_heard.any():
        return _abstain(scene, health, method, Finding("no_signal", "no microphone hears anything"))
    if is_used.sum() < fewest_microphones(scene):
        return _abstain(scene, health, method, _too_few(scene, is_used))
    if is_tone(health):
        return _abstain(scene, health, method, Finding("narrow_band", "a single tone fits in very many places"))

    pairs, pair_findings = choose_pairs(health.is_heard)
    if pair_findings:  # too many to listen to those as well that are not located with
        pairs, _ = choose_pairs(is_used)
    evidence = weighted(correlate(health.audio, scene, pairs), health.weight)
    box, consensus, outside = search(scene, evidence, is_used, find, leaves_out)
    is_noise = drowned(health, consensus) & is_used
    if is_noise.any() and (is_used & ~is_noise).sum() > fewest_microphones(scene):
        health, is_used = health.without(is_noise), is_used & ~is_noise
        box, consensus, outside = search(scene, evidence.among(~is_noise), is_used, find, leaves_out)
    if not consensus.modes:
        return _abstain(scene, health, method, Finding("no_fix", "too few pairs agree on any place"))

    sources, place_findings = place(scene, consensus, box)
    guess_m, unsure = np.array([source.position_m for source in sources]), doubt(consensus)
    if unsure > UNSURE:
        guess_m = least_expected_error(consensus)[None]
    if detection(consensus) < DETECTED:
        nothing = Finding("no_signal", "the microphones hear nothing in common")
        return _abstain(scene, health, method, nothing, guess_m, consensus)
    if unsure > UNSURE:
        nowhere = Finding("no_fix", f"more likely than not ({unsure:.0%}) the source is at none of the best places")
        return _abstain(scene, health, method, nowhere, guess_m, consensus)
    if 2 * consensus.is_named.sum() >= is_used.sum():
        accused, heard = int(consensus.is_named.sum()), int(is_used.sum())
        return _abstain(scene, health, method, _no_majority(accused, heard), guess_m, consensus)

    motion_findings: tuple[Finding, ...] = ()
    if follows:
        sources, motion_findings = followed(_window(scene, health, consensus, box), sources)
    is_certain = all(finding.code != "several_places" for finding in place_findings)
    reports, microphone_findings = report_microphones(
        scene, health, consensus, source=sources[0], is_certain=is_certain
    )
    findings = (*health.findings, *microphone_findings, *outside, *place_findings, *motion_findings, *pair_findings)
    return _estimate(scene, method, findings, sources, reports)


def _window(scene: Scene, health: Health, consensus: Consensus, box: Float[np.ndarray, "2 3"]) -> Window:
    """What those that were kept heard, of right polarity."""
    audio = np.where(consensus.is_inverted[:, None], -health.audio, health.audio)
    pairs = consensus.evidence.among(consensus.is_kept).pairs
    return Window(scene=scene, audio=audio, pairs=pairs, box=box)


def _too_few(scene: Scene, is_used: Bool[np.ndarray, "mic"]) -> Finding:
    wanted = fewest_microphones(scene)
    return Finding(
        "too_few_microphones",
        f"{is_used.sum()} usable microphones of known position, but {wanted} are needed: "
        f"{wanted - 1} coordinates and the time of the sound are unknown",
    )


def _no_majority(accused: int, heard: int) -> Finding:
    return Finding(
        "inconsistent",
        f"{accused} of {heard} microphones contradict the rest, and a minority cannot outvote them: "
        "are the positions in metres, and does each channel belong to its row?",
    )


def _abstain(
    scene: Scene, health: Health, method: str, why: Finding, guess_m: Float[np.ndarray, "place 3"] | None = None,
    consensus: Consensus | None = None,
) -> Estimate:  # fmt: skip
    """guess_m, consensus: what it does not believe in."""
    reports = report_unbelieved(scene, health, consensus) if consensus else report_unused(scene, health)
    silent = _estimate(scene, method, (*health.findings, why), (), reports)
    return replace(silent, guess_m=guess_m)


def _estimate(
    scene: Scene,
    method: str,
    findings: Sequence[Finding],
    sources: tuple[Source, ...],
    reports: tuple[MicrophoneReport, ...],
) -> Estimate:
    return Estimate(
        method=method,
        start_s=scene.start_s,
        end_s=scene.start_s + scene.duration_s,
        verdict=_verdict(findings, sources),
        findings=tuple(findings),
        sources=sources,
        regions=THEORY if sources else None,
        microphones=reports,
    )


def _verdict(findings: Sequence[Finding], sources: tuple[Source, ...]) -> Verdict:
    if not sources:
        return "abstain"
    if any(finding.code in AMBIGUITIES for finding in findings):
        return "ambiguous"
    return "degraded" if any(finding.degrades for finding in findings) else "ok"
