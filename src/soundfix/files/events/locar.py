"""locaR's detections: the stations that hear a sound, from when to when, and its band."""

from soundfix.events import SoundEvent
from soundfix.files.events.table import Table


def is_locar(table: Table) -> bool:
    """By its header."""
    return {"Station1", "From", "To"} <= set(table.columns)


def read_locar(table: Table) -> list[SoundEvent]:
    """One event a row."""
    stations = [column for column in table.columns if column.startswith("Station")]
    return [
        row.event(
            "From",
            "To",
            band=("F_Low", "F_High"),
            label=row.text("Species"),
            stations=[row.text(column) for column in stations],
            number=number,
        )
        for number, row in enumerate(table.rows)
    ]
