"""The blocks of one sender, brought into order: whatever comes late, twice or not at all, samples go out in their turn.

Blocks say which sample of their sender's they begin with. What is ahead waits for what is missing, until somebody says that
it will not come any more (`give_up`): then there is NaN, as in a file that lacks it. What was heard before is dropped.
A gap of one or two samples is no loss but a clock that was put right (clocks.py): the last sample stands in it.
"""

from bisect import insort
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.resample import Resampler

BRIDGED = 2  # samples
AHEAD_S = 0.01
SETTLED_S = 0.5  # of silence, after which a resampler has forgotten what was before
FINEST_RATIO = 1_000_000


class Placed(NamedTuple):
    """Sound (T, C) at the rate that is listened to, and its first sample there."""

    position: int
    block: Float[np.ndarray, "time channel"]


class Feed:
    """rows: the microphones of its channels. rate_hz: of its blocks; wanted_hz: of what goes out.

    written: up to this sample (at wanted_hz) everything went out. keeps: most samples (at rate_hz) that wait.
    """

    def __init__(self, rows: list[int], rate_hz: float, wanted_hz: float, keeps: int) -> None:
        self.rows, self.rate_hz, self._keeps = rows, rate_hz, keeps
        self._wanted_hz = wanted_hz
        self._ratio = Fraction(wanted_hz / rate_hz).limit_denominator(FINEST_RATIO)
        self._resampler = self._new_resampler()
        self._waiting: list[tuple[int, int, np.ndarray]] = []
        self._last = np.full((1, len(rows)), np.nan, np.float32)
        self._taken = 0  # blocks
        self._next = 0  # sample (at rate_hz) that is to go out next
        self.end = 0  # sample (at rate_hz) after the furthest that came in
        self.written = 0

    @property
    def came(self) -> int:
        """The sample (at wanted_hz) up to which something came in."""
        return self.placed(self.end)

    @property
    def reach(self) -> int:
        """The same without what the resampler still keeps: so far something can go out."""
        return self.came - (self.placed(self._next) - self.written)

    @property
    def first_waiting(self) -> int | None:
        """At wanted_hz: of the block that waits for what is missing before it; None where none does."""
        return self.placed(self._waiting[0][0]) if self._waiting else None

    def placed(self, sample: int) -> int:
        """The sample at wanted_hz that is at this one, to the nearest."""
        return int(sample * self._ratio + Fraction(1, 2))

    def take(self, block: Float[np.ndarray, "time channel"], first: int | None) -> Iterator[Placed]:
        """One more block; what goes out now. Without `first` it follows the furthest one."""
        first = self.end if first is None else first
        self._taken += 1
        self.end = max(self.end, first + len(block))
        insort(self._waiting, (first, self._taken, block))
        yield from self._flow()
        while sum(len(each) for *_, each in self._waiting) > self._keeps:
            self._waiting.pop(0)

    def give_up(self, until: int) -> Iterator[Placed]:
        """What is missing before this sample (at wanted_hz), if more waits for it, will not come any more.

        A resampler looks a little ahead: so far beyond it nothing that is missing comes either.
        """
        last, step = -(-until // self._ratio), round(AHEAD_S * self.rate_hz)  # at rate_hz, rounded up
        while self._waiting and self.written < until:
            yield from self._silence(min(self._waiting[0][0], max(last, self._next)))
            yield from self._flow()
            last += step if self._next >= last else 0

    def finish(self, end: int) -> Iterator[Placed]:
        """The rest of what came in, when no more comes, but for what begins after `end` (at wanted_hz)."""
        while self._waiting and self.placed(self._waiting[0][0]) < end:
            yield from self._silence(self._waiting[0][0])
            yield from self._flow()
        if self._resampler is not None:
            yield from self._out(self._resampler.process(self._last[:0], is_last=True))

    def _flow(self) -> Iterator[Placed]:
        """Whatever is next."""
        while self._waiting and self._waiting[0][0] <= self._next + BRIDGED:
            first, _, block = self._waiting.pop(0)
            if (missing := first - self._next) > 0:
                yield from self._enter(np.repeat(self._last, missing, axis=0))
            yield from self._enter(block[self._next - first :])

    def _silence(self, until: int) -> Iterator[Placed]:
        """NaN up to this sample; of a long silence only the beginning and the end go through the resampler."""
        settled = round(SETTLED_S * self.rate_hz)
        if until - self._next > 3 * settled:
            yield from self._enter(np.full((settled, len(self.rows)), np.nan, np.float32))
            self._resampler = self._new_resampler()
            self._next = (until - settled) // self._ratio.denominator * self._ratio.denominator
            self.written = self.placed(self._next)
        yield from self._enter(np.full((until - self._next, len(self.rows)), np.nan, np.float32))

    def _enter(self, block: Float[np.ndarray, "time channel"]) -> Iterator[Placed]:
        if len(block) == 0:
            return
        self._next += len(block)
        self._last = block[-1:]
        yield from self._out(block if self._resampler is None else self._resampler.process(block, is_last=False))

    def _out(self, sound: Float[np.ndarray, "time channel"]) -> Iterator[Placed]:
        if len(sound):
            yield Placed(self.written, sound)
            self.written += len(sound)

    def _new_resampler(self) -> Resampler | None:
        return None if self._ratio == 1 else Resampler(self.rate_hz, self._wanted_hz, len(self.rows))
