"""What ends a run before its end: Ctrl-C, a signal to terminate, a reader that has enough. Each leaves what there is."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CLOSED_PIPE = 128 + signal.SIGPIPE if hasattr(signal, "SIGPIPE") else 141
NOTICE = "soundfix: stopping after this {}; once more stops at once\n"


class Stop:
    """Whether to stop, and the exit status that says why, as a shell has it (128 and the signal's number); 0: go on."""

    def __init__(self, what: str = "window") -> None:
        """what: of which one is finished before it stops."""
        self.notice = NOTICE.format(what).encode()
        self.status = 0
        self.has_begun = False  # before there is anything to keep a signal ends the run at once

    def __call__(self) -> bool:
        return self.status != 0

    def tell(self, tell: Callable[..., None], *said: object) -> None:
        """Call it; that nobody reads standard output any more is a reason to stop, and no error."""
        try:
            tell(*said)
        except BrokenPipeError:
            self.status = self.status or CLOSED_PIPE
            _forget_standard_output()

    def on_signal(self, number: int, _frame: object) -> None:
        """The first time finish the window, so that all files are whole; the second time end."""
        if self.status or not self.has_begun:
            raise SystemExit(128 + number)
        self.status = 128 + number
        os.write(2, self.notice)  # a signal may come while something is being printed, which must not be begun again


@contextmanager
def stoppable(what: str = "window") -> Iterator[Stop]:
    """Inside the `with` signals are told to the Stop; one that was ignored before, as by nohup, stays so."""
    stop, before = Stop(what), {}
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, stop.on_signal)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _forget_standard_output() -> None:
    """What is still to be printed goes nowhere: else the interpreter complains at its end."""
    assert sys.__stdout__ is not None
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.__stdout__.fileno())
    os.close(nowhere)
