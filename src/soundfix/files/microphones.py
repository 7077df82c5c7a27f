"""Lists of microphones: CSV, YAML or JSON to Microphones, and back to CSV.

Columns: name, x, y, z (metres; all three blank = unknown position), and optionally file, channel (from 1),
sigma_m, offset_s, drift_ppm. YAML and JSON hold the same fields in a list of mappings, alone or under
"microphones". All three formats are first made into the same rows of text, so that they obey the same rules.
"""

import csv
import re
import reprlib
from pathlib import Path

import numpy as np

from soundfix.atomic import atomic_path
from soundfix.errors import MicrophoneFileError, OutputError, SceneError
from soundfix.files.tables import TableRow, read_rows
from soundfix.microphones import Microphones

AXES = ("x", "y", "z")
PROPERTIES = ("sigma_m", "offset_s", "drift_ppm")
COLUMNS = ("name", *AXES, "file", "channel", *PROPERTIES)
LONGEST_LIST = 8  # columns shown in a message
LARGEST_NUMBER = 1e6  # no coordinate (m), clock offset (s) or drift (ppm) is larger
DEGREES = frozenset({"lat", "lon", "lng", "latitude", "longitude"})
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def read_microphones(path: Path | str) -> Microphones:
    """Read a .csv, .txt, .tsv, .yaml, .yml or .json list. Raises MicrophoneFileError, naming file and line."""
    path = Path(path)
    rows = read_rows(path, _check_header)
    if not rows:
        raise MicrophoneFileError(f"{path} lists no microphones, wanted a line for each after the header {COLUMNS[:4]}")
    try:
        return _microphones(rows)
    except SceneError as error:
        raise MicrophoneFileError(f"{path}: {error}") from error


def write_microphones(path: Path | str, microphones: Microphones) -> None:
    """Write a CSV that `read_microphones` reads back to the last bit. Blank coordinates where unknown."""
    names = (*microphones.names, *filter(None, microphones.files or ()))
    for name in names:
        if name != name.strip() or not name.isprintable() or not name:
            raise OutputError(f"{path}: the name {name!r} would read back differently, wanted plain text: rename it")
    optional = {"file": microphones.files, "channel": microphones.channels}
    columns = {
        "name": microphones.names,
        **{axis: _blank_where_nan(microphones.border_positions()[:, a]) for a, axis in enumerate(AXES)},
        **{column: values for column, values in optional.items() if values},
        **{column: getattr(microphones, column).tolist() for column in PROPERTIES},
    }
    is_comment_like = any(name.startswith("#") for name in names)
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL if is_comment_like else csv.QUOTE_MINIMAL)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _check_header(header: list[str], place: str) -> None:
    """x, y and z are there, nothing is there twice, and nothing looks like one of ours in another unit."""
    known = [column for column in header if column in COLUMNS]
    missing = [axis for axis in AXES if axis not in header]
    stems = {column.split("_")[0] for column in COLUMNS} - {"name", "file", "channel"}
    other_units = [column for column in header if column not in COLUMNS and re.split("[ _([]", column)[0] in stems]
    if missing or other_units:
        raise MicrophoneFileError(
            f"{place}: columns {_shown(header)}; wanted name, x, y, z in metres: {_header_hint(header, other_units)}"
        )
    if len(set(known)) < len(known):
        raise MicrophoneFileError(f"{place}: columns {_shown(header)}; a column is there twice: remove one")


def _shown(header: list[str]) -> str:
    return reprlib.repr(", ".join(header[:LONGEST_LIST]))


def _header_hint(header: list[str], other_units: list[str]) -> str:
    if DEGREES.intersection(header):
        return "these are degrees: convert to metres first"
    if other_units:
        return f"convert {other_units[0]} to the unit wanted and call it {_wanted_name(other_units[0])}"
    return "is the line with the names missing, or one of them spelt otherwise?"


def _wanted_name(column: str) -> str:
    return next(known for known in COLUMNS if known.split("_")[0] == re.split("[ _([]", column)[0])


def _microphones(rows: list[TableRow]) -> Microphones:
    _check_names_differ(rows)
    return Microphones(
        positions=np.array([_position(row) for row in rows]),
        names=tuple(_name(row, r) for r, row in enumerate(rows)),
        files=_files(rows),
        channels=_channels(rows),
        **{column: np.array([_property(row, column) for row in rows]) for column in PROPERTIES},
    )


def _name(row: TableRow, r: int) -> str:
    return row.text("name") or f"mic{r + 1}"


def _check_names_differ(rows: list[TableRow]) -> None:
    seen: dict[str, TableRow] = {}
    for r, row in enumerate(rows):
        first = seen.setdefault(_name(row, r), row)
        if first is not row:
            raise MicrophoneFileError(
                f"{row.place}: the name {_name(row, r)!r} is taken ({first.place}): names must differ"
            )
        if not _name(row, r).isprintable():
            raise MicrophoneFileError(f"{row.place}: the name {_name(row, r)!r} holds control characters: wrong file?")


def _position(row: TableRow) -> tuple[float, float, float]:
    """NaN three times where blank, which is how Microphones wants an unknown position."""
    x, y, z = (_number(row, axis) for axis in AXES)
    if x is None and y is None and z is None:
        return np.nan, np.nan, np.nan
    if x is None or y is None or z is None:
        blank = ", ".join(axis for axis in AXES if _number(row, axis) is None)
        raise MicrophoneFileError(f"{row.place}: {blank} is blank: give all three, or none for an unknown position")
    return x, y, z


def _property(row: TableRow, column: str) -> float:
    value = _number(row, column) or 0.0
    if column == "sigma_m" and value < 0:
        raise MicrophoneFileError(f"{row.place}: sigma_m is {value:g}, wanted 0 or more: a standard error in metres")
    return value


def _files(rows: list[TableRow]) -> tuple[str, ...] | None:
    """Blank where a recorder wrote none, unless no row names one."""
    files = tuple(row.text("file") for row in rows)
    return files if any(files) else None


def _channels(rows: list[TableRow]) -> tuple[int, ...] | None:
    """Counted from 1. Where rows name their files, one without a channel means the first."""
    usual = "1" if any(row.text("file") for row in rows) else ""
    texts = [row.text("channel") or usual for row in rows]
    if not any(row.text("channel") for row in rows):
        return None
    for row, text in zip(rows, texts, strict=True):
        if not re.fullmatch(r"0*[1-9][0-9]{0,5}", text):
            raise MicrophoneFileError(f"{row.place}: channel is {text!r}, wanted 1, 2, ...: channels count from 1")
    return tuple(int(text) for text in texts)


def _number(row: TableRow, column: str) -> float | None:
    """None where blank. Stricter than float(): no nan, no inf, no 1_000."""
    text, place = row.text(column), f"{row.place}, column {column}"
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        comma = " Decimals take a point: 1.5, not 1,5." if "," in text else ""
        raise MicrophoneFileError(f"{place}: {reprlib.repr(text)} is not a number; blank means unknown.{comma}")
    if abs(float(text)) > LARGEST_NUMBER:
        raise MicrophoneFileError(f"{place}: {reprlib.repr(text)} is beyond {LARGEST_NUMBER:,.0f}: a unit or a typo?")
    return float(text)


def _blank_where_nan(values: np.ndarray) -> list[float | str]:
    return ["" if np.isnan(value) else value for value in values.tolist()]
