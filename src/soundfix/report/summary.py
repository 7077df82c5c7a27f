"""What a recording says of its microphones when it is over, as text and as in the JSON file."""

from collections.abc import Iterator
from typing import Any

from soundfix.physics import temperature_c
from soundfix.report.exchanges import exchange_dicts, exchange_lines
from soundfix.report.listening import listening_dict, listening_lines
from soundfix.report.text import describe_events, describe_microphones, plain_events, plain_explanations
from soundfix.session.summary import Summary


def summary_lines(summary: Summary) -> Iterator[str]:
    """As text."""
    if summary.interrupted:
        yield f"interrupted after {summary.interrupted.done} of {summary.interrupted.of}: what follows is of these"
    yield from listening_lines(summary.band_hz)
    yield from exchange_lines(summary.exchanged)
    yield from unit_lines(summary.list_unit)
    if summary.passed_over:
        yield f"{summary.passed_over} windows were passed over: nothing stands out in them"
    if summary.air_contradicts:
        yield air_line(summary)
    yield from describe_events(summary.events)
    yield from describe_microphones(summary.microphones, summary.explanations, summary.speed_m_s)
    for start in summary.starts:
        yield f"  {start.microphone}: {start.sentence}"
    for silence in summary.silences:
        yield f"  {silence.microphone}: {silence.text}"


def unit_lines(unit: str | None) -> Iterator[str]:
    """What to do about a list that fits in another unit."""
    if unit is not None:
        yield (
            f"the positions do not fit the sound as metres, but they do as {unit}: were they given in {unit}? "
            "If so, convert them to metres"
        )


def air_line(summary: Summary) -> str:
    """That the air is not as it was told."""
    assert summary.air is not None
    speed_m_s, sigma_m_s = summary.air
    warm, told = (round(temperature_c(each)) for each in (speed_m_s, summary.speed_m_s))
    return (
        f"air: what was heard fits sound at {speed_m_s:.1f} ± {sigma_m_s:.1f} m/s (still air of {warm} °C), "
        f"not at {summary.speed_m_s:.1f} m/s ({told} °C): places are made with what fits; --temperature {warm} says so"
    )


def summary_dict(summary: Summary) -> dict[str, Any]:
    """Plain lists and numbers, named as in the JSON file."""
    text = list(describe_microphones(summary.microphones, summary.explanations, summary.speed_m_s))
    air = summary.air and summary.air._asdict() | {"contradicts": summary.air_contradicts}
    interrupted = summary.interrupted and summary.interrupted._asdict()
    optional = {
        "interrupted": interrupted, "exchanged": exchange_dicts(summary.exchanged), "list_unit": summary.list_unit,
        "passed_over": summary.passed_over, "air": air,
    }  # fmt: skip
    told = {
        "events": plain_events(summary.events),
        "summary": {"text": text, "microphones": [report.to_dict() for report in summary.microphones]},
        "explanations": plain_explanations(summary.microphones, summary.explanations, summary.speed_m_s),
        "starts": [start._asdict() | {"text": start.sentence} for start in summary.starts],
        "silences": [silence._asdict() for silence in summary.silences],
    }
    return listening_dict(summary.band_hz) | {name: value for name, value in optional.items() if value} | told
