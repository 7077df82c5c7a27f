"""Small tables as rows of text: CSV, YAML or JSON, all three made to obey the same rules.

YAML and JSON hold a list of mappings, alone or as the one value of a mapping. Nothing is interpreted here: `no` stays
a name, NaN stays a word, and an error can quote what stands in the file.
"""

import csv
import json
import re
import reprlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from soundfix.errors import MicrophoneFileError
from soundfix.files import geojson, locata, odas

LARGEST_ROW_COUNT = 100_000
LARGEST_FILE_BYTES = 64 * 2**20  # ample for the rows above
YAML_BLANKS = frozenset({"null", "~"})

CheckHeader = Callable[[list[str], str], None]  # (columns, place): raises MicrophoneFileError


class TableRow(NamedTuple):
    """One row as text, and where it stands in the file, for errors: "mics.csv, line 3"."""

    place: str
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """The cell without outer spaces; "" where the table has no such column."""
        return self.cells.get(column, "").strip()


def read_rows(path: Path, check_header: CheckHeader) -> list[TableRow]:
    """The rows of a .yaml, .yml, .json or .geojson file, of an ODAS .cfg, or of a CSV under any other name."""
    read = READERS.get(path.suffix.lower(), _csv_rows)
    return _limited(read(_text(path), path, check_header), path)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise MicrophoneFileError(
                f"{path} has {path.stat().st_size} bytes, wanted a list of microphones: wrong file?"
            )
        raw = path.read_bytes()
    except OSError as error:
        raise MicrophoneFileError(f"{path} cannot be read: {error.strerror}. Wanted a list of microphones") from error
    if b"\0" in raw:
        raise MicrophoneFileError(f"{path} is binary or UTF-16, wanted text: save the list as CSV in UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise MicrophoneFileError(
            f"{path}, line {line}: byte {raw[error.start]:#x} is not UTF-8: save the list as CSV in UTF-8"
        ) from error


def _csv_rows(text: str, path: Path, check_header: CheckHeader) -> Iterator[TableRow]:
    numbered = enumerate(re.split("\r\n|\r|\n", text), 1)
    lines = [(number, line) for number, line in numbered if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise MicrophoneFileError(f"{path} is empty, wanted the header name,x,y,z and a line a microphone")
    separator = max(",;\t", key=lines[0][1].count)
    table = _split(lines, separator, path)
    header = [cell.strip().lower() for cell in next(table)[1]]
    if locata.is_array_table(header):
        yield from _mapping_rows(locata.listed(header, [cells for _, cells in table], str(path)), path, check_header)
        return
    check_header(header, f"{path}, line {lines[0][0]}")
    for line, cells in table:
        if any(cell.strip() for cell in cells):
            yield TableRow(f"{path}, line {line}", _paired(header, cells, f"{path}, line {line}"))


def _split(lines: list[tuple[int, str]], separator: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of every line. Each line is a row: no name of a microphone spans two."""
    for number, line in lines:
        try:
            yield number, next(csv.reader([line], delimiter=separator, strict=True, skipinitialspace=True))
        except csv.Error as error:
            raise MicrophoneFileError(
                f"{path}, line {number}: {error}: a quotation mark that is not closed?"
            ) from error


def _paired(header: list[str], cells: list[str], place: str) -> dict[str, str]:
    extra = [cell for cell in cells[len(header) :] if cell.strip()]
    if len(cells) < len(header) or extra:
        raise MicrophoneFileError(
            f"{place} has {len(cells)} cells, wanted {len(header)} as in the header: a missing separator, or a decimal "
            "comma? Write 1.5, not 1,5"
        )
    return dict(zip(header, cells, strict=False))


def _yaml_rows(text: str, path: Path, check_header: CheckHeader) -> Iterator[TableRow]:
    """Every value stays text (BaseLoader): `no` is a name, not False, and nothing in the file can run code."""
    try:
        document = yaml.load(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "nested too deeply"
        raise MicrophoneFileError(f"{path}{line} is not YAML: {problem}. Wanted a list of name, x, y, z") from error
    return _mapping_rows(document, path, check_header)


def _json_rows(text: str, path: Path, check_header: CheckHeader) -> Iterator[TableRow]:
    """Numbers stay text too, so that NaN and 1e999 meet the same check as in a CSV."""
    try:
        document = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError) as error:
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise MicrophoneFileError(f"{path}{line} is not JSON: {error}. Wanted a list of name, x, y, z") from error
    if geojson.is_geojson(document):
        document = geojson.points(document, str(path))
    return _mapping_rows(document, path, check_header)


def _odas_rows(text: str, path: Path, check_header: CheckHeader) -> Iterator[TableRow]:
    return _mapping_rows(odas.listed(text, str(path)), path, check_header)


def _mapping_rows(document: Any, path: Path, check_header: CheckHeader) -> Iterator[TableRow]:
    """A column that one entry leaves out is blank there, as long as some entry has it."""
    entries = document.get("microphones") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise MicrophoneFileError(
            f'{path} holds {_brief(document)}, wanted a list of microphones, or {{"microphones": [...]}}'
        )
    table = [(f"{path}, microphone {number}", entry) for number, entry in enumerate(entries, 1)]
    for place, entry in table:
        if not isinstance(entry, dict):
            raise MicrophoneFileError(f"{place} is {_brief(entry)}, wanted a mapping such as {{name: a, x: 0, ...}}")
    if table:
        check_header(list(dict.fromkeys(_column(key) for entry in entries for key in entry)), str(path))
    for place, entry in table:
        yield TableRow(place, {_column(key): _cell(value, f"{place}, {key}") for key, value in entry.items()})


def _column(key: object) -> str:
    return str(key).strip().lower()


def _cell(value: Any, place: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MicrophoneFileError(f"{place} is {_brief(value)}, wanted a number or text")
    return "" if value in YAML_BLANKS else value


def _brief(value: object) -> str:
    """What was found, in few words: lists are not looked into, for a few aliases can make them endless."""
    if isinstance(value, dict):
        return f"a mapping of {reprlib.repr([str(key) for key in value])}"
    return "a list" if isinstance(value, list) else reprlib.repr(value)


def _limited(rows: Iterator[TableRow], path: Path) -> list[TableRow]:
    limited: list[TableRow] = []
    for row in rows:
        if len(limited) == LARGEST_ROW_COUNT:
            raise MicrophoneFileError(f"{path} lists more than {LARGEST_ROW_COUNT:,} microphones: is it another table?")
        limited.append(row)
    return limited


READERS: dict[str, Callable[[str, Path, CheckHeader], Iterator[TableRow]]] = {
    ".yaml": _yaml_rows,
    ".yml": _yaml_rows,
    ".json": _json_rows,
    ".geojson": _json_rows,
    ".cfg": _odas_rows,
}
