"""Where answers are written while a recording is located: a file that appears whole, rows as they come, standard output.

    | output          | appears             | of a run that fails            |
    |-----------------|---------------------|--------------------------------|
    | WholeFile       | at the end          | nothing: the old file stays    |
    | RowFile         | with its first row  | the rows of before, each whole |
    | StandardOutput  | as it is written    | what was written               |

A path "-" is standard output.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from soundfix.atomic import discard, part_path, publish, refused, target_of
from soundfix.errors import OutputError

STANDARD = "-"


@runtime_checkable
class Output(Protocol):
    """What writers fill: opened before the work, finished after it, whether that was good or not."""

    def open(self) -> None: ...

    def write(self, text: str) -> None: ...

    def finish(self, *, is_good: bool, ending: str = "") -> None: ...


def whole(path: Path | str) -> Output:
    """For a document that is worth nothing without its end."""
    return StandardOutput() if is_standard(path) else WholeFile(path)


def rows(path: Path | str, header: str = "") -> Output:
    """For rows that can be read while others are still to come."""
    return StandardOutput(header) if is_standard(path) else RowFile(path, header)


def is_standard(path: Path | str) -> bool:
    return str(path) == STANDARD


class WholeFile:
    """atomic_path for a file that stays open for hours while other work is done: only writing raises OutputError."""

    def __init__(self, path: Path | str) -> None:
        self._target = target_of(path)
        self._part = part_path(self._target)
        self._file: BinaryIO | None = None

    def open(self) -> None:
        self._file = _opened(self._part, self._target)

    def write(self, text: str) -> None:
        assert self._file is not None, "write inside the `with`"
        try:
            self._file.write(_encoded(text))
        except OSError as error:
            raise refused(self._target, error) from error

    def finish(self, *, is_good: bool, ending: str = "") -> None:
        """Take the target's place, or, if the run failed, leave nothing behind."""
        assert self._file is not None, "write inside the `with`"
        try:
            if is_good:
                self._file.write(_encoded(ending))
                self._file.close()
                publish(self._part, self._target)
        except OSError as error:
            raise refused(self._target, error) from error
        finally:
            with suppress(OSError):  # closing flushes, and a full disk is full a second time
                self._file.close()
            discard(self._part)


class RowFile:
    """Rows that others read meanwhile: takes the target's place with the first of them, and never holds half a row."""

    def __init__(self, path: Path | str, header: str = "") -> None:
        self._target = target_of(path)
        self._part: Path | None = part_path(self._target)
        self._header = _encoded(header)
        self._file: BinaryIO | None = None

    def open(self) -> None:
        """Before the work, so that what cannot be written is refused before it."""
        assert self._part is not None
        self._file = _opened(self._part, self._target, buffering=0)  # what is written is seen
        self._append(self._header)

    def write(self, text: str) -> None:
        """One row, or some, with their ends."""
        self._append(_encoded(text))
        self._appear()

    def finish(self, *, is_good: bool, ending: str = "") -> None:
        """Rows that are there stay; a run that fails before the first leaves the old file."""
        assert self._file is not None, "write inside the `with`"
        try:
            if is_good:
                self._append(_encoded(ending))
                self._appear()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._refused(error) from error
        finally:
            self._file.close()
            if self._part:
                discard(self._part)

    def _append(self, row: bytes) -> None:
        assert self._file is not None, "write inside the `with`"
        size, left = self._file.tell(), memoryview(row)
        try:
            while left:
                left = left[self._file.write(left) :]
        except BaseException as error:
            self._file.truncate(size)
            self._file.seek(size)
            if isinstance(error, OSError):
                raise self._refused(error) from error
            raise

    def _appear(self) -> None:
        if self._part is None:
            return
        try:
            publish(self._part, self._target)
        except OSError as error:
            raise self._refused(error) from error
        self._part = None

    def _refused(self, error: OSError) -> OutputError:
        return refused(self._target, error, kept=None if self._part else "the rows of before are in it")


class StandardOutput:
    """What is printed is what other programs read. A reader that has enough is no error of ours: see BrokenPipeError."""

    def __init__(self, header: str = "") -> None:
        self._file, self._header = sys.stdout, header

    def open(self) -> None:
        self.write(self._header)

    def write(self, text: str) -> None:
        """Raises BrokenPipeError where nobody reads any more."""
        try:
            self._file.flush()
            self._file.buffer.write(_encoded(text))
            self._file.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise refused(Path("standard output"), error, kept="what was written stays") from error

    def finish(self, *, is_good: bool, ending: str = "") -> None:
        if is_good:
            with suppress(BrokenPipeError):
                self.write(ending)


def check_targets(outputs: Sequence[Path | str], inputs: Sequence[Path | str]) -> None:
    """Refuse, before the work, outputs that could not be written or that would overwrite each other or an input."""
    taken = {Path(os.path.realpath(path)) for path in inputs}
    for path in outputs:
        target = Path(STANDARD) if is_standard(path) else target_of(path)
        if target in taken:
            raise OutputError(f"cannot write {path}: it is an input, or named for two outputs; wanted another file")
        taken.add(target)


def _opened(part: Path, target: Path, buffering: int = -1) -> BinaryIO:
    try:
        return part.open("xb", buffering=buffering)
    except OSError as error:
        raise refused(target, error) from error


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
