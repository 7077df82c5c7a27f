"""Lines for readers who may be slow, or gone: nobody waits for them. The oldest lines are dropped, and counted."""

import os
import socket
import time
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from typing import Any

from soundfix.errors import ConfigError

MOST_LINES = 200
AGAIN_S = 1.0
PATIENCE_S = 2.0
LAST_S = 1.0  # that the rest is waited for at the end


class Outlet:
    """Lines in, from one thread; written by another with `write`, which may take its time or raise OSError.

    dropped: lines that nobody got. is_gone: whoever read them has gone for good.
    """

    def __init__(self, write: Callable[[str], None], most: int = MOST_LINES) -> None:
        self._write, self._lines = write, deque[str](maxlen=most)
        self._changed, self._is_closed, self._is_busy = Condition(), False, False
        self.dropped, self.is_gone = 0, False
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """One more; at once."""
        with self._changed:
            self.dropped += len(self._lines) == self._lines.maxlen
            self._lines.append(line)
            self._changed.notify()

    def close(self) -> None:
        """No more; the rest is waited for a second."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(LAST_S)

    def _run(self) -> None:
        while (line := self._next()) is not None:
            try:
                self._write(line)
            except OSError as error:
                self.dropped += 1
                self.is_gone = isinstance(error, BrokenPipeError)

    def _next(self) -> str | None:
        with self._changed:
            while not self._lines and not self._is_closed:
                self._changed.wait()
            return self._lines.popleft() if self._lines else None


def to_file(file: Any) -> Callable[[str], None]:
    """Whole lines to a file of text, at once: past Python's buffers, in which a thread may be stuck for ever."""
    try:
        number = file.fileno()
    except OSError:
        return lambda line: print(line, file=file, flush=True)

    def write(line: str) -> None:
        left = line.encode() + b"\n"
        while left:
            left = left[os.write(number, left) :]

    return write


class TcpWriter:
    """Lines to a server, such as a viewer; one that is not there is tried again every second."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        if not port.isdigit() or int(port) > 65535:
            raise ConfigError(f"address {address!r}, wanted HOST:PORT, such as localhost:9000")
        self._to = (host or "localhost", int(port))
        self._socket: socket.socket | None = None
        self._again_s = 0.0

    def __call__(self, line: str) -> None:
        """Raises OSError where it does not arrive."""
        if self._socket is None:
            self._connect()
        assert self._socket is not None
        try:
            self._socket.sendall(line.encode() + b"\n")
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Say no more."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _connect(self) -> None:
        if time.monotonic() < self._again_s:
            raise ConnectionError("not yet")
        self._again_s = time.monotonic() + AGAIN_S
        self._socket = socket.create_connection(self._to, PATIENCE_S)
