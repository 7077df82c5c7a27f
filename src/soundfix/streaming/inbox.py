"""What sources have heard, until somebody has time for it: bounded, and never in the way of a sound card."""

import time
from collections import deque
from collections.abc import Callable
from threading import Condition
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.errors import SoundfixError

MOST_SAMPLES = 2**23  # over all channels: 48 s of eleven at 16 kHz, 32 MiB


class Block(NamedTuple):
    """Sound of some microphones (all, where none is named) at sample_rate (Hz).

    first_sample: on the line of time that all share; None: it follows the block before. heard_at: when it came in (s).
    """

    sound: Float[np.ndarray, "time channel"]
    sample_rate: float
    microphones: tuple[str, ...] | None = None
    first_sample: int | None = None
    heard_at: float | None = None


class Inbox:
    """Blocks, and sentences about what happens to their sources, from any thread. most: samples that are kept.

    clock: by which they are stamped, seconds. dropped: blocks that were lost because nobody took them.
    """

    def __init__(self, most: int = MOST_SAMPLES, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._samples, self._clock = most, 0, clock
        self._blocks: deque[Block] = deque()
        self._said: deque[str] = deque(maxlen=100)
        self._changed = Condition()
        self._is_over = False
        self._error: SoundfixError | None = None
        self.dropped = 0

    def put(self, block: Block, *, waits: bool = False) -> None:
        """One block more. Where there is no room the oldest is lost; a source that `waits` stops there instead."""
        with self._changed:
            while waits and self._samples + block.sound.size > self._most and self._blocks and not self._is_over:
                self._changed.wait()
            self._blocks.append(block._replace(heard_at=self._clock()))
            self._samples += block.sound.size
            if self._samples > self._most and len(self._blocks) > 1 and self.dropped == 0:
                self._said.append("sound is lost: it comes faster than it is answered")
            while self._samples > self._most and len(self._blocks) > 1:
                self._samples -= self._blocks.popleft().sound.size
                self.dropped += 1
            self._changed.notify_all()

    def say(self, sentence: str) -> None:
        """For whoever takes the blocks."""
        with self._changed:
            self._said.append(sentence)
            self._changed.notify_all()

    def close(self, error: SoundfixError | None = None) -> None:
        """Nothing more comes, because of this error if there is one."""
        with self._changed:
            self._is_over, self._error = True, error or self._error
            self._changed.notify_all()

    def take(self, timeout_s: float) -> list[Block]:
        """All there is; waits for the first so long. Raises what a source failed with, when all before is taken."""
        with self._changed:
            if not self._blocks and not self._said and not self._is_over:
                self._changed.wait(timeout_s)
            blocks = list(self._blocks)
            self._blocks.clear()
            self._samples = 0
            self._changed.notify_all()
            if not blocks and self._error is not None:
                raise self._error
            return blocks

    def sentences(self) -> list[str]:
        """What was said since this was asked."""
        with self._changed:
            said = list(self._said)
            self._said.clear()
            return said

    @property
    def is_over(self) -> bool:
        """Whether everything is taken and nothing more comes."""
        with self._changed:
            return self._is_over and not self._blocks
