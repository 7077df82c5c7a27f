"""One attack: a reader says what is wrong with a file, or gives finite numbers, and takes neither hours nor all memory."""

import signal
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np

from attacks.readers import Reader
from soundfix.errors import SoundfixError

DEADLINE_S = 10.0


class HangError(BaseException):
    """No Exception, so that nobody catches it on the way."""


def complaint(reader: Reader, content: bytes) -> str | None:
    """What is wrong with how it was read; None where it is as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"attack{reader.suffix}"
        path.write_bytes(content)
        try:
            with deadline(), warnings.catch_warnings(action="ignore"):
                told = reader.tells(reader.read(path))
        except SoundfixError:
            return None
        except HangError:
            return f"hangs: more than {DEADLINE_S:g} s"
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            return f"{type(error).__name__}: {str(error)[:120]} ({Path(where.filename).name}:{where.lineno})"
    return (
        None
        if all(np.isfinite(np.asarray(each, dtype=float)).all() for each in told)
        else "numbers that are not finite"
    )


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
