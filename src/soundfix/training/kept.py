"""Rows of tensors that are made once and kept on disk, in shards: DIR/000000.safetensors holds the first 256, and so on.

A shard is there whole or not at all; what was interrupted goes on, what cannot be read is made again, and any file may be
deleted. Without a folder every row is made whenever it is asked for: the same numbers.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch.utils.data import DataLoader

from soundfix.atomic import atomic_path, make_folder
from soundfix.training.batches import Row, begin_worker

SHARD = 256  # rows


class Kept:
    """[n] is row n of `count`, as make(n) gives it: read where it is kept, else made."""

    def __init__(self, make: Callable[[int], Row], count: int, folder: Path | None) -> None:
        self.make, self.count, self.folder = make, count, folder
        self._open: dict[int, Any] = {}

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Row:
        if self.folder is None:
            return self.make(number)
        shard = number // SHARD
        if shard not in self._open:
            self._open[shard] = _opened(self._path(shard)) or self._filled(shard)
        file = self._open[shard]
        return {name: file.get_slice(name)[number % SHARD] for name in file.keys()}  # noqa: SIM118

    def fill(self, *, workers: int = 0, progress: Callable[[int, int], None] = lambda done, of: None) -> None:
        """Make all shards that are missing, with so many processes; progress is told how many shards there are, of all."""
        if self.folder is None:
            return
        of = -(-self.count // SHARD)
        missing = [shard for shard in range(of) if _opened(self._path(shard)) is None]
        made = DataLoader(
            _Missing(self, missing), batch_size=None, num_workers=workers, worker_init_fn=begin_worker, collate_fn=None
        )
        for done, _ in enumerate(made, 1):
            progress(of - len(missing) + done, of)

    def write(self, shard: int) -> None:
        """Make this shard."""
        rows = [self.make(number) for number in range(shard * SHARD, min((shard + 1) * SHARD, self.count))]
        columns = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
        make_folder(self._path(shard).parent)
        with atomic_path(self._path(shard)) as part:
            part.write_bytes(save(columns))

    def _filled(self, shard: int) -> Any:
        self.write(shard)
        return _opened(self._path(shard))

    def _path(self, shard: int) -> Path:
        assert self.folder is not None
        return self.folder / f"{shard:06d}.safetensors"


class _Missing(torch.utils.data.Dataset):
    """[k] writes the k-th missing shard."""

    def __init__(self, kept: Kept, missing: list[int]) -> None:
        self.kept, self.missing = kept, missing

    def __len__(self) -> int:
        return len(self.missing)

    def __getitem__(self, k: int) -> int:
        self.kept.write(self.missing[k])
        return self.missing[k]


def _opened(path: Path) -> Any:
    """The shard, its rows still on disk; None where there is none that can be read."""
    try:
        return safe_open(path, framework="pt")
    except (OSError, SafetensorError):
        return None
