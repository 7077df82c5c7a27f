"""A table of events as it stands in its file: a header, rows of text, and where each row is, for errors."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from soundfix.errors import EventFileError
from soundfix.events import SoundEvent

MOST_ROWS = 1_000_000
WHOLE_BAND_HZ = (150.0, 7900.0)  # a band that holds all of this is that of a detector, and says nothing of the sound
NONE = ("", "NA", "NaN", "nan")
WANTED = (
    "a Raven selection table, Audacity labels, locaR detections, CSV detections of OpenSoundscape or BirdNET, events of "
    "OpenSoundscape in JSON, RTTM, or DCASE's metadata; a selection table has the columns Begin Time (s) and End Time (s)"
)


class Row(NamedTuple):
    """place: "events.txt, line 3". cells: by the column's name."""

    place: str
    cells: dict[str, str]

    def text(self, *columns: str) -> str:
        """Of the first of these columns that says anything; "" where none does."""
        said = (self.cells.get(column, "").strip() for column in columns)
        return next((text for text in said if text not in NONE), "")

    def number(self, column: str) -> float:
        """Raises EventFileError where there is none."""
        text = self.cells.get(column, "").strip()
        try:
            if isfinite(value := float(text)):
                return value
        except ValueError:
            pass
        raise EventFileError(
            f"{self.place}: {column} is {text!r}, wanted a number: a decimal comma, or a cell too few?"
        )

    def event(
        self, start: str, end: str, *, band: tuple[str, str] | None = None, label: str = "",
        stations: Iterable[str] = (), number: int,
    ) -> SoundEvent:  # fmt: skip
        """Of these columns; `number` is the row's, from 0."""
        start_s, end_s = checked_span(self.number(start), self.number(end), self.place)
        return SoundEvent(
            start_s=start_s, end_s=end_s, band_hz=self._band(*band) if band else None, label=label,
            stations=tuple(name for name in stations if name), rows=(number,),
        )  # fmt: skip

    def _band(self, low: str, high: str) -> tuple[float, float] | None:
        if not (self.text(low) and self.text(high)):
            return None
        return checked_band(self.number(low), self.number(high), self.place)


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """columns: as in the file. rows: as in the file."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


Reader = Callable[[Table], Sequence[SoundEvent]]


def read_text(path: Path) -> str:
    """The file. Raises EventFileError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EventFileError(f"{path} cannot be read ({error}), wanted {WANTED}") from error


def read_table(path: Path, text: str) -> Table:
    """The rows under the first line, between tabs where that has any, else commas. Raises EventFileError."""
    is_tabbed = "\t" in text.partition("\n")[0]  # and then quotes nothing, as Raven does
    lines = csv.reader(
        text.splitlines(),
        delimiter="\t" if is_tabbed else ",",
        quoting=csv.QUOTE_NONE if is_tabbed else csv.QUOTE_MINIMAL,
    )
    columns = [cell.strip() for cell in next(lines, [])]
    rows = []
    for cells in lines:
        if any(cell.strip() for cell in cells):
            rows.append(_row(path, lines.line_num, columns, cells))
        if len(rows) > MOST_ROWS:
            raise EventFileError(f"{path} has more than {MOST_ROWS:,} rows: is it another table?")
    return Table(path=path, columns=tuple(columns), rows=tuple(rows))


def checked_span(start_s: float, end_s: float, place: str) -> tuple[float, float]:
    """Raises EventFileError where it ends before it begins, or begins before the recording."""
    if not 0 <= start_s <= end_s:
        raise EventFileError(
            f"{place}: from {start_s:g} to {end_s:g} s, wanted seconds from the start of the recording, the first one first"
        )
    return start_s, end_s


def checked_band(low_hz: float, high_hz: float, place: str) -> tuple[float, float] | None:
    """None for the whole of what a detector listens to. Raises EventFileError on what is no band."""
    if not 0 <= low_hz < high_hz:
        raise EventFileError(
            f"{place}: {low_hz:g} to {high_hz:g} Hz, wanted the lower frequency first, and a higher one"
        )
    is_whole = low_hz <= WHOLE_BAND_HZ[0] and high_hz >= WHOLE_BAND_HZ[1]
    return None if is_whole else (low_hz, high_hz)


def _row(path: Path, line: int, columns: list[str], cells: list[str]) -> Row:
    if any(cell.strip() for cell in cells[len(columns) :]):
        raise EventFileError(
            f"{path}, line {line} has {len(cells)} cells, wanted {len(columns)} as in the header: a decimal comma?"
        )
    filled = [*cells, *[""] * (len(columns) - len(cells))]  # Raven leaves out what is blank at the end
    return Row(f"{path}, line {line}", dict(zip(columns, filled, strict=False)))
