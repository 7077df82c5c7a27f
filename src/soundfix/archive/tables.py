"""All answers of an archive in one table and on one map, made of its parts, each read once."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from soundfix.archive.parts import Parts
from soundfix.archive.rows import COLUMNS
from soundfix.archive.told import Report
from soundfix.report.exports import csv_line
from soundfix.report.outputs import WholeFile
from soundfix.report.parquet import write_parquet

TABLE, SHEET, MAP = "answers.parquet", "answers.csv", "answers.geojson"
FEATURES = '{"type": "FeatureCollection", "features": [', "\n]}\n"
TEXT = ("event", "rows", "verdict", "reasons", "microphones", "broken")


def write_tables(folder: Path, parts: Parts, keys: Sequence[str], report: Report, *, has_map: bool) -> None:
    """Parquet, CSV and, where has_map, GeoJSON, of the pieces that are done, in this order; the report is told of all."""
    kinds = {name: _kind(name, is_zoned=report.has_zone) for name in COLUMNS}
    with ExitStack() as files:
        sheet = files.enter_context(_Sheet(folder / SHEET, csv_line(COLUMNS), ""))
        to_map = files.enter_context(_Sheet(folder / MAP, *FEATURES)) if has_map else None

        def rows() -> Iterator[list[Any]]:
            separator = "\n"
            for part in parts.read(keys):
                report.add(part)
                if to_map is not None:
                    for feature in part.features:
                        to_map.write(separator + json.dumps(feature, allow_nan=False))
                        separator = ",\n"
                for row in part.rows:
                    sheet.write(csv_line(["" if cell is None else cell for cell in row]))
                    yield row

        write_parquet(folder / TABLE, kinds, rows())


def _kind(column: str, *, is_zoned: bool) -> str:
    if column == "clock":
        return "timestamp[us, tz=UTC]" if is_zoned else "timestamp[us]"
    return "string" if column in TEXT else "int32" if column == "source" else "double"


class _Sheet:
    """A file that is whole at the end, or as it was before."""

    def __init__(self, path: Path, head: str, ending: str) -> None:
        self._file, self._head, self._ending = WholeFile(path), head, ending

    def __enter__(self) -> WholeFile:
        self._file.open()
        self._file.write(self._head)
        return self._file

    def __exit__(self, kind: Any, *_: Any) -> None:
        self._file.finish(is_good=kind is None, ending=self._ending)
