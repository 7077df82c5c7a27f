"""Rows as Parquet, written as they come: columns of numbers, of text and of times, by pyarrow."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from soundfix.atomic import atomic_path
from soundfix.errors import MissingPackageError

ROWS_A_GROUP = 50_000  # that are in memory at once


def arrow(module: str = "pyarrow") -> Any:
    """A module of the package. Raises MissingPackageError without it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingPackageError("pyarrow", "archive") from error


def write_parquet(path: Path, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """columns: their types, as Arrow names them (double, string, "timestamp[us]", "timestamp[us, tz=UTC]"); times are
    given as ISO 8601. Raises OutputError where it cannot be written."""
    writer = arrow("pyarrow.parquet").ParquetWriter
    schema = arrow().schema([(name, _type(kind)) for name, kind in columns.items()])
    with atomic_path(path) as part, writer(part, schema, compression="zstd") as file:
        for group in _groups(rows):
            file.write_table(_table(group, columns, schema))


def _groups(rows: Iterable[Sequence[Any]]) -> Iterable[list[Sequence[Any]]]:
    group: list[Sequence[Any]] = []
    for row in rows:
        group.append(row)
        if len(group) == ROWS_A_GROUP:
            yield group
            group = []
    yield group


def _table(group: Sequence[Sequence[Any]], columns: Mapping[str, str], schema: Any) -> Any:
    cells = zip(*group, strict=True) if group else ([] for _ in columns)
    typed = [
        arrow().array(
            [_time(cell) for cell in column] if kind.startswith("timestamp") else list(column), type=field.type
        )
        for column, kind, field in zip(cells, columns.values(), schema, strict=True)
    ]
    return arrow().Table.from_arrays(typed, schema=schema)


def _time(cell: str | None) -> datetime | None:
    return None if cell is None else datetime.fromisoformat(cell)


def _type(kind: str) -> Any:
    if kind.startswith("timestamp"):
        return arrow().timestamp("us", tz="UTC" if "UTC" in kind else None)
    return {"double": arrow().float64, "string": arrow().string, "int32": arrow().int32}[kind]()
