r"""Audacity's labels: start, end and text between tabs, without a header; a second line `\`, low, high is the band (Hz)."""

from dataclasses import replace
from pathlib import Path

from soundfix.errors import EventFileError
from soundfix.events import SoundEvent
from soundfix.files.events.table import Row, Table, checked_band

COLUMNS = ("start", "end", "label")
BAND = "\\"  # the first cell of a line that says the band of the one before
UNKNOWN_HZ = "-1.000000"  # Audacity's word for an edge that was not set


def is_audacity(text: str) -> bool:
    """Whether the first line has numbers where others have a header."""
    cells = text.partition("\n")[0].split("\t")
    return len(cells) >= 2 and all(map(_is_number, cells[:2]))


def read_labels(path: Path, text: str) -> tuple[Table, list[SoundEvent]]:
    """The labels as a table, and as events. Raises EventFileError, naming the line."""
    rows: list[Row] = []
    events: list[SoundEvent] = []
    for number, line in enumerate(text.splitlines(), 1):
        place, cells = f"{path}, line {number}", line.split("\t")
        if cells[0] == BAND:
            events.append(_with_band(events.pop() if events else None, cells, place))
        elif line.strip():
            row = _row(place, cells)
            events.append(row.event("start", "end", label=row.text("label"), number=len(rows)))
            rows.append(row)
    return Table(path=path, columns=COLUMNS, rows=tuple(rows)), events


def _row(place: str, cells: list[str]) -> Row:
    if len(cells) < 2:
        raise EventFileError(f"{place} is {cells[0]!r}, wanted start, end and a label, with tabs between them")
    return Row(place, dict(zip(COLUMNS, [*cells[:2], " ".join(cells[2:])], strict=True)))


def _with_band(event: SoundEvent | None, cells: list[str], place: str) -> SoundEvent:
    row = Row(place, dict(zip((BAND, "low", "high"), [*cells, "", ""], strict=False)))
    if event is None:
        raise EventFileError(f"{place} has a band before the first label, wanted start, end and a label")
    if UNKNOWN_HZ in cells:
        return event
    return replace(event, band_hz=checked_band(row.number("low"), row.number("high"), place))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
