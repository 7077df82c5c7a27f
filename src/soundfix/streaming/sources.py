"""Where live sound comes from: a pipe, a file played at its speed, a sound card, or the network; all fill an Inbox."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Protocol, runtime_checkable

from soundfix.errors import ConfigError, SoundfixError
from soundfix.files.take import Take, read
from soundfix.microphones import Microphones
from soundfix.scene import Band
from soundfix.streaming.card import Card
from soundfix.streaming.inbox import Block, Inbox
from soundfix.streaming.pcm import WIDTHS, checked_format, decode
from soundfix.streaming.receiver import Receiver

PLAYED_S = 0.05  # of a file at once
LARGEST_READ = 2**16  # bytes of a pipe at once


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Of sound that does not tell it: rate (Hz) and channels; sample_format as in pcm.py, of a pipe."""

    sample_rate: float
    channels: int
    sample_format: str = "s16le"

    def __post_init__(self) -> None:
        checked_format(self.sample_format)
        if self.channels < 1:
            raise ConfigError(f"{self.channels} channels, wanted 1 or more")


@runtime_checkable
class Bytes(Protocol):
    """A file of bytes, unbuffered: what there is, up to so many; none at its end."""

    def read(self, count: int, /) -> bytes: ...


@runtime_checkable
class Source(Protocol):
    """Fills its inbox until it is closed, or has no more."""

    def close(self) -> None: ...


def told(text: str, microphones: str | Path | Microphones, band_hz: Band | None = None) -> str | Take:
    """What is listened to: the text of something live (open_source), or the recording of that path with its microphones.

    A recording is heard up to 8 kHz, or at its own rate where a band is asked for. Raises what `soundfix.read` does.
    """
    if text in ("-", "card") or text.startswith("card:") or "://" in text:
        return text
    take = read(text, microphones)
    return take if band_hz is None else take.at(take.native_rate)


def open_source(source: str | Take, shape: Shape, inbox: Inbox, pipe: Callable[[], Bytes]) -> Source:
    """`-` (raw sound of the pipe that this opens), `card` or `card:NAME`, tcp:// or udp://HOST:PORT, or a recording.

    Raises ConfigError or MissingPackageError on what cannot be opened.
    """
    if isinstance(source, Take):
        return Player(source, inbox)
    if source == "-":
        return Pipe(pipe(), shape, inbox)
    if "://" in source:
        return Receiver(source, inbox)
    return Card(source[5:] or None, shape.sample_rate, shape.channels, inbox)


class Pipe:
    """Raw interleaved samples, as fast as they come; where nobody takes them the pipe waits. pipe: unbuffered."""

    def __init__(self, pipe: Bytes, shape: Shape, inbox: Inbox) -> None:
        self._pipe, self._shape, self._inbox = pipe, shape, inbox
        Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self._inbox.close()

    def _run(self) -> None:
        shape, left = self._shape, b""
        frame = shape.channels * WIDTHS[shape.sample_format]
        while data := self._pipe.read(LARGEST_READ):
            left += data
            whole = len(left) // frame * frame
            if whole:
                sound = decode(left[:whole], shape.sample_format, shape.channels)
                self._inbox.put(Block(sound, shape.sample_rate), waits=True)
            left = left[whole:]
        self._inbox.close()


class Player:
    """A recording at the speed at which it was made, as if it were live; where nobody takes it, it waits."""

    def __init__(
        self, take: Take, inbox: Inbox, clock: Callable[[], float] = time.monotonic, sleep: Callable | None = None
    ) -> None:
        self._inbox, self._clock, self._is_closed = inbox, clock, Event()
        self._sleep = sleep or self._is_closed.wait
        self._take = take
        for note in take.notes:
            inbox.say(note)
        Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self._is_closed.set()
        self._inbox.close()

    def _run(self) -> None:
        rate_hz, start_s, first = self._take.sample_rate, self._clock(), 0
        try:
            for block in self._take.blocks(PLAYED_S):
                first += block.shape[1]
                self._sleep(max(0.0, start_s + first / rate_hz - self._clock()))
                if self._is_closed.is_set():
                    return
                self._inbox.put(Block(block.T, rate_hz), waits=True)
        except SoundfixError as error:
            self._inbox.close(error)
        self._inbox.close()
