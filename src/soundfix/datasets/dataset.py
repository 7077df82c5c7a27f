"""What every data set is: a row of clips, each a Scene with its truth, the same one whenever it is asked for."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol, runtime_checkable

from soundfix.scene import Scene


@runtime_checkable
class Dataset(Protocol):
    """Clips of a few seconds, from 0 to len() - 1. Reading one may raise DatasetError, which names the file."""

    @property
    def name(self) -> str:
        """What it is called in tables and manifests."""

    def __len__(self) -> int: ...

    def __getitem__(self, clip: int) -> Scene: ...


def find_clip(counts: Sequence[int], clip: int) -> tuple[int, int]:
    """Of several rows of clips with so many each, put after one another: which row holds this clip, and where in it."""
    ends = list(accumulate(counts, initial=0))
    if not 0 <= clip < ends[-1]:
        raise IndexError(f"clip {clip} of {ends[-1]}")
    row = bisect_right(ends, clip) - 1
    return row, clip - ends[row]
