"""Windows located before their turn, by other processes: the same answers in the same order, sooner.

What a window is told depends on those before it: who is left out, whether the room is believed. Each is begun with what is
known so far; where something else is known by its turn, which is seldom, it is located again.
"""

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_all_start_methods, get_context
from typing import TypeVar

import numpy as np

from soundfix.engines.local import become_worker
from soundfix.errors import ConfigError
from soundfix.estimate import Estimate, Localizer
from soundfix.scene import Scene
from soundfix.session.session import Session
from soundfix.threads import one_torch_thread

Turn = TypeVar("Turn")
EACH = 3  # windows that are begun for every process: one is located, the others wait for it


class Ahead:
    """A localizer whose scenes may be begun before they are asked for. depth: how many windows are."""

    def __init__(self, localizer: Localizer, jobs: int, pool: Executor) -> None:
        self.name, self.depth = localizer.name, EACH * jobs
        self._own, self._pool = localizer, pool
        self._begun: dict[float, tuple[Scene, Future[Estimate]]] = {}

    def begin(self, scene: Scene) -> None:
        """Let it be located by whoever is free; where nobody is left, its turn will say so."""
        with suppress(BrokenProcessPool):
            self._begun[scene.start_s] = scene, self._pool.submit(_located, scene)

    def locate(self, scene: Scene) -> Estimate:
        """The answer that was begun, if it was told the same; else a new one."""
        before, answer = self._begun.pop(scene.start_s, (None, None))
        try:
            if before is None or answer is None or not _is_told_alike(before, scene):
                answer = self._pool.submit(_located, scene)
            return answer.result()
        except BrokenProcessPool:
            warnings.warn("a process ended without a word (is memory short?): located without it", stacklevel=2)
            return self._own.locate(scene)


def checked_jobs(jobs: int) -> int:
    """So many processes; a ConfigError if that is no number of them."""
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise ConfigError(f"jobs={jobs!r}: wanted how many processes locate windows, 1 or more")
    return jobs


@contextmanager
def working_ahead(session: Session, jobs: int) -> Iterator[None]:
    """Inside the `with` so many processes locate the windows of a session, a thread each; 1: this one does."""
    with one_torch_thread():
        if jobs == 1:
            yield
            return
        with _workers(session, jobs):
            yield


@contextmanager
def _workers(session: Session, jobs: int) -> Iterator[None]:
    own, context = session.localizer, get_context("fork" if "fork" in get_all_start_methods() else "spawn")
    with warnings.catch_warnings():  # the thread that draws a progress bar holds nothing that a worker needs
        warnings.simplefilter("ignore", DeprecationWarning)
        pool = ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(own,))
        try:
            session.localizer = Ahead(own, jobs, pool)
            yield
        finally:
            session.localizer = own
            pool.shutdown(cancel_futures=True)


def begun_ahead(turns: Iterable[Turn], session: Session, told: Callable[[Turn], Scene | None]) -> Iterator[Turn]:
    """The same turns, read and begun before their time, if the session's localizer can. told: the scene that each is to be
    located in as things are now; None: it is not located."""
    localizer = session.localizer
    if not isinstance(localizer, Ahead):
        yield from turns
        return
    waiting: deque[Turn] = deque()
    for turn in turns:
        if (scene := told(turn)) is not None:
            localizer.begin(scene)
        waiting.append(turn)
        if len(waiting) > localizer.depth:
            yield waiting.popleft()
    yield from waiting


def _is_told_alike(one: Scene, other: Scene) -> bool:
    """Whether all that differs within a recording is the same: what is known, which band, whose sound."""
    names = ("room", "band_hz", "start_s", "sample_rate")
    is_alike = all(getattr(one, name) == getattr(other, name) for name in names)
    return is_alike and np.array_equal(one.is_trusted, other.is_trusted) and np.array_equal(one.audio, other.audio)


_LOCALIZER: list[Localizer] = []  # of this process, if it locates for another one


def _begin(localizer: Localizer) -> None:
    become_worker()
    _LOCALIZER[:] = [localizer]


def _located(scene: Scene) -> Estimate:
    with one_torch_thread():
        return _LOCALIZER[0].locate(scene)
