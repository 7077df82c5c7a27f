"""Processes that decode and compute, one task at a time, and can be killed: by a deadline, by too little memory.

A worker loads the default network once, so that the first answer need not wait for it. What it is told and what it says goes
through a pipe:

    to it     (kind, folder, options)
    from it   ("ready",)  ("progress", share)  ("estimate", JSON)  ("done", document)  ("refused", status, sentence)
"""

import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from time import monotonic
from typing import Any

from soundfix.server.limits import Limits

START_S = 120.0  # until a worker is ready, on a machine that has much to do
STEP_S = 0.2  # so soon a deadline, or a wish to stop, is noticed


@dataclass(frozen=True)
class Outcome:
    """What became of a task: a document, or the sentence and HTTP status of a refusal."""

    document: str | None = None
    status: int = 200
    sentence: str = ""


class Worker:
    """One process, started anew after every one that ended badly."""

    def __init__(self, limits: Limits, *, compiles: bool = False) -> None:
        """compiles: loops from the first one on, which costs the first answer what all others gain."""
        self.limits, self.compiles = limits, compiles
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it has started, and lives."""
        return self._process is not None and self._process.is_alive()

    def start(self) -> None:
        """Returns when it is ready. Raises RuntimeError where it ends before, or takes too long."""
        self.stop()
        ours, its = get_context("spawn").Pipe()
        process = get_context("spawn").Process(target=_work, args=(its, self.limits, self.compiles), daemon=True)
        process.start()
        its.close()
        if not ours.poll(START_S) or not _is_ready(ours):
            process.kill()
            raise RuntimeError("a worker did not start: is memory short, or the installation broken?")
        self._process, self._pipe = process, ours

    def stop(self) -> None:
        """Whatever it does."""
        if self._process is not None and self._pipe is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
        self._process = self._pipe = None

    def do(
        self, kind: str, folder: Path, options: dict[str, Any], *, tell: Callable[[str, Any], None],
        is_cancelled: Callable[[], bool],
    ) -> Outcome:  # fmt: skip
        """The outcome of one task, whatever happens to the process; tell: of what it says on the way."""
        if not self.is_ready:
            self.start()
        assert self._pipe is not None
        until = monotonic() + self.limits.work_s
        try:
            self._pipe.send((kind, folder, options))
            while monotonic() < until and not is_cancelled():
                if self._pipe.poll(STEP_S) and (outcome := _heard(self._pipe.recv(), tell)):
                    return outcome
        except (EOFError, OSError):
            self.stop()
            return Outcome(
                status=500, sentence="the process that worked on it ended: is the file damaged, or memory short?"
            )
        self.stop()
        if is_cancelled():
            return Outcome(status=410, sentence="cancelled")
        return Outcome(status=413, sentence=f"not done within {self.limits.work_s:g} s: send a shorter recording")


def _is_ready(pipe: Connection) -> bool:
    try:
        return bool(pipe.recv() == ("ready",))
    except (EOFError, OSError):
        return False


def _heard(said: tuple[Any, ...], tell: Callable[[str, Any], None]) -> Outcome | None:
    what, *rest = said
    if what in ("progress", "estimate"):
        tell(what, rest[0])
        return None
    return Outcome(document=rest[0]) if what == "done" else Outcome(status=rest[0], sentence=rest[1])


def confine(limits: Limits) -> None:
    """This process has so much memory, and hears of Ctrl-C from the service alone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_DATA, (limits.memory_bytes, limits.memory_bytes))


def _work(pipe: Connection, limits: Limits, compiles: bool) -> None:
    """The life of a worker: until nobody listens any more."""
    confine(limits)
    from soundfix.compiled import lose_patience
    from soundfix.methods.catalog import DEFAULT
    from soundfix.server import tasks

    if compiles:
        lose_patience()
    tasks.loaded(DEFAULT)
    with suppress(EOFError, OSError):
        pipe.send(("ready",))
        while True:
            kind, folder, options = pipe.recv()
            pipe.send(_done(tasks, (kind, folder, options), limits, lambda *said: pipe.send(said)))


def _done(tasks: Any, task: tuple[Any, ...], limits: Limits, tell: Callable[..., None]) -> tuple[Any, ...]:
    from soundfix.errors import SoundfixError

    kind, folder, options = task
    try:
        return "done", tasks.do(kind, folder, options, limits, tell)
    except tasks.TooMuch as error:
        return "refused", 413, str(error)
    except SoundfixError as error:
        return "refused", 422, tasks.without_folder(str(error), folder)
    except MemoryError:
        return (
            "refused",
            413,
            f"it takes more than {limits.memory_bytes / 2**30:.1f} GiB of memory: send a shorter recording",
        )
