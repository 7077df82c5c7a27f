"""Windows of all microphones, made out of blocks of some: waits for who is late, but not for ever and not for who is gone.

Time is the sample counters' alone: it is as late as the third most advanced microphone (FEWEST) has come, so that no
single wild counter moves it, and what is given out does not depend on how fast it is asked for. A window is given out when
everybody has delivered it but those who are missing: nothing came of them for patience_s. What is lost on the way is waited
for as long. Sound that did not come by then is NaN. Windows in which never FEWEST have sound at once are passed over, as in
files.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from soundfix.errors import SceneError
from soundfix.files.recorders import FEWEST
from soundfix.spans import LEAST_SHARE, in_samples
from soundfix.streaming.feed import Feed, Placed
from soundfix.streaming.ring import Ring

KEPT_S = 10.0  # of sound beside a window and what is waited for: so far behind may be who asks for windows


class Window(NamedTuple):
    """Samples start to stop of all microphones, heard_at: when enough of its end had come in, by the clock that was told."""

    start: int
    stop: int
    heard_at: float


class Assembly:
    """Blocks come in by `put`, windows go out by `due`, in order; `audio` of one may be asked for until `keeps` later.

    count: microphones. sample_rate (Hz): of windows; window_s, hop_s, patience_s: as in Stream. forgotten: windows that
    nobody asked for in time.
    """

    def __init__(self, count: int, sample_rate: float, *, window_s: float, hop_s: float, patience_s: float) -> None:
        self.sample_rate, self._hop_s = sample_rate, hop_s
        self._length = in_samples(window_s, sample_rate, "window_s")
        in_samples(hop_s, sample_rate, "hop_s")
        if not 0 <= patience_s < float("inf"):
            raise SceneError(f"patience_s is {patience_s} s, wanted seconds from 0 on, such as 0.1")
        self._patience = round(patience_s * sample_rate)
        self._keeps = self._length + self._patience + round(KEPT_S * sample_rate)
        self._ring, self._enough = Ring(count, self._keeps), min(FEWEST, count)
        self._feeds: list[Feed] = []
        self._feed_of: dict[int, Feed] = {}
        self._written, self._reach, self._came = np.zeros((3, count), np.int64)
        self._number, self._last_stop = 0, 0
        self._times: deque[tuple[int, float]] = deque()
        self.forgotten = 0

    @property
    def largest_block(self) -> float:
        """Seconds of sound that may be put between two calls of `due`, without a loss."""
        return KEPT_S / 2

    @property
    def time(self) -> int:
        """The sample up to which enough microphones have delivered."""
        return int(np.sort(self._reach)[-self._enough])

    @property
    def is_missing(self) -> Bool[np.ndarray, "mic"]:
        """Who is not waited for: nothing came of them lately, or their counters are out of all bounds."""
        behind: np.ndarray = self.time - self._reach
        return (behind > self._patience) | (behind < -self._keeps)

    def put(
        self, rows: list[int], block: Float[np.ndarray, "time channel"], rate_hz: float, first: int | None, now: float
    ) -> None:
        """One block (T, C) of these microphones at rate_hz, from this sample of its sender's on; now (s)."""
        feed = self._feed(rows, rate_hz)
        self._write(feed, feed.take(block, first))
        came = int(np.sort(self._came)[-self._enough])
        if not self._times or came > self._times[-1][0]:
            self._times.append((came, now))
            while len(self._times) > 1 and self._times[1][0] < self._ring.first:
                self._times.popleft()

    def due(self, *, is_over: bool = False) -> Iterator[Window]:
        """The next windows that can be given out. is_over: no more comes, so that a last, shorter one is given too."""
        if is_over:
            for feed in self._feeds:
                self._write(feed, feed.finish(int(np.sort(self._came)[-self._enough])))
        end = self.time
        while (stop := self._start + self._length) <= end:
            if not (is_over or self._is_whole(stop)):
                return
            yield from self._taken(stop)
        left = end - max(self._start, self._last_stop)
        is_first = self._number == 0 and end > 0
        if is_over and (left >= LEAST_SHARE * self._length or is_first):
            yield from self._taken(end)

    def audio(self, window: Window) -> Float[np.ndarray, "mic time"]:
        """NaN where somebody is missing."""
        return self._ring.read(window.start, window.stop)

    @property
    def _start(self) -> int:
        """Of the next window: rounded for itself, as in spans.py."""
        return round(self._number * self._hop_s * self.sample_rate)

    def _feed(self, rows: list[int], rate_hz: float) -> Feed:
        feed = self._feed_of.get(rows[0])
        if feed is None and not any(row in self._feed_of for row in rows):
            keeps = round(self._keeps / self.sample_rate * rate_hz)
            feed = Feed(rows, rate_hz, self.sample_rate, keeps)
            self._feeds.append(feed)
            self._feed_of.update(dict.fromkeys(rows, feed))
        if feed is None or feed.rows != rows or feed.rate_hz != rate_hz:
            raise SceneError(
                f"a block of {len(rows)} microphones at {rate_hz:g} Hz, some of which came in other company or at another "
                "rate before: wanted blocks of the same microphones from one sender all along"
            )
        return feed

    def _write(self, feed: Feed, placed: Iterable[Placed]) -> None:
        for position, block in placed:
            self._ring.write(feed.rows, position, block)
        self._written[feed.rows], self._reach[feed.rows], self._came[feed.rows] = feed.written, feed.reach, feed.came

    def _is_whole(self, stop: int) -> bool:
        """Whether nobody is waited for; what is lost is given up when it is late."""
        if self.time >= stop + self._patience:
            for feed in self._feeds:
                if feed.written < stop and feed.first_waiting is not None:
                    self._write(feed, feed.give_up(stop))
        return bool((self.is_missing | (self._written >= stop)).all())

    def _taken(self, stop: int) -> Iterator[Window]:
        """The next window, unless too few have sound in it; then on to where there is some."""
        window = Window(self._start, stop, self._heard_at(stop))
        self._number, self._last_stop = self._number + 1, stop
        if window.start < self._ring.first:
            self.forgotten += 1
        elif np.isfinite(self.audio(window)).sum(axis=0).max(initial=0) >= self._enough:
            yield window
            return
        self._skip_silence()

    def _skip_silence(self) -> None:
        """On to the first window that may have sound: nobody goes through the windows of an hour without any."""
        sound = min((feed.first_waiting for feed in self._feeds if feed.first_waiting is not None), default=0)
        nearest = int((sound - self._length) / (self._hop_s * self.sample_rate)) - 1
        if nearest > self._number:
            self._number = nearest

    def _heard_at(self, stop: int) -> float:
        while len(self._times) > 1 and self._times[0][0] < stop:
            self._times.popleft()
        return self._times[0][1] if self._times else 0.0
