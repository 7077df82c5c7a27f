"""Answers as JSON (its schema is beside this file), JSON lines and CSV, written as they come (see outputs.py)."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from soundfix.errors import OutputError
from soundfix.estimate import Direction, Estimate, Source
from soundfix.report.outputs import rows, whole
from soundfix.report.summary import summary_dict
from soundfix.session.summary import Summary

PLACE_COLUMNS = ("x_m", "y_m", "z_m", "radius90_m", "score")
DIRECTION_COLUMNS = ("azimuth_deg", "elevation_deg", "cone90_deg", "nearest_m", "furthest_m")
EVENT_COLUMNS = ("event", "clock")
TRACK_COLUMNS = ("track", "level_dbfs")
CSV_COLUMNS = [
    "start_s", "end_s", "verdict", "reasons", "source", *PLACE_COLUMNS, *DIRECTION_COLUMNS, *EVENT_COLUMNS, *TRACK_COLUMNS
]  # fmt: skip
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for a formula (OWASP, CSV injection)


class JsonWriter:
    """{"method", "version", "request", "estimates": [...], and what was concluded}; one estimate a line, whole at the end.

    request: what went in, where that is known.
    """

    def __init__(self, path: Path | str, method: str, version: str, request: Mapping[str, Any] | None = None) -> None:
        self._file = whole(path)
        head = {"method": method, "version": version} | ({"request": request} if request else {})
        self._opening = _json(head, "the request", method)[:-1] + ', "estimates": ['
        self._separator = "\n"
        self._method = method
        self.conclude(Summary())

    def __enter__(self) -> "JsonWriter":
        self._file.open()
        self._file.write(self._opening)
        return self

    def write(self, estimate: Estimate) -> None:
        self._file.write(self._separator + _line(estimate))
        self._separator = ",\n"

    def conclude(self, summary: Summary) -> None:
        """What all windows together say, for the end of the file."""
        parts = summary_dict(summary).items()
        self._ending = "".join(f',\n"{name}": {_json(part, "the conclusion", self._method)}' for name, part in parts)

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.finish(is_good=kind is None, ending=f"\n]{self._ending}}}\n")


class JsonLinesWriter:
    """An estimate a line, as in `estimates` of the JSON file, as they come."""

    def __init__(self, path: Path | str) -> None:
        self._file = rows(path)

    def __enter__(self) -> "JsonLinesWriter":
        self._file.open()
        return self

    def write(self, estimate: Estimate) -> None:
        self._file.write(_line(estimate) + "\n")

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.finish(is_good=kind is None)


class CsvWriter:
    """A row a source, or one row with blank coordinates for a window without an answer (source_rows), as they come."""

    def __init__(self, path: Path | str) -> None:
        self._file = rows(path, header=csv_line(CSV_COLUMNS))

    def __enter__(self) -> "CsvWriter":
        self._file.open()
        return self

    def write(self, estimate: Estimate) -> None:
        lines = (csv_line(["" if cell is None else cell for cell in row]) for row in source_rows(estimate))
        self._file.write("".join(lines))

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.finish(is_good=kind is None)


def source_rows(estimate: Estimate) -> list[list[Any]]:
    """Under CSV_COLUMNS: a row a source, or one whose coordinates are None for a window without an answer.

    label is what a sound of a table is called. A direction has a row a side, without coordinates; the other answers have
    none of its columns.
    """
    span = [estimate.start_s, estimate.end_s, estimate.verdict, " ".join(estimate.reasons)]
    event, nobody = _event_cells(estimate), [None] * len(TRACK_COLUMNS)
    if not estimate.sources:
        rest = [None] * (len(CSV_COLUMNS) - len(span) - len(event) - len(nobody))
        return [[*span, *rest, *event, *nobody]]
    if estimate.direction:
        sides = enumerate(zip(estimate.direction.sides, estimate.sources, strict=False), 1)
        return [
            [*span, number, None, None, None, None, source.score, *_side_cells(side), *event, *nobody]
            for number, (side, source) in sides
        ]
    rest = [None] * len(DIRECTION_COLUMNS)
    return [
        [*span, number, *_source_cells(source), *rest, *event, source.track, source.level_dbfs]
        for number, source in enumerate(estimate.sources, 1)
    ]


def locate_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what JsonWriter writes."""
    schema: dict[str, Any] = json.loads((files("soundfix.report") / "locate.schema.json").read_text("utf-8"))
    return schema


def _line(estimate: Estimate) -> str:
    return _json(estimate.to_dict(), f"the estimate at {estimate.start_s} s", estimate.method)


def _json(said: Any, what: str, method: str) -> str:
    """On one line."""
    try:
        return json.dumps(said, allow_nan=False)
    except ValueError as error:
        raise OutputError(
            f"{what} holds a number that is not finite, wanted finite ones: method {method} breaks its contract"
        ) from error


def _source_cells(source: Source) -> list[float]:
    return [*source.position_m.tolist(), source.radius90_m, source.score]


def _event_cells(estimate: Estimate) -> list[str | None]:
    label = estimate.event.label or None if estimate.event else None
    return [label, estimate.clock.isoformat() if estimate.clock else None]


def _side_cells(side: Direction) -> list[float | None]:
    return [side.azimuth_deg, side.elevation_deg, side.cone90_deg, *(side.range_m or (None, None))]


def csv_line(cells: Sequence[Any]) -> str:
    """With what a spreadsheet would run made text."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([_safe(cell) for cell in cells])
    return line.getvalue()


def _safe(cell: Any) -> Any:
    """Text on one line, with an apostrophe where a spreadsheet would run it as a formula; numbers stay numbers."""
    if not isinstance(cell, str):
        return cell
    return ("'" if cell.startswith(FORMULA_STARTS) else "") + " ".join(cell.splitlines())
