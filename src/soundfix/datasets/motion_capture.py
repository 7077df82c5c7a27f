"""What a motion capture wrote: where every marker and body was, frame by frame, in metres, NaN where it was lost.

Three forms, told apart by the caller
-------------------------------------
Qualisys TSV     header lines (NO_OF_FRAMES, FREQUENCY, MARKER_NAMES or BODY_NAMES, ...), then tab-separated rows in
                 millimetres. With a row of column names ("Frame  Time  NAME X  NAME Y  NAME Z ..."; for bodies
                 "NAME X  Y  Z  Roll ...") places are found by these; without one, every marker is three columns and
                 every body sixteen, after none or two (frame, time). Time 0 is the start of the capture.
trajectory CSV   timestamps, X, Y, Z, Roll, Pitch, Yaw, Residual, Rot[0..8], in millimetres: one body. Timestamps may be
                 seconds, ms, us, ns or frame numbers, from any epoch: their step says which, for it is 1/100 s.
                 The first row is time 0.
positions CSV    time, speaker_x, speaker_y, speaker_z, mic1_x, ... in seconds and metres.

Column names may differ in case, spaces and units in brackets; separators of a CSV may be comma, semicolon or tab. A
place that is 0, 0, 0 or blank was lost. Frames left out of a CSV become one lost frame, so that nobody interpolates
across them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.errors import DatasetError
from soundfix.gate import gate

RATE_HZ = 100.0
UNITS_S = (1.0, 1e-3, 1e-6, 1e-9, 1 / RATE_HZ)  # of a timestamp: s, ms, us, ns, frames
STEP_TOLERANCE = 0.05  # share by which the median step may differ from 1/100 s
GAP_STEPS = 1.5  # a step this many times the usual one means that frames were left out
SMALLEST_EXTENT_M, LARGEST_EXTENT_M = 0.05, 100.0  # of a studio's coordinates: beyond, the unit is another
MARKER_COLUMNS, BODY_COLUMNS = 3, 16  # X Y Z; and Roll Pitch Yaw Residual Rot[0..8]
LONGEST_LIST = 8  # names shown in a message


@dataclass(frozen=True, kw_only=True, eq=False)
class MotionCapture:
    """times_s: (T,) seconds, increasing, at least two. places: by name, (T, 3) metres, NaN where lost.

    has_bodies: these are bodies (6D), not markers (3D).
    """

    path: Path
    times_s: Float[np.ndarray, "time"]
    places: dict[str, Float[np.ndarray, "time 3"]]
    has_bodies: bool = False


@gate(DatasetError)
def read_qualisys(path: Path) -> MotionCapture:
    """Read a 3D or 6D export. Raises DatasetError, which names the file and, where it can, the line."""
    export = _export(path)
    has_bodies = "BODY_NAMES" in export.header or "6D" in export.header.get("DATA_INCLUDED", [])
    starts = _starts_by_columns(export) or _starts_by_names(export, has_bodies)
    _check_all_frames(export)
    values_mm = _numbers(export.rows, [start + axis for start in starts.values() for axis in range(3)], path)
    return _checked(
        MotionCapture(
            path=path,
            times_s=_qualisys_times(export),
            places={name: _places(values_mm[:, 3 * n : 3 * n + 3] / 1000) for n, name in enumerate(starts)},
            has_bodies=has_bodies,
        )
    )


@gate(DatasetError)
def read_trajectory(path: Path) -> MotionCapture:
    """Read a processed CSV of one body, called "body". Raises DatasetError."""
    columns, rows = _csv_parts(path)
    stamps = next((c for c in ("timestamps", "timestamp", "time") if c in columns), "timestamps")
    values = _numbers(rows, _wanted(columns, (stamps, "x", "y", "z"), path), path)
    times_s, places = _gaps_marked(_seconds(values[:, 0], path), _places(values[:, 1:] / 1000)[:, None])
    return _checked(MotionCapture(path=path, times_s=times_s, places={"body": places[:, 0]}, has_bodies=True))


@gate(DatasetError)
def read_positions(path: Path) -> MotionCapture:
    """Read gt_positions.csv: "speaker", "mic1", ... as the columns say. Raises DatasetError."""
    columns, rows = _csv_parts(path)
    _wanted(columns, ("time", "speaker_x", "speaker_y", "speaker_z"), path)
    names = [column[:-2] for column in columns if column.endswith("_x")]
    wanted = ["time", *(f"{name}_{axis}" for name in names for axis in "xyz")]
    values = _numbers(rows, _wanted(columns, wanted, path), path)
    times_s = _increasing(values[:, 0], path)
    times_s, places = _gaps_marked(times_s, _places(values[:, 1:].reshape(len(rows), len(names), 3)))
    return _checked(MotionCapture(path=path, times_s=times_s, places={n: places[:, i] for i, n in enumerate(names)}))


class _Row(NamedTuple):
    """A row of a table: where it stands in the file, and its cells."""

    line: int
    cells: list[str]


def _lines(path: Path, separator: Callable[[str], str]) -> list[_Row]:
    """The lines that hold something, cut into cells; `separator` tells it from the first one."""
    try:
        text = path.read_text("utf-8-sig", errors="replace")
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror}") from error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip(" ")]
    if not lines:
        raise DatasetError(f"{path} is empty, wanted the truth of a recording: was the copy interrupted?")
    between = separator(lines[0][1])
    return [_Row(number, [cell.strip() for cell in line.split(between)]) for number, line in lines]


class _Export(NamedTuple):
    """A Qualisys file: header lines by their first word, column names (none where there is no such row), rows."""

    path: Path
    header: dict[str, list[str]]
    columns: list[str]
    rows: list[_Row]


def _export(path: Path) -> _Export:
    """The first row is the first line that begins with a number or a blank."""
    lines = _lines(path, lambda _: "\t")
    count = next((n for n, row in enumerate(lines) if not row.cells[0] or _is_number(row.cells[0])), len(lines))
    header = {row.cells[0].upper(): row.cells[1:] for row in lines[:count]}
    if not {"NO_OF_FRAMES", "FREQUENCY", "MARKER_NAMES", "BODY_NAMES"} & set(header):
        raise DatasetError(
            f"{path} begins with {lines[0].cells[0]!r}, wanted Qualisys header lines such as NO_OF_FRAMES, FREQUENCY, "
            "MARKER_NAMES: is it another table?"
        )
    if count == len(lines):
        raise DatasetError(f"{path} has header lines and no frames: was the copy interrupted?")
    columns = next((row.cells for row in lines[:count] if any(map(_is_x_column, row.cells))), [])
    return _Export(path, header, columns, lines[count:])


def _is_x_column(cell: str) -> bool:
    return cell.upper().endswith(" X")


def _starts_by_columns(export: _Export) -> dict[str, int]:
    """Name -> its X column, from the column names; nothing without them."""
    starts = {cell[:-2].strip(): c for c, cell in enumerate(export.columns) if _is_x_column(cell)}
    for name, start in starts.items():
        three = export.columns[start : start + 3]
        if [cell[-1:].upper() for cell in three] != ["X", "Y", "Z"]:
            raise DatasetError(
                f"{export.path}: columns {three} for {name}, wanted X, Y and Z: is the header cut short?"
            )
    return starts


def _starts_by_names(export: _Export, has_bodies: bool) -> dict[str, int]:
    """Name -> its X column, from MARKER_NAMES or BODY_NAMES and the width of the table."""
    names = [name for name in export.header.get("BODY_NAMES" if has_bodies else "MARKER_NAMES", []) if name]
    each = BODY_COLUMNS if has_bodies else MARKER_COLUMNS
    width = max(len(row.cells) for row in export.rows)
    lead = width - each * len(names)
    if lead in (1, 3) and not any(row.cells[width - 1 :] != [""] for row in export.rows):
        lead -= 1  # every row ends with a tab
    if not names or lead not in (0, 2):
        raise DatasetError(
            f"{export.path}: {width} columns for {len(names)} names, wanted {each} for each, after none or two (frame, "
            "time), or a row of column names: is MARKER_NAMES or BODY_NAMES cut short?"
        )
    return {name: lead + each * n for n, name in enumerate(names)}


def _check_all_frames(export: _Export) -> None:
    promised = export.header.get("NO_OF_FRAMES", [""])[0]
    if promised.isdigit() and len(export.rows) < int(promised):
        raise DatasetError(
            f"{export.path} has {len(export.rows)} frames, wanted {promised} as its header promises: "
            "was the copy interrupted?"
        )


def _qualisys_times(export: _Export) -> Float[np.ndarray, "time"]:
    """The column Time where there is one; frames at FREQUENCY otherwise."""
    columns = [column.casefold() for column in export.columns]
    if "time" in columns:
        return _increasing(_numbers(export.rows, [columns.index("time")], export.path)[:, 0], export.path)
    frequency = export.header.get("FREQUENCY", [""])[0]
    if not _is_number(frequency) or float(frequency) <= 0:
        raise DatasetError(
            f"{export.path}: FREQUENCY is {frequency!r}, wanted frames a second, such as 100: a damaged header?"
        )
    return _increasing(np.arange(len(export.rows)) / float(frequency), export.path)


def _csv_parts(path: Path) -> tuple[list[str], list[_Row]]:
    """Column names, without case, spaces and units; then the rows."""
    lines = _lines(path, lambda first: max(",;\t", key=first.count))
    columns = [
        re.sub(r"\[[^\[\]\d]*\]|\([^()\d]*\)", "", cell).strip().casefold().replace(" ", "_") for cell in lines[0].cells
    ]
    if len(lines) < 3:
        raise DatasetError(f"{path} has {len(lines) - 1} frames, wanted two or more: was the copy interrupted?")
    return columns, lines[1:]


def _wanted(columns: list[str], names: Sequence[str], path: Path) -> list[int]:
    places = {name: place for place, name in reversed([*enumerate(columns)])}  # the first of each
    missing = [name for name in names if name not in places]
    if missing:
        raise DatasetError(
            f"{path}: columns {', '.join(columns[:LONGEST_LIST])}; wanted {', '.join(missing[:LONGEST_LIST])} too: is "
            "the line with the names missing, or is it another table?"
        )
    return [places[name] for name in names]


def _numbers(rows: list[_Row], columns: list[int], path: Path) -> Float[np.ndarray, "time column"]:
    """These columns of all rows; NaN where a cell is blank."""
    return np.array([_row_numbers(row, columns, path) for row in rows], dtype=np.float64)


def _row_numbers(row: _Row, columns: list[int], path: Path) -> list[float]:
    try:
        return [float(row.cells[c]) if row.cells[c] else np.nan for c in columns]
    except IndexError as error:
        raise DatasetError(
            f"{path}, line {row.line}: {len(row.cells)} cells, wanted {max(columns) + 1}: is the file cut short there?"
        ) from error
    except ValueError as error:
        wrong = next(row.cells[c] for c in columns if row.cells[c] and not _is_number(row.cells[c]))
        raise DatasetError(
            f"{path}, line {row.line}: {wrong!r} is no number: a decimal comma, or another separator? "
            "Decimals take a point: 1.5, not 1,5"
        ) from error


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _places(values_m: Float[np.ndarray, "*rows 3"]) -> Float[np.ndarray, "*rows 3"]:
    """NaN where lost: where a coordinate is missing, or all of them are 0."""
    is_lost = ~np.isfinite(values_m).all(axis=-1) | (values_m == 0).all(axis=-1)
    return np.where(is_lost[..., None], np.nan, values_m)


def _increasing(times_s: Float[np.ndarray, "time"], path: Path) -> Float[np.ndarray, "time"]:
    steps = np.diff(times_s)
    is_wrong = ~((steps > 0) & (steps < np.inf))
    if len(times_s) < 2 or is_wrong.any():
        where = f"after {times_s[int(is_wrong.argmax())]:g}" if is_wrong.any() else "with a single frame"
        raise DatasetError(
            f"{path}: time does not go on {where}, wanted increasing times: are rows mixed up or missing?"
        )
    return times_s


def _seconds(stamps: Float[np.ndarray, "time"], path: Path) -> Float[np.ndarray, "time"]:
    """From the first stamp on, in the unit in which the usual step is 1/100 s."""
    step = float(np.median(np.diff(_increasing(stamps, path))))
    for unit_s in UNITS_S:
        if abs(step * unit_s * RATE_HZ - 1) < STEP_TOLERANCE:
            return (stamps - stamps[0]) * unit_s
    raise DatasetError(
        f"{path}: timestamps step by {step:g}, wanted 1/{RATE_HZ:g} s in s, ms, us, ns or frames: "
        "were they rounded, or is this another rate?"
    )


def _gaps_marked(
    times_s: Float[np.ndarray, "time"], places: Float[np.ndarray, "time name 3"]
) -> tuple[Float[np.ndarray, "longer"], Float[np.ndarray, "longer name 3"]]:
    """One lost frame wherever frames were left out."""
    steps = np.diff(times_s)
    usual_s = float(np.median(steps))
    after = np.flatnonzero(steps > GAP_STEPS * usual_s) + 1
    return np.insert(times_s, after, times_s[after - 1] + usual_s), np.insert(places, after, np.nan, axis=0)


def _checked(capture: MotionCapture) -> MotionCapture:
    """Coordinates of a studio, in metres: the largest is neither a few centimetres nor a hundred metres."""
    everything = np.concatenate([np.zeros((0, 3)), *capture.places.values()])
    largest_m = float(np.abs(everything[~np.isnan(everything)]).max(initial=0.0))
    if largest_m and not SMALLEST_EXTENT_M <= largest_m <= LARGEST_EXTENT_M:
        wrong = "metres already" if largest_m < SMALLEST_EXTENT_M else "millimetres, where metres were wanted"
        raise DatasetError(
            f"{capture.path}: the largest coordinate comes to {largest_m:.3g} m, wanted {SMALLEST_EXTENT_M:g} to "
            f"{LARGEST_EXTENT_M:g} m: are they {wrong}?"
        )
    return capture
