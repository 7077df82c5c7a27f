"""Some of the clips of a data set, or all of them with the truth of some."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from soundfix.datasets.dataset import Dataset
from soundfix.scene import Scene

HELD_OUT = 10  # every tenth clip


@dataclass(frozen=True, kw_only=True, eq=False)
class Chosen:
    """clips: their numbers in data."""

    data: Dataset
    clips: Sequence[int]

    @property
    def name(self) -> str:
        return f"{len(self.clips)} clips of {self.data.name}"

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, clip: int) -> Scene:
        return self.data[self.clips[clip]]


def held_out(data: Dataset) -> tuple[Chosen, Chosen]:
    """All but every tenth clip to train on, and these to validate on; a set of fewer than two is both."""
    clips = range(len(data))
    kept = [clip for clip in clips if clip % HELD_OUT]
    return Chosen(data=data, clips=kept or clips), Chosen(data=data, clips=clips[::HELD_OUT])


@dataclass(frozen=True, kw_only=True, eq=False)
class Unlabelled:
    """All clips; nobody knows the truth of those that are not `known` (their numbers)."""

    data: Dataset
    known: frozenset[int]

    @property
    def name(self) -> str:
        return f"{self.data.name}, {len(self.known)} of {len(self.data)} with their truth"

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, clip: int) -> Scene:
        scene = self.data[clip]
        return scene if clip in self.known else replace(scene, truth=None)


def labelled(count: int, share: float) -> list[int]:
    """This share of so many clips, one at least, spread evenly."""
    some = max(1, round(share * count))
    return [k * count // some for k in range(some)]
