"""Work that must not take for ever: a helper does it, a thread for which nobody waits longer than the work may take.

A helper that is done takes the next work: to start a thread takes longer than most reads. One that is stuck is left alone.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

Result = TypeVar("Result")


class _Helper:
    """Does one work after the other, until it is dismissed."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        Thread(target=self._serve, daemon=True, name="soundfix helper").start()

    def begin(self, work: Callable[[], Result]) -> Future[Result]:
        outcome: Future[Result] = Future()
        self._asked.put((work, outcome))
        return outcome

    def dismiss(self) -> None:
        """When it is done with what it does."""
        self._asked.put(None)

    def _serve(self) -> None:
        while self._does_one():  # keeps nothing of it while it waits for the next
            pass

    def _does_one(self) -> bool:
        if (asked := self._asked.get()) is None:
            return False
        work, outcome = asked
        try:
            outcome.set_result(work())
        except BaseException as error:  # handed over to the waiting thread, which raises it
            outcome.set_exception(error)
        return True


_FREE: list[_Helper] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_FREE.clear)  # threads stay with the parent


def within(limit_s: float, work: Callable[[], Result]) -> Result:
    """What the work gives, or raises. Raises TimeoutError if that takes longer; then the work goes on, unheard."""
    try:
        helper = _FREE.pop()
    except IndexError:
        helper = _Helper()
    outcome = helper.begin(work)
    try:
        return outcome.result(limit_s)
    finally:
        if outcome.done():
            _FREE.append(helper)
        else:
            helper.dismiss()
