"""Sound from a sound card, by sounddevice (PortAudio): a card that is unplugged is opened again when it is back."""

import time
from collections.abc import Callable
from importlib import import_module
from threading import Event, Thread
from typing import Any

import numpy as np

from soundfix.errors import ConfigError, MissingPackageError
from soundfix.streaming.inbox import Block, Inbox

BLOCK_S = 0.02
SILENT_S = 1.0  # after which a card that gives nothing is taken for unplugged
AGAIN_S = 1.0  # from one try to open it to the next


def sounddevice() -> Any:
    """The package. Raises MissingPackageError without it, ConfigError without PortAudio."""
    try:
        return import_module("sounddevice")
    except ImportError as error:
        raise MissingPackageError("sounddevice", "live") from error
    except OSError as error:
        raise ConfigError(f"no sound card can be used ({error}): install PortAudio (libportaudio2) first") from error


class Card:
    """`channels` of a card, by its name or a part of it (the default one without), while it is open.

    Samples are counted on by the clock while the card is away: so its sound is back where time is. Raises ConfigError where
    it cannot be opened at first.
    """

    def __init__(
        self, name: str | None, sample_rate: float, channels: int, inbox: Inbox,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._package, self._name, self._rate, self._channels = sounddevice(), name, sample_rate, channels
        self._inbox, self._clock, self._is_closed = inbox, clock, Event()
        self._begun_s: float | None = None
        self._next, self._last_s = 0, clock()
        try:
            self._stream: Any = self._opened()
        except (self._package.PortAudioError, ValueError) as error:
            raise ConfigError(
                f"sound card {name or '(default)'} gives no {channels} channels at {sample_rate:g} Hz: {error}"
            ) from error
        Thread(target=self._watch, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._is_closed.set()
        self._stop()
        self._inbox.close()

    def _opened(self) -> Any:
        stream = self._package.InputStream(
            device=self._name, samplerate=self._rate, channels=self._channels, dtype="float32",
            blocksize=round(BLOCK_S * self._rate), callback=self._hear,
        )  # fmt: skip
        stream.start()
        self._last_s = self._clock()
        return stream

    def _hear(self, sound: np.ndarray, frames: int, when: Any, status: Any) -> None:
        """Called by PortAudio, which must not wait."""
        now = self._clock()
        if self._begun_s is None:
            self._begun_s = now - frames / self._rate
        if status and status.input_overflow:
            self._inbox.say("sound card: samples were lost before they came here")
            self._catch_up(now, frames)
        self._inbox.put(Block(sound.copy(), self._rate, None, self._next))
        self._next += frames
        self._last_s = now

    def _catch_up(self, now: float, frames: int) -> None:
        """Count what was not heard."""
        assert self._begun_s is not None
        self._next = max(self._next, round((now - self._begun_s) * self._rate) - frames)

    def _watch(self) -> None:
        while not self._is_closed.wait(AGAIN_S / 4):
            if self._clock() - self._last_s > SILENT_S:
                self._inbox.say("sound card: nothing comes; is it unplugged?")
                self._reopen()

    def _reopen(self) -> None:
        self._stop()
        while not self._is_closed.is_set():
            self._package._terminate()  # PortAudio lists cards once, when it starts
            self._package._initialize()
            try:
                self._stream = self._opened()
            except (self._package.PortAudioError, ValueError):
                self._is_closed.wait(AGAIN_S)
                continue
            if self._begun_s is not None:
                self._catch_up(self._clock(), 0)
            self._inbox.say("sound card: it is back")
            return

    def _stop(self) -> None:
        try:
            self._stream.abort()
            self._stream.close()
        except self._package.PortAudioError:
            return  # it is gone already
