"""Which events of tables are where in an archive: seconds from the start of the file that each names.

A row names its file; a table whose rows name none is of the file whose name it begins with, as tables are that a program
writes beside each recording. Rows of several recorders which are of one sound are one event, once they have clock times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from soundfix.archive.inventory import Inventory, LeftOut, Recorded
from soundfix.archive.pieces import Piece, Pieces, TimeLine
from soundfix.errors import EventFileError
from soundfix.events import SoundEvent
from soundfix.files.events.joined import joined
from soundfix.files.events.reading import read_rows
from soundfix.files.named import Named
from soundfix.files.timeline import shared_s

TABLES = (".txt", ".csv", ".tsv")


@dataclass(frozen=True, kw_only=True, eq=False)
class Detections:
    """events: in seconds from the origin of the time line. refs: of each of their rows, "table, line". left_out: and why."""

    events: tuple[SoundEvent, ...]
    refs: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


class _Placed(NamedTuple):
    event: SoundEvent
    ref: str


def detections(tables: Path, line: TimeLine, inventory: Inventory) -> Detections:
    """Those of a table, or of all tables in a folder. Raises EventFileError where one cannot be read, or none fits."""
    paths = _tables(tables)
    files = Named((each.file.path, each) for each in inventory.recorded)
    placed: list[_Placed] = []
    strays: dict[str, int] = {}
    for path in paths:
        of_table = files.beside(path)
        for event in read_rows(path).events:
            found = files.find(event.stations[0]) if event.stations else of_table
            if found is None:
                strays[path.name] = strays.get(path.name, 0) + 1
            else:
                placed.append(_placed(event, found, line, len(placed), path))
    if not placed:
        raise EventFileError(
            f"{tables}: no event is in a file of the archive, wanted rows that name its files, or tables named as these"
        )
    together = joined(each.event for each in placed)
    left_out = [LeftOut(name, f"{count} events of files that are not in the archive") for name, count in strays.items()]
    return Detections(events=tuple(together), refs=tuple(each.ref for each in placed), left_out=tuple(left_out))


def event_pieces(found: Detections, line: TimeLine, margin_s: float) -> tuple[Pieces, list[LeftOut]]:
    """Pieces with the events of a round stretch of time each, and margin_s of sound before and after; and other events."""
    enough = line.enough
    rounds: dict[int, list[SoundEvent]] = {}
    left_out = []
    for event in found.events:
        if shared_s((event.start_s, max(event.end_s, event.start_s + 1e-3)), enough) > 0:
            rounds.setdefault(line.round_of(event.start_s), []).append(event)
        else:
            left_out.append(LeftOut(found.refs[event.rows[0]], "too few recorders have sound then"))
    return Pieces([partial(_piece, found, line, events, margin_s) for _, events in sorted(rounds.items())]), left_out


def _piece(found: Detections, line: TimeLine, events: Sequence[SoundEvent], margin_s: float) -> Piece:
    from_s = max(0.0, events[0].start_s - margin_s)
    piece = line.piece(from_s, max(event.end_s for event in events) + margin_s)
    rows = [row for event in events for row in event.rows]
    number = {row: k for k, row in enumerate(rows)}
    shifted = tuple(_shifted(event, from_s, number) for event in events)
    return line.keyed(replace(piece, events=shifted, refs=tuple(found.refs[row] for row in rows)))


def _shifted(event: SoundEvent, from_s: float, number: Mapping[int, int]) -> SoundEvent:
    rows = tuple(number[row] for row in event.rows)
    return replace(event, start_s=event.start_s - from_s, end_s=event.end_s - from_s, rows=rows)


def _placed(event: SoundEvent, file: Recorded, line: TimeLine, row: int, path: Path) -> _Placed:
    """In seconds from the origin, heard by the recorder of its file."""
    begins_s = (file.start.at - line.origin).total_seconds()
    at = replace(
        event, start_s=event.start_s + begins_s, end_s=event.end_s + begins_s, stations=(file.recorder,), rows=(row,)
    )
    return _Placed(at, f"{path.name}, row {event.rows[0] + 1}")


def _tables(tables: Path) -> list[Path]:
    if not tables.is_dir():
        return [tables]
    found = sorted(path for path in tables.rglob("*") if path.suffix.lower() in TABLES)
    if not found:
        raise EventFileError(f"{tables} holds no tables, wanted names such as S01_20220620_143000.selections.txt")
    return found
