"""One attack: a reader says what is wrong with a file, or gives finite numbers, and takes neither hours nor all memory."""

import signal
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import numpy as np

from attacks.readers import Reader
from soundfix.errors import SoundfixError

DEADLINE_S = 10.0
TO_FILL = ("can't allocate memory", "bad allocation", "Unable to allocate")  # of torch, onnxruntime, numpy


class HangError(BaseException):
    """No Exception, so that nobody catches it on the way."""


class Outcome(NamedTuple):
    """complaint: what is wrong with how it was read; None where it is as it should be."""

    complaint: str | None
    is_refused: bool


def complaint(reader: Reader, content: bytes) -> str | None:
    """Of a file with these bytes, in a folder of its own; what hangs is stopped where Python is asked again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"attack{reader.suffix}"
        try:
            with deadline(), warnings.catch_warnings(action="ignore"):
                return attacked(reader, content, path).complaint
        except HangError:
            return f"hangs: more than {DEADLINE_S:g} s"


def attacked(reader: Reader, content: bytes, path: Path) -> Outcome:
    """With these bytes at this path."""
    path.write_bytes(content)
    try:
        told = reader.tells(reader.read(path))
    except HangError:
        raise
    except SoundfixError as error:
        return Outcome(f"asks for too much memory: {told_by(error)}" if wants_memory(error) else None, True)
    except BaseException as error:
        return Outcome(told_by(error), False)
    return Outcome(None if all(map(is_finite, told)) else "numbers that are not finite", False)


def is_finite(numbers: object) -> bool:
    return bool(np.isfinite(np.asarray(numbers, dtype=float)).all())


def wants_memory(error: BaseException | None) -> bool:
    """Whether it was for want of memory to fill; a file that is asked for more bytes than it has fills none."""
    while error is not None:
        if any(words in str(error) for words in TO_FILL):
            return True
        error = error.__cause__ or error.__context__
    return False


def told_by(error: BaseException) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {str(error)[:160]} ({Path(where.filename).name}:{where.lineno})"


@contextmanager
def deadline() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, DEADLINE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
