"""What every data set is: a row of clips, each a Scene with its truth, the same one whenever it is asked for."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Generic, Protocol, TypeVar, runtime_checkable

from soundfix.datasets.stretch import clip_samples
from soundfix.scene import Scene


@runtime_checkable
class Dataset(Protocol):
    """Clips of a few seconds, from 0 to len() - 1. Reading one may raise DatasetError, which names the file."""

    @property
    def name(self) -> str:
        """What it is called in tables and manifests."""

    def __len__(self) -> int: ...

    def __getitem__(self, clip: int) -> Scene: ...


@runtime_checkable
class Clipped(Protocol):
    """A recording that is cut into clips of so many samples at 16 kHz."""

    def count(self, samples: int) -> int:
        """How many there are."""

    def clip(self, number: int, samples: int) -> Scene:
        """One of them, with the truth; from 0."""


Cut = TypeVar("Cut", bound=Clipped)


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordedClips(Generic[Cut]):
    """Clips of `clip_s` seconds at 16 kHz, recording after recording."""

    recordings: tuple[Cut, ...]
    clip_s: float
    name: str

    def __len__(self) -> int:
        return sum(self._counts)

    def __getitem__(self, clip: int) -> Scene:
        """Raises DatasetError, which names the file, where the sound cannot be read."""
        recording, number = find_clip(self._counts, clip)
        return self.recordings[recording].clip(number, clip_samples(self.clip_s))

    @cached_property
    def _counts(self) -> list[int]:
        return [recording.count(clip_samples(self.clip_s)) for recording in self.recordings]


def find_clip(counts: Sequence[int], clip: int) -> tuple[int, int]:
    """Of several rows of clips with so many each, put after one another: which row holds this clip, and where in it."""
    ends = list(accumulate(counts, initial=0))
    if not 0 <= clip < ends[-1]:
        raise IndexError(f"clip {clip} of {ends[-1]}")
    row = bisect_right(ends, clip) - 1
    return row, clip - ends[row]
