"""What `soundfix listen` does once it knows what was asked for: takes sound in, tells every answer to who reads it."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from io import FileIO
from threading import Event
from typing import TYPE_CHECKING

from soundfix.cli.live_outputs import Outputs, Teller
from soundfix.cli.targets import Files, Targets
from soundfix.cli.terminal import say, show_lines
from soundfix.errors import SceneError

if TYPE_CHECKING:
    from soundfix.files.take import Take
    from soundfix.scene import Room
    from soundfix.streaming.inbox import Block, Inbox
    from soundfix.streaming.sources import Shape
    from soundfix.streaming.stream import Stream, StreamAnswer

WAIT_S = 0.02  # for sound, when there is none


def run(
    stream: "Stream", source: "str | Take", shape: "Shape", outputs: Outputs, *, method: str, room: "Room | None",
    is_every: bool,
) -> None:  # fmt: skip
    """Until the source ends, or somebody interrupts it (Ctrl-C); then files are whole."""
    from soundfix.report.summary import summary_lines
    from soundfix.streaming.inbox import Inbox
    from soundfix.streaming.sources import open_source

    inbox = Inbox()
    with ExitStack() as stack:
        files = stack.enter_context(Files(Targets(json=outputs.json, csv=outputs.csv), method))
        teller = stack.enter_context(closing(Teller(stream, outputs, room)))
        ended = stack.enter_context(interrupted())
        stack.enter_context(closing(open_source(source, shape, inbox, stdin)))
        for answer in _answers(stream, inbox, teller, ended, is_every=is_every):
            for write in files.writes:
                write(answer.estimate)
            teller.tell(answer)
        files.conclude(summary := stream.conclusion())
    for sentence in (*inbox.sentences(), *_lost(inbox.dropped)):
        say(sentence)
    if sys.stdout.isatty():
        show_lines(summary_lines(summary))


def _answers(
    stream: "Stream", inbox: "Inbox", teller: "Teller", ended: Event, *, is_every: bool
) -> "Iterator[StreamAnswer]":
    """Of all that comes. Once it is interrupted what is there still is taken in, and the newest window of it answered."""
    refused: set[str] = set()
    while not (inbox.is_over or ended.is_set() or teller.is_gone):
        for block in inbox.take(WAIT_S):
            is_asked = is_every and not ended.is_set()
            take = stream.push if is_asked else partial(stream.put, heard_at=block.heard_at)
            yield from _taken(take, block, teller, refused)
        for sentence in inbox.sentences():
            teller.warn(sentence)
        if not is_every and (answer := stream.newest()) is not None:
            yield answer
    for block in inbox.take(0.0):
        _taken(partial(stream.put, heard_at=block.heard_at), block, teller, refused)
    if (answer := stream.newest()) is not None:
        yield answer
    yield from stream.close()


def _taken(
    take: "Callable[..., list[StreamAnswer] | None]", block: "Block", teller: "Teller", refused: set[str]
) -> "list[StreamAnswer]":
    """What is answered to this block, if anything is; a sender's that does not fit is told once, and left out."""
    try:
        answers = take(block.sound.T, block.microphones, first_sample=block.first_sample, sample_rate=block.sample_rate)
    except SceneError as error:
        if block.microphones is None:
            raise
        teller.warn(f"not used: {error}", refused)
        return []
    return answers or []


def _lost(blocks: int) -> list[str]:
    return [f"{blocks} blocks of sound were lost: they came faster than they were answered"] if blocks else []


def stdin() -> FileIO:
    """Unbuffered: a thread that is stuck in it must not hold a lock of Python's when it ends."""
    return FileIO(0, closefd=False)


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
