"""Answers in words, a line each: what the command line prints; and what the JSON file says of events and explanations."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from soundfix.calibration.hypotheses import FaultHypothesis
from soundfix.estimate import Direction, Estimate, MicrophoneReport, Source, Status
from soundfix.localization.known_layouts import remembered
from soundfix.localization.microphone_status import radius_only
from soundfix.physics import SPEED_OF_SOUND_M_S
from soundfix.session.microphone_history import Event

FLAT, WIDE_M = (
    0.5,
    0.5,
)  # of a region's radius, that wide at least: seen from above it is so much smaller where a height is not known
EXCHANGED_M = 0.5  # a place this near to another's is taken for it
CONTRADICTING: tuple[Status, ...] = ("late", "misplaced", "excluded")


def describe(estimate: Estimate) -> str:
    """One window: when, the verdict, what it is (of an event), the place or places with the radius of their 90 % region and
    their track, or the direction with its cone, and the reasons."""
    span = f"{_when(estimate)}  {estimate.verdict:9s}"
    between = " or " if estimate.verdict == "ambiguous" else " and "
    places = between.join(
        f"({', '.join(f'{coordinate:.2f}' for coordinate in source.position_m)}) m ±{_radius(source)}{_track(source)}"
        for source in estimate.sources
    )
    where = describe_direction(estimate.direction) if estimate.direction else places
    label = estimate.event.label if estimate.event and estimate.end_s > estimate.start_s else ""
    return "  ".join(part for part in (span, label, where, " ".join(estimate.reasons)) if part)


def _when(estimate: Estimate) -> str:
    """The span; of an event that has none, its name."""
    if estimate.event is not None and estimate.end_s <= estimate.start_s:
        return f"{estimate.event.label:>20s}"
    return f"{estimate.start_s:8.2f} -{estimate.end_s:8.2f} s"


def _radius(source: Source) -> str:
    """Of its region; where that is mostly its height, of the region seen from above as well."""
    if source.radius90_m < WIDE_M or source.across90_m > FLAT * source.radius90_m:
        return length(source.radius90_m)
    return f"{length(source.across90_m)} across, {length(source.radius90_m)} with its height"


def _track(source: Source) -> str:
    return "" if source.track is None else f", track {source.track}"


def length(metres: float) -> str:
    """In the unit that fits."""
    if metres < 1:
        return f"{100 * metres:.0f} cm"
    return f"{metres:.1f} m" if metres < 1000 else f"{metres / 1000:.1f} km"


def describe_direction(direction: Direction) -> str:
    """Azimuth and elevation, of both sides of a plane, half the cone's opening, and how far, where the room says."""
    azimuths, elevations = zip(*((each.azimuth_deg, each.elevation_deg) for each in direction.sides), strict=True)
    cone = f"±{max(each.cone90_deg for each in direction.sides):.0f}°"
    if max(azimuths) - min(azimuths) < 0.5:  # a level plane
        where = f"azimuth {azimuths[0]:.0f}°, elevation {' or '.join(f'{each:.0f}°' for each in elevations)}"
    else:
        pairs = zip(azimuths, elevations, strict=True)
        where = " or ".join(f"azimuth {azimuth:.0f}°, elevation {elevation:.0f}°" for azimuth, elevation in pairs)
    ranges = f", {direction.range_m[0]:.1f} to {direction.range_m[1]:.1f} m away" if direction.range_m else ""
    return f"{where} {cone}{ranges}"


def describe_microphones(
    reports: Iterable[MicrophoneReport],
    explanations: Mapping[str, FaultHypothesis] | None = None,
    speed_m_s: float = SPEED_OF_SOUND_M_S,
) -> Iterator[str]:
    """How many are sound, and a line on each of the others; explanations: why, by name."""
    reports = list(reports)
    why = {each["microphone"]: each["text"] for each in plain_explanations(reports, explanations or {}, speed_m_s)}
    wrong = [report for report in reports if report.status != "ok"]
    yield f"microphones: {len(reports) - len(wrong)} of {len(reports)} ok"
    for report in wrong:
        yield f"  {report.name}: {report.status}{_why(report, why.get(report.name))}{_range(report)}"


def describe_events(events: Iterable[Event]) -> Iterator[str]:
    """A line each: when a microphone's state changed, and to what."""
    for event in events:
        yield f"{clock(event.time_s)}  {event.microphone}: {'ok again' if event.status == 'ok' else event.status}"


def plain_events(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The events as in the JSON file."""
    return [vars(event) | {"text": text} for event in events for text in describe_events([event])]


def plain_explanations(
    reports: Iterable[MicrophoneReport],
    explanations: Mapping[str, FaultHypothesis],
    speed_m_s: float = SPEED_OF_SOUND_M_S,
) -> list[dict[str, Any]]:
    """As in the JSON file: of every microphone that contradicts the others, why, where one explanation fits."""
    reports = list(reports)
    return [
        _plain(
            report, explanations[report.name], _standing_there(report, explanations[report.name], reports), speed_m_s
        )
        for report in reports
        if report.status in CONTRADICTING and _says_something(explanations.get(report.name))
    ]


def clock(time_s: float) -> str:
    """Hours, minutes and seconds from the start."""
    minutes, seconds = divmod(int(time_s), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


def _says_something(found: FaultHypothesis | None) -> bool:
    return found is not None and (found.is_elsewhere or found.is_late)


def _plain(report: MicrophoneReport, found: FaultHypothesis, other: str | None, speed_m_s: float) -> dict[str, Any]:
    """What is as listed is None."""
    return {
        "microphone": report.name,
        "text": ", ".join([*_elsewhere(found, other), *_clock(found, speed_m_s)]),
        "position_m": found.position_m.tolist() if found.is_elsewhere else None,
        "offset_s": found.offset_m / speed_m_s if found.is_late else None,
        "drift_ppm": 1e6 * found.drift_m_s / speed_m_s if found.drifts else None,
        "share": found.share,
        "exchanged_with": other,
    }


def _standing_there(
    report: MicrophoneReport, found: FaultHypothesis, reports: Sequence[MicrophoneReport]
) -> str | None:
    """Who is listed where this one rather stands: channels, or rows of the list, may be exchanged."""
    if not found.is_elsewhere:
        return None
    gaps = {
        other.name: float(np.linalg.norm(other.position_m - found.position_m))
        for other in reports
        if other.position_m is not None and other.name != report.name
    }
    nearest = min(gaps, key=gaps.__getitem__, default=None)
    return nearest if nearest is not None and gaps[nearest] < EXCHANGED_M else None


def _elsewhere(found: FaultHypothesis, other: str | None) -> Iterator[str]:
    if found.is_elsewhere:
        x, y, z = found.position_m
        where = f", where {other} is listed: are their channels, or their rows, exchanged?" if other else ""
        yield f"hears as if it stood near ({x:.2f}, {y:.2f}, {z:.2f}) m{where}"


def _clock(found: FaultHypothesis, speed_m_s: float) -> Iterator[str]:
    if found.is_late:
        drift = f", and drifts by {1e6 * found.drift_m_s / speed_m_s:+.0f} ppm" if found.drifts else ""
        yield f"its clock is {1e3 * found.offset_m / speed_m_s:+.1f} ms off{drift}"


def _why(report: MicrophoneReport, text: str | None) -> str:
    """What the windows together say of it; or what its pull is."""
    if report.status not in CONTRADICTING:
        return ""
    return _pull(report) if text is None else f", {text}"


def _pull(report: MicrophoneReport) -> str:
    if report.pull_m is None:
        return ""
    return f", hears the source {abs(report.pull_m):.2f} m too {'late' if report.pull_m > 0 else 'early'}"


def _range(report: MicrophoneReport) -> str:
    """Of one window, what it knows; of many, the median distance from the source."""
    if report.shell is not None:
        is_new = report.shell.knows == "radius only"
        return f", {radius_only(report) if is_new else remembered(report.shell)}"
    return "" if report.range_m is None else f", {report.range_m:.2f} m from the source (radius only)"
