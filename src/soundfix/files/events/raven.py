"""Raven's selection tables, and those that BirdNET and others write for Raven.

Rows of one selection, one a view, are one event. The file in which a selection was drawn is that of a recorder that
hears it.
"""

from soundfix.events import SoundEvent
from soundfix.files.events.table import Row, Table

BEGIN, END, LOW, HIGH = "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"
COLUMNS = ("Selection", "View", "Channel", BEGIN, END, LOW, HIGH)
LABELS = ("Annotation", "Species", "Common Name", "Common name", "Species Code", "Label", "Tag", "Type")
FILES = ("Begin Path", "Begin File")
IN_FILE = "File Offset (s)"  # of a table over several files: Begin Time is then from the start of the first


def is_raven(table: Table) -> bool:
    """By its header."""
    return {BEGIN, END} <= set(table.columns)


def read_raven(table: Table) -> list[SoundEvent]:
    """One event a selection."""
    events: dict[tuple[str, ...], SoundEvent] = {}
    for number, row in enumerate(table.rows):
        event = _event(row, number)
        key = (row.text("Selection") or f"row {number}", row.text(BEGIN), row.text(END), row.text(*FILES))
        events[key] = events[key].with_row(event) if key in events else event
    return list(events.values())


def _event(row: Row, number: int) -> SoundEvent:
    event = row.event(BEGIN, END, band=(LOW, HIGH), label=row.text(*LABELS), stations=[row.text(*FILES)], number=number)
    return _in_its_file(row, event) if row.text(IN_FILE) and event.stations else event


def _in_its_file(row: Row, event: SoundEvent) -> SoundEvent:
    start_s = row.number(IN_FILE)
    return SoundEvent(**vars(event) | {"start_s": start_s, "end_s": start_s + event.end_s - event.start_s})
