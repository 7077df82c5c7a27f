"""Positions of a LOCATA recording (Evers et al., 2020): tables between tabs, a row a moment of the motion capture.

    position_array_NAME.txt     year month day hour minute second x y z ref_vec_x ... rotation_33 mic1_x mic1_y mic1_z ...
    position_source_NAME.txt    the same without microphones

Metres, in the room; times are of one clock, to which audio_array_timestamps_NAME.txt puts every sample.
"""

import csv
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.errors import MicrophoneFileError

CLOCK = ("year", "month", "day", "hour", "minute", "second")
MICROPHONE = re.compile(r"mic([1-9]\d{0,3})_x")
STILL_M = 0.02  # an array that is not carried moves no further in the eyes of the motion capture


class Moments(NamedTuple):
    """at: of every row. places: (rows, K, 3) in metres."""

    at: list[datetime]
    places: Float[np.ndarray, "row place 3"]


def is_array_table(header: Sequence[str]) -> bool:
    """By its columns."""
    return {"year", "second", "mic1_x", "mic1_y", "mic1_z"} <= set(header)


def listed(header: Sequence[str], table: Sequence[Sequence[str]], place: str) -> list[dict[str, str]]:
    """name, x, y, z and channel of every microphone, as text: where it mostly was.

    Raises MicrophoneFileError where the array is carried about: a list has one place for each."""
    numbers = [int(found[1]) for column in header if (found := MICROPHONE.fullmatch(column))]
    places = moments(header, table, [f"mic{number}_" for number in numbers], place).places
    usual = np.median(places, axis=0)
    moved_m = float(np.linalg.norm(places - usual, axis=2).max())
    if moved_m > STILL_M:
        raise MicrophoneFileError(
            f"{place}: this array moves, by {moved_m:.2f} m, wanted one that stands: a list has one place a microphone "
            "(LOCATA's tasks 1 to 4)"
        )
    return [
        {
            "name": f"mic{number}",
            **{axis: repr(float(value)) for axis, value in zip("xyz", row, strict=True)},
            "channel": f"{number}",
        }
        for number, row in zip(numbers, usual, strict=True)
    ]


def moments(header: Sequence[str], table: Sequence[Sequence[str]], stems: Sequence[str], place: str) -> Moments:
    """Of the columns stem + x, y, z each. Raises MicrophoneFileError, naming the row."""
    wanted = [f"{stem}{axis}" for stem in stems for axis in "xyz"]
    missing = [column for column in (*CLOCK, *wanted) if column not in header]
    if missing or not table:
        raise MicrophoneFileError(
            f"{place} has {len(table)} rows and no column {', '.join(missing[:3]) or 'missing'}: wanted a table of LOCATA"
        )
    columns = [list(header).index(column) for column in (*CLOCK, *wanted)]
    rows = [_numbers(row, columns, f"{place}, row {number}") for number, row in enumerate(table, 1)]
    at = [clock(row[:6], f"{place}, row {number}") for number, row in enumerate(rows, 1)]
    return Moments(at, np.array([row[6:] for row in rows]).reshape(len(rows), len(stems), 3))


def clock(numbers: Sequence[float], place: str) -> datetime:
    """Of year, month, day, hour, minute, second. Raises MicrophoneFileError on what is no time."""
    try:
        year, month, day, hour, minute = (int(number) for number in numbers[:5])
        return datetime(year, month, day, hour, minute, tzinfo=UTC) + timedelta(seconds=numbers[5])
    except (ValueError, OverflowError):
        raise MicrophoneFileError(f"{place}: {list(numbers)} is no time, wanted year to second") from None


def rows_of(text: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table; between tabs, or commas."""
    lines = text.splitlines()
    delimiter = "\t" if lines and "\t" in lines[0] else ","
    header, *rows = [[cell.strip() for cell in cells] for cells in csv.reader(lines, delimiter=delimiter)] or [[]]
    return header, [row for row in rows if any(row)]


def _numbers(row: Sequence[str], columns: Sequence[int], place: str) -> list[float]:
    try:
        numbers = [float(row[column]) for column in columns]
    except (ValueError, IndexError):
        numbers = [np.nan]
    if not np.isfinite(numbers).all():
        raise MicrophoneFileError(f"{place}: wanted a number in every column: is the file cut short?")
    return numbers
