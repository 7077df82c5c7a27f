"""The command soundfix in a process forked from one in which all is imported: most of its time is work (for crashes.py)."""

import atexit
import os
import pkgutil
import runpy
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import NamedTuple

import soundfix

ENDED_S = 900.0  # machines are busy


def import_all() -> None:
    """Of soundfix, as far as it is installed."""
    for module in pkgutil.walk_packages(soundfix.__path__, "soundfix."):
        if "__main__" not in module.name:
            with suppress(ImportError):
                import_module(module.name)


class Ended(NamedTuple):
    """As of a process that is over."""

    returncode: int
    stderr: str


class Started:
    """The command in a process forked from this one, of a session of its own; what it says is kept in a file."""

    def __init__(self, line: str, environment: Mapping[str, str] | None = None) -> None:
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by ended)
        self.pid = os.fork()
        if self.pid == 0:
            os.environ.update(environment or {})
            _become(line, self._said.fileno())

    def ended(self) -> Ended:
        """When it is."""
        until = time.monotonic() + ENDED_S
        while (found := os.waitpid(self.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.02)
        with self._said:
            self._said.seek(0)
            return Ended(os.waitstatus_to_exitcode(found[1]), self._said.read())


def _become(line: str, said: int) -> None:
    """Never comes back; ends as an interpreter does."""
    code = 1
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.dup2(said, 2)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1) for number in (1, 2))
        sys.argv = ["soundfix", *line.split()]
        runpy.run_module("soundfix", run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            atexit._run_exitfuncs()
        os._exit(code)
