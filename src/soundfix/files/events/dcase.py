"""DCASE's metadata of sound event localization and detection: frame, class, source, azimuth, elevation and perhaps distance,
without a header, a line for each source in each frame of 100 ms.

Frames in a row of one class and one source are an event, called by the number of its class.
"""

import re
from pathlib import Path

from soundfix.errors import EventFileError
from soundfix.events import SoundEvent
from soundfix.files.events.table import MOST_ROWS, Row, Table

COLUMNS = ("frame", "class", "source", "azimuth", "elevation", "distance")
FRAME_S = 0.1
LINE = re.compile(r"\d{1,9},\d{1,9},\d{1,9}(,-?\d+(\.\d+)?){2,3}\s*")
LONGEST_HOLE = 1  # frames from one to the next, in a row


def is_dcase(text: str) -> bool:
    """Whether the first line has whole numbers where others have a header."""
    return LINE.fullmatch(text.partition("\n")[0]) is not None


def read_dcase(path: Path, text: str) -> tuple[Table, list[SoundEvent]]:
    """The frames as a table, and events of them. Raises EventFileError, naming the line."""
    rows = [_row(f"{path}, line {number}", line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(rows) > MOST_ROWS:
        raise EventFileError(f"{path} has more than {MOST_ROWS:,} rows: is it another table?")
    events: list[SoundEvent] = []
    last: dict[tuple[str, str], int] = {}
    for number in sorted(range(len(rows)), key=lambda each: int(rows[each].cells["frame"])):
        frame, who = int(rows[number].cells["frame"]), (rows[number].cells["class"], rows[number].cells["source"])
        event = SoundEvent(start_s=frame * FRAME_S, end_s=(frame + 1) * FRAME_S, label=who[0], rows=(number,))
        before = last.get(who)
        if before is not None and event.start_s - events[before].end_s < (LONGEST_HOLE - 0.5) * FRAME_S:
            events[before] = events[before].with_row(event)
        else:
            last[who] = len(events)
            events.append(event)
    return Table(path=path, columns=COLUMNS, rows=tuple(rows)), events


def _row(place: str, line: str) -> Row:
    if not LINE.fullmatch(line):
        raise EventFileError(f"{place} is {line[:60]!r}, wanted frame,class,source,azimuth,elevation in numbers")
    return Row(place, dict(zip(COLUMNS, line.strip().split(","), strict=False)))
