"""What `soundfix listen` does once it knows what was asked for: takes sound in, tells every answer to who reads it."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from soundfix.cli.terminal import say, show_lines, writers
from soundfix.errors import SceneError

if TYPE_CHECKING:
    from soundfix.scene import Room
    from soundfix.streaming.inbox import Inbox
    from soundfix.streaming.sources import Shape
    from soundfix.streaming.stream import Stream, StreamAnswer

WAIT_S = 0.02  # for sound, when there is none


class Outputs(NamedTuple):
    """Files, and addresses of viewers."""

    json: Path | None
    csv: Path | None
    odas: str | None
    odas_potential: str | None

    def check(self, inputs: list[Path]) -> None:
        """That they can be written is found out before the work."""
        from soundfix.report.exports import check_targets

        check_targets([path for path in (self.json, self.csv) if path], inputs)


def run(
    stream: "Stream", text: str, shape: "Shape", outputs: Outputs, *, method: str, room: "Room | None", is_every: bool
) -> None:
    """Until the source ends, or somebody interrupts it (Ctrl-C); then files are whole."""
    from soundfix.report.summary import summary_lines
    from soundfix.streaming.inbox import Inbox
    from soundfix.streaming.sources import open_source

    inbox = Inbox()
    with ExitStack() as stack:
        write, conclude = stack.enter_context(writers(outputs.json, outputs.csv, method))
        teller = stack.enter_context(closing(_Teller(stream, outputs, room)))
        ended = stack.enter_context(interrupted())
        stack.enter_context(closing(open_source(text, shape, inbox, stdin)))
        for answer in _answers(stream, inbox, teller, ended, is_every=is_every):
            write(answer.estimate)
            teller.tell(answer)
        conclude(summary := stream.conclusion())
    if sys.stdout.isatty():
        show_lines(summary_lines(summary))


def _answers(
    stream: "Stream", inbox: "Inbox", teller: "_Teller", ended: Event, *, is_every: bool
) -> "Iterator[StreamAnswer]":
    refused: set[str] = set()
    while not (inbox.is_over or ended.is_set() or teller.is_gone):
        for block in inbox.take(WAIT_S):
            how = {
                "microphone": block.microphones,
                "first_sample": block.first_sample,
                "sample_rate": block.sample_rate,
            }
            try:
                if is_every:
                    yield from stream.push(block.sound.T, **how)  # type: ignore[arg-type]
                else:
                    stream.put(block.sound.T, heard_at=block.heard_at, **how)  # type: ignore[arg-type]
            except SceneError as error:
                if block.microphones is None:
                    raise
                teller.warn(f"not used: {error}", refused)
        for sentence in inbox.sentences():
            teller.warn(sentence)
        if not is_every and (answer := stream.newest()) is not None:
            yield answer
    yield from stream.close()


class _Teller:
    """JSON lines on standard output unless that is a terminal, ODAS messages, and the screen where stderr is one."""

    def __init__(self, stream: "Stream", outputs: Outputs, room: "Room | None") -> None:
        from soundfix.cli.live_view import LiveView
        from soundfix.streaming.outlet import Outlet, TcpWriter, to_file

        self._stream, self._number = stream, 0
        self._lines = None if sys.stdout.isatty() else Outlet(to_file(sys.stdout))
        self._viewers = [TcpWriter(address) for address in (outputs.odas, outputs.odas_potential) if address]
        self._tracked = Outlet(self._viewers[0]) if outputs.odas else None
        self._potential = Outlet(self._viewers[-1]) if outputs.odas_potential else None
        self._view = LiveView(stream.microphones, room)

    @property
    def is_gone(self) -> bool:
        """Whether nobody reads the lines any more, as after `| head`."""
        return self._lines is not None and self._lines.is_gone

    def tell(self, answer: "StreamAnswer") -> None:
        from soundfix.report.odas import potential_line, tracked_line

        estimate, self._number = answer.estimate, self._number + 1 + answer.skipped
        if self._lines:
            live = {"latency_s": round(answer.latency_s, 4), "skipped": answer.skipped}
            self._lines.put(json.dumps(estimate.to_dict() | live, allow_nan=False))
        if self._tracked:
            self._tracked.put(tracked_line(estimate, self._stream.microphones, self._number))
        if self._potential:
            self._potential.put(potential_line(estimate, self._stream.microphones, self._number))
        self._view.tell(answer, missing=self._stream.missing, dropped=self._lines.dropped if self._lines else 0)

    def warn(self, sentence: str, once: set[str] | None = None) -> None:
        """A sentence to stderr; of those in `once` each only the first time."""
        if once is None or sentence not in once:
            self._view.say(sentence)
        if once is not None:
            once.add(sentence)

    def close(self) -> None:
        self._view.close()
        for outlet in (self._lines, self._tracked, self._potential):
            if outlet:
                outlet.close()
                if outlet.dropped:
                    say(f"{outlet.dropped} lines were dropped: a reader was too slow, or gone")
        for viewer in self._viewers:
            viewer.close()


def stdin() -> BinaryIO:
    """Unbuffered: a thread that is stuck in it must not hold a lock of Python's when it ends."""
    return open(0, "rb", buffering=0, closefd=False)


@contextmanager
def interrupted() -> Iterator[Event]:
    """An event that Ctrl-C, or the end that a service manager asks for, sets: so that nothing is left half done."""
    ended = Event()
    before = {sign: signal.signal(sign, lambda *_: ended.set()) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ended
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
