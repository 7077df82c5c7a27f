"""The last seconds of all microphones on one line of time; where nothing came in there is NaN. Memory does not grow.

Axes: M microphones, T samples at one rate, C channels of a block.
"""

import numpy as np
from jaxtyping import Float


class Ring:
    """Room for `keeps` samples at least of `count` microphones; what is older is forgotten as new sound comes in.

    first: the oldest sample that is there. It moves only forwards.
    """

    def __init__(self, count: int, keeps: int) -> None:
        self._audio = np.full((count, 2 * keeps), np.nan, np.float32)  # twice: so it is moved once in `keeps` samples
        self.first = 0

    def write(self, rows: list[int], position: int, block: Float[np.ndarray, "time channel"]) -> None:
        """A block of these microphones, whose first sample is `position`; what is too old for the ring is left out."""
        stop = position + len(block)
        self._make_room(stop)
        start = max(position, self.first)
        if start < stop:
            self._audio[rows, start - self.first : stop - self.first] = block[start - position :].T

    def read(self, start: int, stop: int) -> Float[np.ndarray, "mic time"]:
        """A copy; NaN where nothing was written, or no more there."""
        audio = np.full((len(self._audio), stop - start), np.nan, np.float32)
        first = max(start, self.first)
        there = self._audio[:, first - self.first : max(first, stop) - self.first]
        audio[:, first - start : first - start + there.shape[1]] = there
        return audio

    def _make_room(self, stop: int) -> None:
        size = self._audio.shape[1]
        if stop - self.first <= size:
            return
        gone = stop - size // 2 - self.first
        kept = self._audio[:, gone:].copy()
        self._audio[:] = np.nan
        self._audio[:, : kept.shape[1]] = kept
        self.first += gone
