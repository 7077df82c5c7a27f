"""Questions that somebody waits for with a hand on the mouse: answered at once, in a process of their own, and never kept.

A recording that takes minutes keeps the workers of jobs.py busy, and must not keep these waiting.
"""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from soundfix.server.example import write_example
from soundfix.server.jobs import Busy
from soundfix.server.limits import Limits
from soundfix.server.logs import log
from soundfix.server.workers import Outcome, Worker

PATIENCE_S, STOP_S = 20.0, 1.0
WARM_UP = {"hop_s": 1.5}  # four windows of the example


class AtOnce:
    """One process for the short questions of everybody, one after another. folder: what was sent is there for a moment."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        shutil.rmtree(folder, ignore_errors=True)  # what an earlier service was asked
        folder.mkdir(parents=True)
        self.folder, self.limits = folder, limits
        self.worker = Worker(replace(limits, work_s=limits.at_once_s), compiles=True)
        self._lock, self._waiting, self._is_stopping = Lock(), 0, False

    def start(self) -> None:
        """Returns when it is ready, with all loops compiled: the first question would start it too, and wait for that."""
        with self._lock:
            if not self._is_stopping and not self.worker.is_ready:
                self.worker.start()
            if self._is_stopping:  # meanwhile, and nobody waited for it
                self.worker.stop()
        self.ask("locate", write_example, WARM_UP)
        if not self._is_stopping:
            log("at once", state="ready")

    def stop(self) -> None:
        """Soon, whatever it does; a process that is still starting ends with the service's own."""
        self._is_stopping = True
        if self._lock.acquire(timeout=STOP_S):
            self.worker.stop()
            self._lock.release()

    def ask(self, kind: str, keep: Callable[[Path], None], options: Mapping[str, Any]) -> Outcome:
        """keep: writes what was sent into the folder that it is given. Raises Busy where too many wait."""
        if self._waiting >= self.limits.at_once:
            raise Busy("too many others ask at the same moment")
        self._waiting += 1
        try:
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                keep(Path(folder))
                return self._answer(kind, Path(folder), dict(options))
        finally:
            self._waiting -= 1

    def _answer(self, kind: str, folder: Path, options: dict[str, Any]) -> Outcome:
        if not self._lock.acquire(timeout=PATIENCE_S):
            raise Busy("the question before this one takes long")
        try:
            if self._is_stopping:
                return Outcome(status=503, sentence="the service is ending")
            return self.worker.do(kind, folder, options, tell=lambda *_: None, is_cancelled=lambda: self._is_stopping)
        except RuntimeError as error:
            return Outcome(status=503, sentence=str(error))
        finally:
            self._lock.release()
