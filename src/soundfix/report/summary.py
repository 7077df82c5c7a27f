"""What a recording says of its microphones when it is over, as text and as in the JSON file."""

from collections.abc import Iterator
from typing import Any

from soundfix.report.listening import listening_dict, listening_lines
from soundfix.report.text import describe_events, describe_microphones, plain_events, plain_explanations
from soundfix.session.summary import Summary


def summary_lines(summary: Summary) -> Iterator[str]:
    """As text."""
    yield from listening_lines(summary.band_hz)
    if summary.passed_over:
        yield f"{summary.passed_over} windows were passed over: nothing stands out in them"
    yield from describe_events(summary.events)
    yield from describe_microphones(summary.microphones, summary.explanations, summary.speed_m_s)
    for start in summary.starts:
        yield f"  {start.microphone}: {start.sentence}"


def summary_dict(summary: Summary) -> dict[str, Any]:
    """Plain lists and numbers, named as in the JSON file."""
    text = list(describe_microphones(summary.microphones, summary.explanations, summary.speed_m_s))
    passed_over = {"passed_over": summary.passed_over} if summary.passed_over else {}
    return (
        listening_dict(summary.band_hz)
        | passed_over
        | {
            "events": plain_events(summary.events),
            "summary": {"text": text, "microphones": [report.to_dict() for report in summary.microphones]},
            "explanations": plain_explanations(summary.microphones, summary.explanations, summary.speed_m_s),
            "starts": [start._asdict() | {"text": start.sentence} for start in summary.starts],
        }
    )
