"""RTTM (NIST), what diarization is scored in: SPEAKER, file, channel, beginning, duration, -, -, name ...; a line a turn.

Lines of other types, and comments (;;), list no sound. Where the turns are of several recordings, their names are those of
stations: what is of another one is left out.
"""

from pathlib import Path

from soundfix.errors import EventFileError
from soundfix.events import SoundEvent
from soundfix.files.events.table import Row, Table

COLUMNS = ("Type", "File", "Channel", "Begin", "Duration", "Orthography", "Subtype", "Name", "Confidence", "Lookahead")
FEWEST = 8  # cells, with the name
TYPES = frozenset({
    "SPEAKER", "SPKR-INFO", "SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH", "FILLER", "EDIT",
    "SU", "IP", "CB", "A/P",
})  # fmt: skip
COMMENT = ";;"


def is_rttm(text: str) -> bool:
    """By the first word of the first line that is no comment."""
    lines = (line.split() for line in text.splitlines() if line.strip() and not line.startswith(COMMENT))
    first = next(lines, [])
    return len(first) >= FEWEST and first[0] in TYPES


def read_rttm(path: Path, text: str) -> tuple[Table, list[SoundEvent]]:
    """The turns as a table, and as events. Raises EventFileError, naming the line."""
    rows = [_row(f"{path}, line {number}", line) for number, line in enumerate(text.splitlines(), 1) if _is_turn(line)]
    is_of_several = len({row.text("File") for row in rows}) > 1
    events = [
        row.event(
            "Begin", "End", label=row.text("Name"), stations=[row.text("File")] if is_of_several else (), number=number
        )
        for number, row in enumerate(rows)
    ]
    return Table(path=path, columns=COLUMNS, rows=tuple(rows)), events


def _is_turn(line: str) -> bool:
    return line.split()[:1] == ["SPEAKER"]


def _row(place: str, line: str) -> Row:
    cells = line.split()
    if len(cells) < FEWEST:
        raise EventFileError(
            f"{place} has {len(cells)} cells, wanted SPEAKER, file, channel, beginning, duration ... name"
        )
    row = Row(place, dict(zip(COLUMNS, cells, strict=False)))
    end_s = row.number("Begin") + row.number("Duration")
    return Row(place, {**row.cells, "End": repr(end_s), "Name": "" if cells[7] == "<NA>" else cells[7]})
