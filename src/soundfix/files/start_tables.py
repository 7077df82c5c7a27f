"""Tables of when files really began, as GPS receivers or a clap at the start of a day tell it.

CSV with the column file (a name, or a path below the folder), and start (also start_time or start_timestamp: ISO 8601, with
a fraction and a zone) or offset_s: how many seconds later than it tells the file began.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from soundfix.errors import EventFileError
from soundfix.files.events.table import Row, read_table, read_text
from soundfix.files.start_times import StartTime, parse_time
from soundfix.gate import gate

FILE, OFFSET = "file", "offset_s"
STARTS = ("start", "start_time", "start_timestamp")
LARGEST_OFFSET_S = 400 * 86400.0  # a clock that was never set is decades off, and by a table of times then


class Correction(NamedTuple):
    """When a file really began: at a time, or so many seconds later than it tells."""

    at: StartTime | None
    later_s: float = 0.0


@gate(EventFileError)
def read_starts(path: Path) -> Mapping[str, Correction]:
    """By the path of the file as it stands in the table, in small letters. Raises EventFileError, naming file and line."""
    table = read_table(path, read_text(path))
    if FILE not in table.columns or not {*STARTS, OFFSET} & set(table.columns):
        raise EventFileError(
            f"{path} has the columns {', '.join(table.columns[:6])}: wanted file and start (such as "
            "2022-06-20T14:30:00.125Z), or file and offset_s"
        )
    found: dict[str, Correction] = {}
    for row in table.rows:
        name = PurePosixPath(row.text(FILE).replace("\\", "/")).as_posix().casefold()
        if name in found:
            raise EventFileError(f"{row.place}: {row.text(FILE)} is listed twice: give every file once")
        found[name] = _correction(row)
    return found


def _correction(row: Row) -> Correction:
    if text := row.text(*STARTS):
        at = parse_time(text)
        if at is None:
            raise EventFileError(f"{row.place}: {text!r} is no time, wanted one such as 2022-06-20T14:30:00.125Z")
        return Correction(StartTime(at, True))
    later_s = row.number(OFFSET)
    if abs(later_s) > LARGEST_OFFSET_S:
        raise EventFileError(f"{row.place}: {OFFSET} is {later_s:g}, wanted seconds: is it a time?")
    return Correction(None, later_s)
