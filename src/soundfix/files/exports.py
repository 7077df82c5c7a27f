"""Answers on disk: JSON (its schema is beside this file) and CSV, streamed, and never half a file.

Everything is written to a file of another name in the same folder, which takes the place of the old one only when
it is complete and on the disk. Whatever fails before that moment leaves the old file as it was.
"""

import csv
import io
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EACCES, EDQUOT, ENAMETOOLONG, ENOSPC, EPERM, EROFS
from importlib.resources import files
from pathlib import Path
from typing import Any, TextIO

from soundfix.errors import OutputError
from soundfix.localizer import Estimate, Source

CSV_COLUMNS = ["start_s", "end_s", "verdict", "reasons", "source", "x_m", "y_m", "z_m", "radius90_m", "score"]
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for a formula (OWASP, CSV injection)
CAUSES = {
    ENOSPC: "the disk is full",
    EDQUOT: "the disk quota is used up",
    EROFS: "the disk is read-only",
    EACCES: "writing in this folder is not allowed",
    EPERM: "writing in this folder is not allowed",
    ENAMETOOLONG: "the name is too long",
}


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """A temporary path to write to inside the `with`; on success it takes the place of `path`, on failure it goes.

    Raises OutputError for whatever the operating system refuses: the body must do nothing but write.
    """
    target = _target(path)
    part = _part_path(target)
    try:
        yield part
        _publish(part, target)
    except OSError as error:
        raise _refused(target, error) from error
    finally:
        _discard(part)


class JsonWriter:
    """{"method", "version", "estimates": [...]}, one estimate a line, written as they come."""

    def __init__(self, path: Path | str, method: str, version: str) -> None:
        self._file = _PartFile(path)
        self._opening = f'{{"method": {json.dumps(method)}, "version": {json.dumps(version)}, "estimates": ['
        self._separator = "\n"

    def __enter__(self) -> "JsonWriter":
        self._file.open()
        self._file.write(self._opening)
        return self

    def write(self, estimate: Estimate) -> None:
        try:
            line = json.dumps(estimate.to_dict(), allow_nan=False)
        except ValueError as error:
            raise OutputError(
                f"the estimate at {estimate.start_s} s holds a number that is not finite, wanted finite ones: method "
                f"{estimate.method} breaks its contract"
            ) from error
        self._file.write(self._separator + line)
        self._separator = ",\n"

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.finish(is_good=kind is None, ending="\n]}\n")


class CsvWriter:
    """A row a source, or one row with blank coordinates for a window without an answer."""

    def __init__(self, path: Path | str) -> None:
        self._file = _PartFile(path)

    def __enter__(self) -> "CsvWriter":
        self._file.open()
        self._file.write(_csv_line(CSV_COLUMNS))
        return self

    def write(self, estimate: Estimate) -> None:
        span = [estimate.start_s, estimate.end_s, estimate.verdict, " ".join(estimate.reasons)]
        if not estimate.sources:
            self._file.write(_csv_line([*span, *[""] * (len(CSV_COLUMNS) - len(span))]))
        for number, source in enumerate(estimate.sources, 1):
            self._file.write(_csv_line([*span, number, *_source_cells(source)]))

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.finish(is_good=kind is None, ending="")


def locate_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what JsonWriter writes."""
    schema: dict[str, Any] = json.loads((files("soundfix.files") / "locate.schema.json").read_text("utf-8"))
    return schema


class _PartFile:
    """atomic_path for a file that stays open for hours while other work is done: only writing raises OutputError."""

    def __init__(self, path: Path | str) -> None:
        self._target = _target(path)
        self._part = _part_path(self._target)
        self._file: TextIO | None = None

    def open(self) -> None:
        try:
            self._file = self._part.open("x", encoding="utf-8", errors="backslashreplace", newline="")
        except OSError as error:
            raise _refused(self._target, error) from error

    def write(self, text: str) -> None:
        assert self._file is not None, "write inside the `with`"
        try:
            self._file.write(text)
        except OSError as error:
            raise _refused(self._target, error) from error

    def finish(self, *, is_good: bool, ending: str) -> None:
        """Take the target's place, or, if the run failed, leave nothing behind."""
        assert self._file is not None, "write inside the `with`"
        try:
            if is_good:
                self._file.write(ending)
                self._file.close()
                _publish(self._part, self._target)
        except OSError as error:
            raise _refused(self._target, error) from error
        finally:
            with suppress(OSError):  # closing flushes, and a full disk is full a second time
                self._file.close()
            _discard(self._part)


def check_targets(outputs: Sequence[Path | str], inputs: Sequence[Path | str]) -> None:
    """Refuse, before the work, outputs that could not be written or that would overwrite each other or an input."""
    taken = {Path(os.path.realpath(path)) for path in inputs}
    for path in outputs:
        target = _target(path)
        if target in taken:
            raise OutputError(f"cannot write {path}: it is an input, or named for two outputs; wanted another file")
        taken.add(target)


def _target(path: Path | str) -> Path:
    """Where the file will really be: a symbolic link keeps pointing to it."""
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {target.parent}; make it first, or is it a typo?")
    if target.exists() and not target.is_file():
        raise OutputError(f"cannot write {path}: it is no regular file, wanted a file name such as {target.name}.json")
    return target


def _part_path(target: Path) -> Path:
    return target.with_name(f".soundfix-{secrets.token_hex(8)}.part")


def _publish(part: Path, target: Path) -> None:
    """Onto the disk, then into place: in the other order a power cut could leave an empty file."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(part, target)


def _discard(part: Path) -> None:
    with suppress(OSError):  # already in place, or the folder is gone: nothing of ours is left to clean up
        part.unlink(missing_ok=True)


def _refused(target: Path, error: OSError) -> OutputError:
    cause = CAUSES.get(error.errno or 0) or error.strerror or str(error)
    kept = "the old file is untouched" if target.exists() else "no half-written file was left"
    return OutputError(f"cannot write {target}: {cause}; {kept}. Free some space or choose another folder")


def _source_cells(source: Source) -> list[float]:
    return [*source.position_m.tolist(), source.radius90_m, source.score]


def _csv_line(cells: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([_safe(cell) for cell in cells])
    return line.getvalue()


def _safe(cell: Any) -> Any:
    """Text on one line, with an apostrophe where a spreadsheet would run it as a formula; numbers stay numbers."""
    if not isinstance(cell, str):
        return cell
    return ("'" if cell.startswith(FORMULA_STARTS) else "") + " ".join(cell.splitlines())
