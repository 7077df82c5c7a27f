"""Nobody else writes in a folder meanwhile; the lock goes with the process, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

from soundfix.atomic import make_folder
from soundfix.errors import OutputError

PATIENCE_S = 10.0  # workers of a killed run notice within a scene that they are alone, and let the folder go


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Raises OutputError where another process has the folder and keeps it."""
    make_folder(folder)
    handle = os.open(folder, os.O_RDONLY)
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    until = monotonic() + PATIENCE_S
    while True:
        with suppress(BlockingIOError):
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if monotonic() > until:
            raise OutputError(f"another process is writing in {folder}: wait for it, or choose another folder")
        sleep(0.05)
