"""From sound to an answer: health -> evidence -> modes -> consensus -> verdict. Every classical method takes this way.

What a method brings is two functions: how to correlate pairs of microphones, and how to find the places where the
evidence peaks. Everything that makes the answer honest is the same for all of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from soundfix import physics
from soundfix.consensus import Consensus, agree
from soundfix.evidence import Evidence
from soundfix.health import Health, examine, is_tone
from soundfix.localizer import Estimate, Finding, MicrophoneReport, Source, Verdict
from soundfix.motion import followed
from soundfix.pieces import Window
from soundfix.refine import Mode, find_modes
from soundfix.report import drowned, report_microphones, report_unbelieved, report_unused
from soundfix.scene import Scene, free_axes, is_within
from soundfix.verdict import (
    AMBIGUITIES,
    DETECTED,
    THEORY,
    UNSURE,
    detection,
    doubt,
    least_expected_error,
    place_sources,
)

Correlate = Callable[[Float[np.ndarray, "mic time"], Scene, Int[np.ndarray, "pair 2"]], Evidence]
Find = Callable[[Evidence, Float[np.ndarray, "mic 3"], Float[np.ndarray, "2 3"]], list[Mode]]
Place = Callable[[Scene, Consensus, Float[np.ndarray, "2 3"]], tuple[tuple[Source, ...], tuple[Finding, ...]]]

FAR = 2.0  # times the box round the microphones, on every side
LEAST_SPARE = (
    1  # microphones more than are needed to name one at fault, from which on a place beyond the box is believed
)
NEAR_BORDER = 0.1  # of the side of the box: a place this near may stand for one beyond
MOST_PAIRS = 600  # beyond this pairs say the same thing again


def answer(
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
    box, consensus, outside = _agree_somewhere(scene, evidence, is_used, find, leaves_out)
    is_noise = drowned(health, consensus) & is_used
    if is_noise.any() and (is_used & ~is_noise).sum() > fewest_microphones(scene):
        health, is_used = health.without(is_noise), is_used & ~is_noise
        box, consensus, outside = _agree_somewhere(scene, evidence.among(~is_noise), is_used, find, leaves_out)
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


def _agree_somewhere(
    scene: Scene, evidence: Evidence, is_used: Bool[np.ndarray, "mic"], find: Find, leaves_out: bool
) -> tuple[Float[np.ndarray, "2 3"], Consensus, tuple[Finding, ...]]:
    """The consensus in the box; or where somebody contradicts it, but nobody at all one beyond it, that."""
    positions, fewest_left = scene.microphones.positions, fewest_microphones(scene) + 1

    def agree_in(box: Float[np.ndarray, "2 3"], leaves_out: bool) -> Consensus:
        fewest = fewest_left if leaves_out else len(positions)
        return agree(evidence, lambda kept: find(kept, positions, box), scene.microphones, is_used, fewest_left=fewest)

    box = scene.search_box()
    inside = agree_in(box, leaves_out)
    if _is_agreed(inside) or not free_axes(box).all():
        return box, inside, ()
    if is_used.sum() <= fewest_left + LEAST_SPARE:
        return box, inside, ()  # with so few all together fit somewhere far away by chance
    for wider in _wider_boxes(scene, box, inside):
        outside = agree_in(wider, False)
        if _is_agreed(outside) and _is_better(outside, inside) and not _is_within(outside.modes[0].position, box):
            return wider, outside, _outside(scene)
    return box, inside, ()


def _window(scene: Scene, health: Health, consensus: Consensus, box: Float[np.ndarray, "2 3"]) -> Window:
    """What those that were kept heard, of right polarity."""
    audio = np.where(consensus.is_inverted[:, None], -health.audio, health.audio)
    pairs = consensus.evidence.among(consensus.is_kept).pairs
    return Window(scene=scene, audio=audio, pairs=pairs, box=box)


def _is_agreed(consensus: Consensus) -> bool:
    return bool(consensus.modes) and not consensus.is_contradicted and not consensus.is_named.any()


def _is_better(outside: Consensus, inside: Consensus) -> bool:
    """Whether all pairs together stand out of chance as far as those that were kept inside do for theirs."""
    return not inside.modes or detection(outside) >= detection(inside)


def _is_within(place: Float[np.ndarray, "3"], box: Float[np.ndarray, "2 3"], margin: float = 0.0) -> bool:
    """Whether it is in the box, and this share of its sides from the border."""
    inset = margin * (box[1] - box[0])
    return bool(is_within(place, np.stack([box[0] + inset, box[1] - inset])))


def _wider_boxes(scene: Scene, box: Float[np.ndarray, "2 3"], inside: Consensus) -> Iterator[Float[np.ndarray, "2 3"]]:
    """Round the microphones as if no room were given; and where a sound from afar makes several or the border suspect, far
    beyond, where it has little but a direction."""
    beyond = replace(scene, room=None).search_box()
    if scene.room is not None:
        yield np.stack([np.minimum(box[0], beyond[0]), np.maximum(box[1], beyond[1])])
    is_single = inside.modes and not inside.is_contradicted and inside.is_named.sum() == 1
    if is_single and _is_within(inside.modes[0].position, box, NEAR_BORDER):
        return
    far_m = FAR * float((beyond[1] - beyond[0]).max())
    yield np.stack([beyond[0] - far_m, beyond[1] + far_m])


def _outside(scene: Scene) -> tuple[Finding, ...]:
    """Without a room it is outside nothing."""
    sentence = "the microphones agree on a place outside the room"
    return () if scene.room is None else (Finding("outside_room", sentence),)


def fewest_microphones(scene: Scene) -> int:
    """Every unknown coordinate and the time of the sound need one microphone: 4 in a room, 3 at a known height."""
    if not scene.microphones.is_known.any():
        return 4
    return int(free_axes(scene.search_box()).sum()) + 1


def choose_pairs(is_heard: Bool[np.ndarray, "mic"]) -> tuple[Int[np.ndarray, "pair 2"], tuple[Finding, ...]]:
    """All pairs of the heard microphones, or where these are too many, as many partners for each, spread evenly."""
    mics = np.flatnonzero(is_heard)
    pairs = mics[physics.pair_indices(len(mics))]
    if len(pairs) <= MOST_PAIRS:
        return pairs, ()
    strides = np.unique(np.linspace(1, (len(mics) - 1) // 2, MOST_PAIRS // len(mics) or 1).astype(int))
    first = np.arange(len(mics))
    ring = np.concatenate([np.stack([first, (first + stride) % len(mics)], axis=1) for stride in strides])
    chosen = mics[np.unique(np.sort(ring, axis=1), axis=0)]
    sentence = f"{len(chosen)} of {len(pairs)} pairs were used: more say nothing new"
    return chosen, (Finding("pairs_subsampled", sentence, degrades=False),)


def weighted(evidence: Evidence, weight: Float[np.ndarray, "mic"]) -> Evidence:
    """Curves scaled by how usable both signals are."""
    share = weight[evidence.pairs].prod(axis=1).astype(evidence.values.dtype)
    return evidence if (share == 1).all() else replace(evidence, values=evidence.values * share[:, None])


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
        reasons=tuple(finding.code for finding in findings),
        notes=tuple(finding.sentence for finding in findings),
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
