r"""Answers as Audacity's labels: start, end and text between tabs, a line a source; the band of an event, where it has one,
in a line of its own below (`\`, low, high), as Audacity writes it.

An answer without a place has no label.
"""

from soundfix.estimate import Estimate, Source
from soundfix.files.events.audacity import BAND
from soundfix.report.recorded import Recorded, called, places
from soundfix.report.text import describe_direction, length


def label_lines(estimate: Estimate, recorded: Recorded) -> str:
    """The labels of an answer: what it is, where (m, or degrees), and the radius that holds it with 90 %."""
    texts = [_text(estimate, source) for source in places(estimate)]
    if estimate.direction is not None:
        texts = [" ".join(word for word in (called(estimate, estimate.sources[0]), _direction(estimate)) if word)]
    return "".join(f"{estimate.start_s:.6f}\t{estimate.end_s:.6f}\t{_plain(text)}\n{_band(estimate)}" for text in texts)


def _text(estimate: Estimate, source: Source) -> str:
    place = ", ".join(f"{coordinate:.2f}" for coordinate in source.position_m)
    return f"{called(estimate, source)} ({place}) m ±{length(source.radius90_m)}".strip()


def _direction(estimate: Estimate) -> str:
    return "" if estimate.direction is None else describe_direction(estimate.direction)


def _band(estimate: Estimate) -> str:
    if estimate.event is None or estimate.event.band_hz is None:
        return ""
    low_hz, high_hz = estimate.event.band_hz
    return f"{BAND}\t{low_hz:.6f}\t{high_hz:.6f}\n"


def _plain(text: str) -> str:
    """On one line, without the tabs that would be columns."""
    return " ".join(text.split())
