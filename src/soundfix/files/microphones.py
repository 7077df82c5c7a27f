"""Lists of microphones: CSV, YAML or JSON to Microphones, and back to CSV.

Columns: name, x, y, z (metres; all three blank = unknown position; other names and degrees: coordinates.py), and
optionally file, channel (from 1), sigma_m, offset_s, drift_ppm, clock_sigma_s, crs (one for all). YAML and JSON hold the
same fields in a list of mappings, alone or under "microphones". All three formats are first made into the same rows of
text, so that they obey the same rules.
"""

import csv
import re
import reprlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from soundfix.atomic import atomic_path
from soundfix.errors import ConfigError, MicrophoneFileError, OutputError, SceneError
from soundfix.files.coordinates import HEIGHTS, Columns, columns_of, number, places_of
from soundfix.files.opensoundscape import recorder_rows
from soundfix.files.tables import TableRow, read_rows
from soundfix.gate import gate
from soundfix.microphones import Microphones

AXES = ("x", "y", "z")
PROPERTIES = ("sigma_m", "offset_s", "drift_ppm", "clock_sigma_s")
COLUMNS = ("name", *AXES, "file", "channel", *PROPERTIES, "crs")
LONGEST_LIST = 8  # columns shown in a message
NAMES = ("name", "station", "point", "recorder", "id")  # of the column of names
LARGEST_NUMBER = 1e6  # no standard error (m), clock offset (s) or drift (ppm) is larger


@gate(MicrophoneFileError)
def read_microphones(path: Path | str) -> Microphones:
    """Read a .csv, .txt, .tsv, .yaml, .yml or .json list, points of a map (.geojson), a configuration of ODAS (.cfg), a
    table of OpenSoundscape's recorders, or the position_array of LOCATA.

    Raises MicrophoneFileError, naming file and line."""
    path = Path(path)
    rows = recorder_rows(read_rows(path, _check_header))
    if not rows:
        raise MicrophoneFileError(f"{path} lists no microphones, wanted a line for each after the header {COLUMNS[:4]}")
    try:
        return _microphones(rows)
    except (SceneError, ConfigError) as error:
        raise MicrophoneFileError(f"{path}: {error}") from error


def write_microphones(path: Path | str, microphones: Microphones) -> None:
    """Write a CSV that `read_microphones` reads back to the last bit. Blank coordinates where unknown."""
    names = (*microphones.names, *filter(None, microphones.files or ()))
    for name in names:
        if name != name.strip() or not name.isprintable() or not name:
            raise OutputError(f"{path}: the name {name!r} would read back differently, wanted plain text: rename it")
    crs = microphones.crs and [microphones.crs] * len(microphones)
    optional = {"file": microphones.files, "channel": microphones.channels, "crs": crs}
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
    """Coordinates are there, nothing is there twice, and nothing looks like one of ours in another unit."""
    columns = columns_of(header)
    other_units = _other_units(header, columns)
    if columns is None or other_units:
        raise MicrophoneFileError(
            f"{place}: columns {_shown(header)}; wanted name, x, y, z in metres, or latitude and longitude: "
            f"{_header_hint(other_units)}"
        )
    if any(header.count(column) > 1 for column in (*COLUMNS, *columns.limits)):
        raise MicrophoneFileError(f"{place}: columns {_shown(header)}; a column is there twice: remove one")


def _other_units(header: list[str], columns: Columns | None) -> list[str]:
    """Columns such as x_mm or sigma_cm; elevation_ft where there is no other height."""
    own = {*COLUMNS, *(columns.limits if columns else ())}
    stems = {*AXES, *(_stem(column) for column in PROPERTIES), *(() if columns and columns.up else HEIGHTS)}
    return [column for column in header if column not in own and _stem(column) in stems]


def _stem(column: str) -> str:
    return re.split("[ _([]", column)[0]


def _shown(header: list[str]) -> str:
    return reprlib.repr(", ".join(header[:LONGEST_LIST]))


def _header_hint(other_units: list[str]) -> str:
    if not other_units:
        return "is the line with the names missing, or one of them spelt otherwise?"
    stem = _stem(other_units[0])
    wanted = next((known for known in COLUMNS if _stem(known) == stem), stem)
    return f"convert {other_units[0]} to the unit wanted and call it {wanted}"


def _microphones(rows: list[TableRow]) -> Microphones:
    header = list(dict.fromkeys(column for row in rows for column in row.cells))
    columns = columns_of(header)
    assert columns is not None  # _check_header
    names, files, places = _names(rows, header), _files(rows), places_of(rows, columns)
    _check_names_differ(rows, names)
    return Microphones(
        positions=places.positions,
        names=names,
        files=files,
        channels=_channels(rows),
        crs=places.crs or _crs(rows),
        notes=places.notes,
        **{column: np.array([_property(row, column) for row in rows]) for column in PROPERTIES},
    )


def _names(rows: list[TableRow], header: list[str]) -> tuple[str, ...]:
    """Those of the list; without a column of names those of files, where there is one for each row; else mic1, mic2, ..."""
    column = next((name for name in NAMES if name in header), None)
    stems = [PurePosixPath(row.text("file").replace("\\", "/")).stem for row in rows]
    if column is None and all(stems) and len(set(stems)) == len(stems):
        return tuple(stems)
    return tuple((column and row.text(column)) or f"mic{r}" for r, row in enumerate(rows, 1))


def _check_names_differ(rows: list[TableRow], names: Sequence[str]) -> None:
    seen: dict[str, TableRow] = {}
    for row, name in zip(rows, names, strict=True):
        first = seen.setdefault(name, row)
        if first is not row:
            raise MicrophoneFileError(f"{row.place}: the name {name!r} is taken ({first.place}): names must differ")
        if not name.isprintable():
            raise MicrophoneFileError(f"{row.place}: the name {name!r} holds control characters: wrong file?")


def _crs(rows: list[TableRow]) -> str | None:
    """The one that rows name, if any does."""
    named = list(dict.fromkeys(text for row in rows if (text := row.text("crs"))))
    if len(named) > 1:
        raise MicrophoneFileError(
            f"{rows[0].place} and on: crs is {' and '.join(named)}, wanted one for all: list them apart"
        )
    return named[0] if named else None


def _property(row: TableRow, column: str) -> float:
    value = number(row, column, LARGEST_NUMBER) or 0.0
    if "sigma" in column and value < 0:
        raise MicrophoneFileError(f"{row.place}: {column} is {value:g}, wanted 0 or more: a standard error")
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


def _blank_where_nan(values: np.ndarray) -> list[float | str]:
    return ["" if np.isnan(value) else value for value in values.tolist()]
