"""A file of events, whoever wrote it: its format is told by its first line."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from soundfix.errors import EventFileError
from soundfix.events import SoundEvent
from soundfix.files.events.audacity import is_audacity, read_labels
from soundfix.files.events.dcase import is_dcase, read_dcase
from soundfix.files.events.detections import is_birdnet, is_opensoundscape, read_birdnet, read_opensoundscape
from soundfix.files.events.locar import is_locar, read_locar
from soundfix.files.events.opensoundscape import is_located, read_located_events
from soundfix.files.events.raven import is_raven, read_raven
from soundfix.files.events.rttm import is_rttm, read_rttm
from soundfix.files.events.table import WANTED, Table, read_table, read_text
from soundfix.gate import gate

FORMATS = (
    (is_raven, read_raven),
    (is_locar, read_locar),
    (is_birdnet, read_birdnet),
    (is_opensoundscape, read_opensoundscape),
)

TEXTS: tuple[tuple[Callable[[str], bool], Callable[[Path, str], tuple[Table, list[SoundEvent]]]], ...] = (
    (is_rttm, read_rttm),
    (is_located, lambda path, _: read_located_events(path)),
    (is_audacity, read_labels),
    (is_dcase, read_dcase),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class EventTable:
    """table: the file as it is, for the one that is written. events: of its rows, in their order; which of them are one
    sound, and in which file their times count, a recording tells (api/events.py)."""

    table: Table
    events: tuple[SoundEvent, ...]


@gate(EventFileError)
def read_events(path: str | Path) -> EventTable:
    """The events of a Raven selection table, of Audacity labels, of detections of locaR, BirdNET or OpenSoundscape, of what
    OpenSoundscape located (JSON), of RTTM, or of DCASE's metadata.

    Times in s as in their rows, bands in Hz. Raises EventFileError, naming file and line, and where there is none.
    """
    listed = read_rows(path)
    if not listed.events:
        raise EventFileError(f"{path} lists no event: wanted at least one row, or, with scores, one above one half")
    return listed


@gate(EventFileError)
def read_rows(path: str | Path) -> EventTable:
    """The same, of a table that may list none."""
    path = Path(path)
    table, events = _read(path, read_text(path))
    return EventTable(table=table, events=tuple(events))


def _read(path: Path, text: str) -> tuple[Table, list[SoundEvent]]:
    for is_of, read in TEXTS:
        if is_of(text):
            return read(path, text)
    return _of_columns(read_table(path, text))


def _of_columns(table: Table) -> tuple[Table, list[SoundEvent]]:
    for is_of, read in FORMATS:
        if is_of(table):
            return table, read(table)
    shown = ", ".join(table.columns[:8]) or "nothing"
    raise EventFileError(f"{table.path} begins with {shown}: wanted {WANTED}")
