"""Answers in words, a line each: what the command line prints."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from soundfix.explanations import Explanation
from soundfix.history import Event
from soundfix.localizer import Estimate, MicrophoneReport
from soundfix.physics import SPEED_OF_SOUND_M_S
from soundfix.report import radius_only

EXCHANGED_M = 0.5  # a place this near to another's is taken for it


def describe(estimate: Estimate) -> str:
    """One window: when, the verdict, the place or places with the radius of their 90 % region, and the reasons."""
    span = f"{estimate.start_s:8.2f} -{estimate.end_s:8.2f} s  {estimate.verdict:9s}"
    between = " or " if estimate.verdict == "ambiguous" else " and "
    places = between.join(
        f"({', '.join(f'{coordinate:.2f}' for coordinate in source.position_m)}) m ±{100 * source.radius90_m:.0f} cm"
        for source in estimate.sources
    )
    return "  ".join(part for part in (span, places, " ".join(estimate.reasons)) if part)


def describe_microphones(
    reports: Iterable[MicrophoneReport], explanations: Mapping[str, Explanation] | None = None
) -> Iterator[str]:
    """How many are sound, and a line on each of the others; explanations: why, by name."""
    reports, why = list(reports), explanations or {}
    wrong = [report for report in reports if report.status != "ok"]
    yield f"microphones: {len(reports) - len(wrong)} of {len(reports)} ok"
    for report in wrong:
        yield f"  {report.name}: {report.status}{_why(report, why.get(report.name), reports)}{_range(report)}"


def describe_events(events: Iterable[Event]) -> Iterator[str]:
    """A line each: when a microphone's state changed, and to what."""
    for event in events:
        yield f"{clock(event.time_s)}  {event.microphone}: {'ok again' if event.status == 'ok' else event.status}"


def clock(time_s: float) -> str:
    """Hours, minutes and seconds from the start."""
    minutes, seconds = divmod(int(time_s), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


def _why(report: MicrophoneReport, found: Explanation | None, reports: Sequence[MicrophoneReport]) -> str:
    """What the windows together say of it; or what its pull is."""
    if report.status not in ("late", "misplaced", "excluded"):
        return ""
    if found is None or not (found.is_elsewhere or found.is_late):
        return _pull(report)
    return f", {_elsewhere(report, found, reports) if found.is_elsewhere else _clock(found)}"


def _clock(found: Explanation) -> str:
    drift = f", and drifts by {found.drift_m_s / SPEED_OF_SOUND_M_S * 1e6:+.0f} ppm" if found.drifts else ""
    return f"its clock is {1e3 * found.offset_m / SPEED_OF_SOUND_M_S:+.1f} ms off{drift}"


def _elsewhere(report: MicrophoneReport, found: Explanation, reports: Sequence[MicrophoneReport]) -> str:
    """Where it rather stands; where another is listed, channels or rows of the list may be exchanged."""
    x, y, z = found.position_m
    place = f"hears as if it stood near ({x:.2f}, {y:.2f}, {z:.2f}) m"
    others = [other for other in reports if other.position_m is not None and other.name != report.name]
    near = [other for other in others if np.linalg.norm(other.position_m - found.position_m) < EXCHANGED_M]
    if not near:
        return place
    return f"{place}, where {near[0].name} is listed: are their channels, or their rows, exchanged?"


def _pull(report: MicrophoneReport) -> str:
    if report.pull_m is None:
        return ""
    return f", hears the source {abs(report.pull_m):.2f} m too {'late' if report.pull_m > 0 else 'early'}"


def _range(report: MicrophoneReport) -> str:
    """Of one window, what it knows; of many, the median distance from the source."""
    if report.shell is not None:
        return f", {radius_only(report)}"
    return "" if report.range_m is None else f", {report.range_m:.2f} m from the source (radius only)"
