"""Where a list has its microphones: x, y, z; easting, northing, elevation; or latitude and longitude, which are projected.

Names of columns are in lower case by now (tables.py), and may say that they are metres: x_m, easting (m). Where a list has
places twice, metres count before degrees. Without heights all microphones are at one height, and a note says so.
"""

import re
import reprlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.errors import MicrophoneFileError
from soundfix.files.projection import described, to_metres, utm_at
from soundfix.files.tables import TableRow
from soundfix.microphones import LARGEST_COORDINATE_M

METRES = ((("x",), ("y",)), (("easting",), ("northing",)))
DEGREES = (("longitude", "lon", "lng", "long"), ("latitude", "lat"))
HEIGHTS = ("z", "elevation", "altitude", "elev", "ele", "alt")
LARGEST_LONGITUDE, LARGEST_LATITUDE = 180.0, 90.0
UNIT = re.compile(r"(?<![ _])[ _]*[(\[]m[)\]]$|[ _]m$")  # that says metres
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
LEVEL = "No z in the list: all microphones are taken to be at one height, 0 m."


class Columns(NamedTuple):
    """Of the coordinates, as the header has them; up: None where there are no heights."""

    east: str
    north: str
    up: str | None
    is_degrees: bool

    @property
    def limits(self) -> dict[str, float]:
        """Of each column what no number in it is beyond."""
        across = (LARGEST_LONGITUDE, LARGEST_LATITUDE) if self.is_degrees else (LARGEST_COORDINATE_M,) * 2
        up = {self.up: LARGEST_COORDINATE_M} if self.up else {}
        return dict(zip((self.east, self.north), across, strict=True)) | up


class Places(NamedTuple):
    """positions: (M, 3) in metres, NaN where unknown. crs: what degrees were projected to."""

    positions: Float[np.ndarray, "mic 3"]
    crs: str | None
    notes: tuple[str, ...]


def columns_of(header: Sequence[str]) -> Columns | None:
    """None where it names no coordinates."""
    plain = {UNIT.sub("", column): column for column in reversed(header)}

    def first(names: Sequence[str]) -> str | None:
        return next((plain[name] for name in names if name in plain), None)

    for easts, norths in (*METRES, DEGREES):
        east, north = first(easts), first(norths)
        if east and north:
            return Columns(east, north, first(HEIGHTS), is_degrees=(easts, norths) == DEGREES)
    return None


def places_of(rows: Sequence[TableRow], columns: Columns) -> Places:
    """Of every row; degrees in metres of UTM, in the zone of the first. Raises MicrophoneFileError, naming the line, and
    MissingPackageError where there are degrees and no pyproj."""
    given = np.array([_coordinates(row, columns) for row in rows])
    level = () if columns.up else (LEVEL,)
    is_known = ~np.isnan(given[:, 0])
    if not columns.is_degrees or not is_known.any():
        return Places(given, None, level)
    crs = utm_at(*given[is_known][0, :2].tolist())
    given[is_known, :2] = to_metres(given[is_known, :2], crs)
    note = f"Latitude and longitude were projected to {described(crs)}: places are metres in it."
    return Places(given, crs, (note, *level))


def _coordinates(row: TableRow, columns: Columns) -> tuple[float, float, float]:
    """East, north, up as they are given; NaN three times where blank, which is how Microphones wants an unknown position."""
    values = {column: number(row, column, largest) for column, largest in columns.limits.items()}
    blank = [column for column, value in values.items() if value is None]
    if len(blank) == len(values):
        return np.nan, np.nan, np.nan
    if blank:
        many = "all three" if columns.up else "both"
        raise MicrophoneFileError(
            f"{row.place}: {', '.join(blank)} is blank: give {many}, or none for an unknown position"
        )
    east, north, *up = (value for value in values.values() if value is not None)
    return east, north, up[0] if up else 0.0


def number(row: TableRow, column: str, largest: float) -> float | None:
    """None where blank. Stricter than float(): no nan, no inf, no 1_000. Raises MicrophoneFileError."""
    text, place = row.text(column), f"{row.place}, column {column}"
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        comma = " Decimals take a point: 1.5, not 1,5." if "," in text else ""
        raise MicrophoneFileError(f"{place}: {reprlib.repr(text)} is not a number; blank means unknown.{comma}")
    if abs(float(text)) > largest:
        raise MicrophoneFileError(f"{place}: {reprlib.repr(text)} is beyond {largest:,.0f}: a unit or a typo?")
    return float(text)
