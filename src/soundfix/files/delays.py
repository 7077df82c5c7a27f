"""Tables of delays that another program measured: CSV, with commas, semicolons or tabs.

Three forms, told apart by the header (names as in the list of microphones, whatever the case):

    event,mic,delay_s            when each microphone heard it, from any moment that is common to all
    event,mic1,mic2,delay_s      how much later mic1 heard it than mic2
    event,NAME,NAME,...          a row an event, a column a microphone: arrivals; blank where it was not heard

event may be left out where there is but one, sigma_s (the standard error) always. delay_ms, sigma_ms and NAME_ms are in
milliseconds. Blank, NA and NaN mean not heard. A .json is of OpenSoundscape: SpatialEvents with their tdoas.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from soundfix.delays import Delays
from soundfix.errors import DelayFileError, SceneError
from soundfix.files.opensoundscape import read_located, receivers
from soundfix.gate import gate
from soundfix.microphones import Microphones

UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
MISSING = frozenset({"", "na", "nan"})
LARGEST_FILE_BYTES = 64 * 2**20
ONE_EVENT = "event1"  # what the only one is called, where the table does not say


class Row(NamedTuple):
    """A line of the table, and where it stands."""

    place: str
    cells: Mapping[str, str]


class Measured(NamedTuple):
    """One delay; second is None for an arrival."""

    event: str
    first: int
    second: int | None
    delay_s: float
    sigma_s: float


@gate(DelayFileError)
def read_delays(path: Path | str, microphones: Microphones) -> tuple[Delays, ...]:
    """The events of the table, in its order, delays in s. Raises DelayFileError, naming file and line."""
    path = Path(path)
    measured: dict[str, list[Measured]] = {}
    for each in _measured(path, microphones):
        measured.setdefault(each.event, []).append(each)
    if not measured:
        raise DelayFileError(f"{path} holds no delay, wanted a row for each after the header: was nothing heard?")
    try:
        return tuple(_delays(label, rows) for label, rows in measured.items())
    except SceneError as error:
        raise DelayFileError(f"{path}: {error}") from error


def _measured(path: Path, microphones: Microphones) -> Iterator[Measured]:
    """Row after row."""
    if path.suffix.lower() == ".json":
        return _of_opensoundscape(path, microphones)
    header, rows = _rows(path)
    read = _long if {"mic", "mic1", "mic2"} & set(header) else _wide
    return read(header, rows, _Names(microphones), path)


def _of_opensoundscape(path: Path, microphones: Microphones) -> Iterator[Measured]:
    """tdoas say how much later each receiver heard it than the first: arrivals."""
    for number, entry in enumerate(read_located(path, DelayFileError), 1):
        place = f"{path}, event {number}"
        mics, tdoas = receivers(entry, microphones, place), entry.tdoas or []
        if len(mics) != len(tdoas) or not mics:
            raise DelayFileError(
                f"{place} has {len(mics)} receiver_locations and {len(tdoas)} tdoas, wanted one of each"
            )
        for m, delay_s in zip(mics, tdoas, strict=True):
            if delay_s is not None and np.isfinite(delay_s):
                yield Measured(f"{entry.class_name or 'event'} {number}", m, None, delay_s, 0.0)


def _delays(label: str, rows: Sequence[Measured]) -> Delays:
    seconds = [row.second for row in rows if row.second is not None]
    return Delays(
        label=label,
        first=np.array([row.first for row in rows]),
        second=np.array(seconds) if seconds else None,
        delay_s=np.array([row.delay_s for row in rows]),
        sigma_s=np.array([row.sigma_s for row in rows]),
    )


class _Names:
    """Numbers of microphones by their names."""

    def __init__(self, microphones: Microphones) -> None:
        self._listed = microphones.names
        self._exact = {name: m for m, name in enumerate(self._listed)}
        folded = [name.casefold() for name in self._listed]
        self._folded = {name: m for m, name in enumerate(folded) if folded.count(name) == 1}

    def get(self, name: str) -> int | None:
        """None for a stranger."""
        return self._exact.get(name, self._folded.get(name.casefold()))

    def number(self, name: str, place: str) -> int:
        """Raises DelayFileError for a stranger."""
        if (found := self.get(name)) is None:
            listed = ", ".join(self._listed[:8]) + (", ..." if len(self._listed) > 8 else "")
            raise DelayFileError(
                f"{place}: {name!r} is not in the list of microphones, wanted one of {listed}: a typo?"
            )
        return found


def _long(header: Sequence[str], rows: Sequence[Row], names: _Names, path: Path) -> Iterator[Measured]:
    """A row a delay."""
    ends = ("mic1", "mic2") if "mic" not in header else ("mic",)
    delay, unit_s = _column(header, "delay", path)
    sigma, sigma_unit_s = _column(header, "sigma", path) if _has_unit(header, "sigma") else (None, 1.0)
    if not set(ends) <= set(header):
        raise DelayFileError(f"{path}: columns {', '.join(header)}; wanted mic, or mic1 and mic2: is one misspelt?")
    for row in rows:
        value = _number(row, delay)
        if value is None:
            continue
        numbers = [names.number(row.cells[end], row.place) for end in ends]
        told = (_number(row, sigma) or 0.0) if sigma else 0.0
        if told < 0:
            raise DelayFileError(f"{row.place}: {sigma} is {told:g}, wanted 0 or more: a standard error")
        second = numbers[1] if len(numbers) > 1 else None
        yield Measured(_event(row), numbers[0], second, value * unit_s, told * sigma_unit_s)


def _wide(header: Sequence[str], rows: Sequence[Row], names: _Names, path: Path) -> Iterator[Measured]:
    """A row an event; one without a name is called by its number."""
    columns = {column: _of_column(column, names, path) for column in header if column != "event"}
    for number, row in enumerate(rows, 1):
        label = row.cells.get("event") or f"event{number}"
        for column, (m, unit_s) in columns.items():
            value = _number(row, column)
            if value is not None:
                yield Measured(label, m, None, value * unit_s, 0.0)


def _of_column(column: str, names: _Names, path: Path) -> tuple[int, float]:
    """The microphone of a column of a wide table, and its unit in seconds."""
    if (m := names.get(column)) is not None:
        return m, 1.0
    stem, _, unit = column.rpartition("_")
    if unit.lower() in UNITS_S and (m := names.get(stem)) is not None:
        return m, UNITS_S[unit.lower()]
    return names.number(column, f"{path}, header"), 1.0


def _has_unit(header: Sequence[str], stem: str) -> bool:
    return any(f"{stem}_{unit}" in header for unit in UNITS_S)


def _column(header: Sequence[str], stem: str, path: Path) -> tuple[str, float]:
    """The column that says so, and its unit in seconds."""
    found = [(f"{stem}_{unit}", scale) for unit, scale in UNITS_S.items() if f"{stem}_{unit}" in header]
    if len(found) != 1:
        raise DelayFileError(
            f"{path}: columns {', '.join(header)}; wanted one of {stem}_s, {stem}_ms, {stem}_us: is the unit in the header?"
        )
    return found[0]


def _event(row: Row) -> str:
    return row.cells.get("event") or ONE_EVENT


def _number(row: Row, column: str) -> float | None:
    text = row.cells[column]
    if text.lower() in MISSING:
        return None
    try:
        value = float(text)
    except ValueError:
        value = np.inf
    if not np.isfinite(value) or "_" in text:
        raise DelayFileError(
            f"{row.place}, column {column}: {text!r} is not a number: a decimal comma? Write 1.5, not 1,5"
        )
    return value


def _rows(path: Path) -> tuple[list[str], list[Row]]:
    """Header and rows, without outer spaces. Names of our own columns are lower case, those of microphones as they are."""
    lines = [(n, line) for n, line in enumerate(_text(path).splitlines(), 1) if line.strip() and line[0] != "#"]
    if not lines:
        raise DelayFileError(f"{path} is empty, wanted a header such as event,mic,delay_s and a row a delay")
    separator = max(",;\t", key=lines[0][1].count)
    table = [(n, [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]) for n, line in lines]
    header = [_own(cell) for cell in table[0][1]]
    if len(set(header)) < len(header):
        raise DelayFileError(f"{path}: columns {', '.join(header)}; one is there twice: remove one")
    return header, [_paired(f"{path}, line {n}", header, cells) for n, cells in table[1:]]


def _own(cell: str) -> str:
    units = {f"{stem}_{unit}" for stem in ("delay", "sigma") for unit in UNITS_S}
    return cell.lower() if cell.lower() in {"event", "mic", "mic1", "mic2", *units} else cell


def _paired(place: str, header: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(header):
        raise DelayFileError(f"{place} has {len(cells)} cells, wanted {len(header)} as in the header: a decimal comma?")
    return Row(place, dict(zip(header, cells, strict=True)))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise DelayFileError(
                f"{path} has {path.stat().st_size} bytes, wanted a table of delays: is it a recording?"
            )
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DelayFileError(f"{path} cannot be read ({error}), wanted a table of delays in CSV, UTF-8") from error
