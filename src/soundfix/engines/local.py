"""Processes of this machine, spawned; one worker works in this process."""

import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from multiprocessing.process import BaseProcess

from soundfix.engines.engine import ATTEMPTS, Result, Task, Worker, sendable, worked
from soundfix.errors import ConfigError, EngineError

TOLD = f"{ATTEMPTS} processes ended without a word while they worked at it: is memory short?"


class Local:
    """So many spawned processes."""

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ConfigError(f"{workers} workers: wanted 1 or more")
        self.workers = workers

    def map(
        self, make: Callable[[], Worker[Task, Result]], tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result | EngineError]]:
        """See Engine."""
        if min(self.workers, len(tasks)) <= 1:
            worker = make() if tasks else None
            for number, task in enumerate(tasks):
                assert worker is not None
                yield number, worked(worker, task)
            return
        yield from _Crew(make, tasks, min(self.workers, len(tasks))).results()


HERE = Local(1)


@dataclass(eq=False)
class _Hand:
    """A process, the pipe to it, and the number of the task that it works at.

    No task is sent before the one before it is done: two that write to each other at once wait for ever.
    """

    process: BaseProcess
    pipe: connection.Connection
    has: int | None = None


class _Crew:
    """Processes, and who does what."""

    def __init__(self, make: Callable[[], Worker[Task, Result]], tasks: Sequence[Task], count: int) -> None:
        self._make, self._tasks = make, tasks
        self._waiting = deque(range(len(tasks)))
        self._ended: Counter[int] = Counter()  # how many processes each task has ended
        self._hands = [self._started() for _ in range(count)]

    def results(self) -> Iterator[tuple[int, Result | EngineError]]:
        try:
            while self._give():
                ready = connection.wait([hand.pipe for hand in self._hands if hand.has is not None])
                for hand in [hand for hand in self._hands if hand.pipe in ready]:
                    yield from self._heard(hand)
        finally:
            for hand in self._hands:
                hand.process.kill()
                hand.process.join()
                hand.pipe.close()

    def _give(self) -> bool:
        """A task to everybody who has none; whether anybody works."""
        for hand in self._hands:
            if hand.has is None and self._waiting:
                hand.has = self._waiting.popleft()
                with suppress(ConnectionError):  # it has ended: that nothing comes back says so
                    hand.pipe.send((hand.has, self._tasks[hand.has]))
        return any(hand.has is not None for hand in self._hands)

    def _heard(self, hand: _Hand) -> Iterator[tuple[int, Result | EngineError]]:
        try:
            number, result, is_error = hand.pipe.recv()
        except (EOFError, ConnectionError):
            yield from self._replace(hand)
            return
        if is_error:
            raise result
        hand.has = None
        yield number, result

    def _replace(self, hand: _Hand) -> Iterator[tuple[int, EngineError]]:
        """What it worked at is done by another, only so often."""
        hand.process.join()
        hand.pipe.close()
        lost = hand.has
        assert lost is not None
        self._ended[lost] += 1
        if self._ended[lost] < ATTEMPTS:
            self._waiting.appendleft(lost)
        else:
            yield lost, EngineError(TOLD)
        self._hands[self._hands.index(hand)] = self._started()

    def _started(self) -> _Hand:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(self._make, theirs), daemon=True)
        process.start()
        theirs.close()
        return _Hand(process, ours)


def _work(make: Callable[[], Worker[Task, Result]], pipe: connection.Connection) -> None:
    """Do what comes, until the process that started this one ends it."""
    become_worker()
    number = -1
    try:
        worker = make()
        while True:
            number, task = pipe.recv()
            pipe.send((number, worked(worker, task), False))
    except EOFError:
        return
    except Exception as error:  # whatever it is, it is raised where the work was asked for
        pipe.send((number, sendable(error), True))


def become_worker() -> None:
    """This process ends with its parent, and hears of Ctrl-C from that alone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
