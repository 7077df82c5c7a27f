"""Answers on disk: JSON (its schema is beside this file) and CSV, streamed, and never half a file (see atomic.py)."""

import csv
import io
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, TextIO

from soundfix.atomic import discard, part_path, publish, refused, target_of
from soundfix.errors import OutputError
from soundfix.estimate import Direction, Estimate, Source
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
    """{"method", "version", "estimates": [...], and what was concluded}; one estimate a line, written as they come."""

    def __init__(self, path: Path | str, method: str, version: str) -> None:
        self._file = PartFile(path)
        self._opening = f'{{"method": {json.dumps(method)}, "version": {json.dumps(version)}, "estimates": ['
        self._separator = "\n"
        self._method = method
        self.conclude(Summary())

    def __enter__(self) -> "JsonWriter":
        self._file.open()
        self._file.write(self._opening)
        return self

    def write(self, estimate: Estimate) -> None:
        line = _json(estimate.to_dict(), f"the estimate at {estimate.start_s} s", estimate.method)
        self._file.write(self._separator + line)
        self._separator = ",\n"

    def conclude(self, summary: Summary) -> None:
        """What all windows together say, for the end of the file."""
        parts = summary_dict(summary).items()
        self._ending = "".join(f',\n"{name}": {_json(part, "the conclusion", self._method)}' for name, part in parts)

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.finish(is_good=kind is None, ending=f"\n]{self._ending}}}\n")


class CsvWriter:
    """A row a source, or one row with blank coordinates for a window without an answer (source_rows)."""

    def __init__(self, path: Path | str) -> None:
        self._file = PartFile(path)

    def __enter__(self) -> "CsvWriter":
        self._file.open()
        self._file.write(_csv_line(CSV_COLUMNS))
        return self

    def write(self, estimate: Estimate) -> None:
        for row in source_rows(estimate):
            self._file.write(_csv_line(["" if cell is None else cell for cell in row]))

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.finish(is_good=kind is None, ending="")


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


class PartFile:
    """atomic_path for a file that stays open for hours while other work is done: only writing raises OutputError."""

    def __init__(self, path: Path | str) -> None:
        self._target = target_of(path)
        self._part = part_path(self._target)
        self._file: TextIO | None = None

    def open(self) -> None:
        try:
            self._file = self._part.open("x", encoding="utf-8", errors="backslashreplace", newline="")
        except OSError as error:
            raise refused(self._target, error) from error

    def write(self, text: str) -> None:
        assert self._file is not None, "write inside the `with`"
        try:
            self._file.write(text)
        except OSError as error:
            raise refused(self._target, error) from error

    def finish(self, *, is_good: bool, ending: str) -> None:
        """Take the target's place, or, if the run failed, leave nothing behind."""
        assert self._file is not None, "write inside the `with`"
        try:
            if is_good:
                self._file.write(ending)
                self._file.close()
                publish(self._part, self._target)
        except OSError as error:
            raise refused(self._target, error) from error
        finally:
            with suppress(OSError):  # closing flushes, and a full disk is full a second time
                self._file.close()
            discard(self._part)


def check_targets(outputs: Sequence[Path | str], inputs: Sequence[Path | str]) -> None:
    """Refuse, before the work, outputs that could not be written or that would overwrite each other or an input."""
    taken = {Path(os.path.realpath(path)) for path in inputs}
    for path in outputs:
        target = target_of(path)
        if target in taken:
            raise OutputError(f"cannot write {path}: it is an input, or named for two outputs; wanted another file")
        taken.add(target)


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


def _csv_line(cells: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([_safe(cell) for cell in cells])
    return line.getvalue()


def _safe(cell: Any) -> Any:
    """Text on one line, with an apostrophe where a spreadsheet would run it as a formula; numbers stay numbers."""
    if not isinstance(cell, str):
        return cell
    return ("'" if cell.startswith(FORMULA_STARTS) else "") + " ".join(cell.splitlines())
