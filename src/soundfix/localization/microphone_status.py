"""What the answer says of every microphone: its status, its weight, its pull, and why."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from soundfix.estimate import Finding, MicrophoneReport, Profile, Shell, Source, Status
from soundfix.localization.consensus import Consensus
from soundfix.localization.health import Health
from soundfix.localization.range_shell import shell
from soundfix.microphones import Microphones
from soundfix.scene import Scene
from soundfix.search_region import told_place

LATE_M = 1.5  # a pull beyond this is a clock, not a wrong position
HEARD = 4.5  # standard deviations: a profile that peaks higher has a place for this microphone, if another one
LOUD = 3.0  # times the median level: a microphone this loud that hears nothing in common is noisy
CLEAR_M = 1.0  # a 90 % interval narrower than this is a distance
LITTLE = 0.5  # of what the median microphone hears: of 30 dB of noise of its own less is left
SENTENCES: dict[Status, str] = {
    "inverted": "has its polarity reversed; corrected",
    "noisy": "is loud, and has little or nothing in common with the others; left out",
    "late": "hears the source {pull:+.2f} m too late: its clock, rather than its position; left out",
    "misplaced": "hears the source {pull:+.2f} m off: its position or its clock is wrong; left out",
    "excluded": "contradicts the others and no delay makes it fit; left out",
}


def report_microphones(
    scene: Scene, health: Health, consensus: Consensus, *, source: Source, is_certain: bool
) -> tuple[tuple[MicrophoneReport, ...], tuple[Finding, ...]]:
    """A report on every microphone, and the findings of the consensus (those of health are in Health).

    source: the first. is_certain: whether its place is; where it is not, nobody is accused on its account.
    """
    shells = _shells(scene, health, consensus, source.covariance_m2)
    consensus = consensus if is_certain else replace(consensus, is_named=np.zeros_like(consensus.is_named))
    reports = tuple(_report(m, scene.microphones, health, consensus) for m in range(len(scene.microphones)))
    reports = tuple(with_shell(report, found) for report, found in zip(reports, shells, strict=True))
    return reports, tuple(finding for report in reports for finding in _finding(report))


def drowned(health: Health, consensus: Consensus) -> Bool[np.ndarray, "mic"]:
    """Microphones that are loud and hear little of what the others hear: noise of their own, whoever they agree with."""
    heard = np.array([max(p.at_zero, p.elsewhere) if p else np.inf for p in consensus.profiles])
    usual = [p.at_zero for p, kept in zip(consensus.profiles, consensus.is_kept, strict=True) if p and kept]
    if not usual:
        return np.zeros(len(heard), dtype=bool)
    is_loud = health.level > LOUD * np.median(health.level[health.is_heard])
    return is_loud & (heard < LITTLE * np.median(usual))


def report_unused(scene: Scene, health: Health) -> tuple[MicrophoneReport, ...]:
    """The reports of an answer that uses no microphone."""
    microphones = scene.microphones
    return tuple(
        MicrophoneReport(
            name=microphones.names[m],
            status=_status_before(m, microphones, health),
            weight=0.0,
            position_m=microphones.positions[m] if microphones.is_known[m] else None,
        )
        for m in range(len(microphones))
    )


def report_directed(
    scene: Scene,
    health: Health,
    *,
    is_used: Bool[np.ndarray, "mic"],
    is_kept: Bool[np.ndarray, "mic"],
    is_inverted: Bool[np.ndarray, "mic"],
) -> tuple[tuple[MicrophoneReport, ...], tuple[Finding, ...]]:
    """The reports of an answer that is but a direction: who was heard, turned, or left out for having nothing in common."""
    reports = list(report_unused(scene, health))
    for m, report in enumerate(reports):
        status: Status = "inverted" if is_inverted[m] else report.status
        if is_used[m] and not is_kept[m]:
            status = "excluded"
        reports[m] = replace(report, status=status, weight=float(health.weight[m] * is_kept[m]))
    return tuple(reports), tuple(finding for report in reports for finding in _finding(report))


def report_unbelieved(scene: Scene, health: Health, consensus: Consensus) -> tuple[MicrophoneReport, ...]:
    """The reports of an abstention: where microphones of unknown position would be, were the source at one of the modes."""
    odds = sum(mode.probability or 0.0 for mode in consensus.modes) or 1.0
    modes = [replace(mode, probability=mode.probability and mode.probability / odds) for mode in consensus.modes]
    shells = _shells(scene, health, replace(consensus, modes=modes), np.zeros((3, 3)))
    return tuple(
        replace(report, guess=found) for report, found in zip(report_unused(scene, health), shells, strict=True)
    )


def _report(m: int, microphones: Microphones, health: Health, consensus: Consensus) -> MicrophoneReport:
    profile = consensus.profiles[m] if microphones.is_known[m] and health.is_heard[m] else None
    return MicrophoneReport(
        name=microphones.names[m],
        status=_status(m, microphones, health, consensus),
        weight=float(health.weight[m] * consensus.is_kept[m]),
        position_m=microphones.positions[m] if microphones.is_known[m] else None,
        pull_m=profile.pull_m if profile else None,
        profile=profile,
        residual_m=profile.residual_m if profile and consensus.is_kept[m] else None,
    )


def radius_only(report: MicrophoneReport) -> str:
    """What is known of where a microphone of unknown position stands."""
    if report.shell is None:
        return "not even its distance from the source: anywhere in the room"
    nearest_m, furthest_m = report.shell.radius90_m
    if report.range_m is None:
        return f"{nearest_m:.1f} to {furthest_m:.1f} m from the source: radius only, and hardly that"
    half_cm = 100 * max(report.range_m - nearest_m, furthest_m - report.range_m)
    on = f"on a sphere of {report.range_m:.2f} m ± {half_cm:.0f} cm round the source"
    return f"{on}: radius only, one window knows no more"


def _status_before(m: int, microphones: Microphones, health: Health) -> Status:
    """The status by its own signal alone."""
    if health.status[m] == "ok" and not microphones.is_known[m]:
        return "unknown-position"
    return health.status[m]


def _status(m: int, microphones: Microphones, health: Health, consensus: Consensus) -> Status:
    before = _status_before(m, microphones, health)
    if before not in ("ok", "clipped"):
        return before
    profile = consensus.profiles[m]
    if consensus.is_named[m] and profile is not None:
        usual = float(np.median(health.level[health.is_heard]))
        return accusation(profile, is_loud=bool(health.level[m] > LOUD * usual))
    return "inverted" if consensus.is_inverted[m] else before


def accusation(profile: Profile, *, is_loud: bool) -> Status:
    """The kind of fault. In one window a late clock and a wrong position look alike; only far too late is a clock."""
    if profile.elsewhere < HEARD:
        return "noisy" if is_loud else "excluded"
    return "late" if profile.pull_m > LATE_M else "misplaced"


def _finding(report: MicrophoneReport) -> list[Finding]:
    if report.status == "unknown-position":
        sentence = f"{report.name}: position unknown; {radius_only(report)}"
        return [Finding(f"radius_only:{report.name}", sentence, degrades=False)]
    if report.status not in SENTENCES:
        return []
    sentence = SENTENCES[report.status].format(pull=report.pull_m or 0.0)
    return [Finding(f"{report.status}:{report.name}", f"{report.name}: {sentence}")]


def _shells(
    scene: Scene, health: Health, consensus: Consensus, covariance_m2: Float[np.ndarray, "3 3"]
) -> list[Shell | None]:
    """Of every microphone that is heard and whose position is unknown."""
    is_sought = health.is_heard & ~scene.microphones.is_known
    box, positions = _stands_in(scene), scene.microphones.positions
    consensus = consensus if told_place(scene.search) is None else _without_doubt(consensus)
    return [shell(m, positions, consensus, covariance_m2, box) if is_sought[m] else None for m in range(len(positions))]


def _without_doubt(consensus: Consensus) -> Consensus:
    """The best place alone: who tells where the source is knows that it is there."""
    return replace(consensus, modes=[replace(mode, probability=1.0) for mode in consensus.modes[:1]])


def _stands_in(scene: Scene) -> Float[np.ndarray, "2 3"]:
    """Where a microphone may stand: where sources are sought, and beyond that in the room, or round the others."""
    if scene.search is None:
        return scene.search_box()
    boxes = np.stack([scene.search_box(), replace(scene, search=None).search_box()])
    return np.stack([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])


def with_shell(report: MicrophoneReport, found: Shell | None) -> MicrophoneReport:
    """The report with what is known of a microphone of unknown position; its distance where that is clear."""
    if found is None:
        return report
    nearest_m, furthest_m = found.radius90_m
    return replace(report, shell=found, range_m=found.radius_m if furthest_m - nearest_m < CLEAR_M else None)
