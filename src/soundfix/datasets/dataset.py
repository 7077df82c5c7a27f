"""What every data set is: a row of clips, each a Scene with its truth, the same one whenever it is asked for."""

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
