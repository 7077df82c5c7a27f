"""Batches of windows that were drawn once: which of them, who hears them, and what is hidden, is a function of the step.

    fixed windows (fixed_windows.py) -> kept rows, and what frozen parts made of them (kept.py) -> a batch

Training from what is kept and without it are the same bit for bit.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import nn

from soundfix.datasets.dataset import Dataset
from soundfix.training.batches import Batch, Row, hidden_and_points, share_of, stacked
from soundfix.training.fixed_windows import Draw, FixedWindows, ears_key, has_frozen_parts, heard_row
from soundfix.training.kept import Kept
from soundfix.training.recipes import Stage

OF_MICROPHONES = ("audio", "positions_m", "is_known", "is_heard", "microphones_m", "features")
OF_PAIRS = ("correlation", "coherence")
OF_SOUND = ("features", "correlation", "coherence")


class FixedSet:
    """[n] is window n heard by all microphones, with what the frozen parts of a network made of it."""

    def __init__(self, data: Sequence[Dataset], draw: Draw, network: nn.Module, folder: Path | None) -> None:
        windows = FixedWindows(data, draw)
        self.microphones = windows.microphones
        place = folder and folder / f"windows-{windows.key()}"
        self.rows = Kept(windows.__getitem__, len(windows), place)
        heard = place and place / f"heard-{ears_key(network)}"
        self.heard = Kept(lambda number: heard_row(network, self.rows[number]), len(windows), heard)
        self.kept = {"windows": self.rows} | ({"heard": self.heard} if has_frozen_parts(network) else {})

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> Row:
        row = {name: value for kept in self.kept.values() for name, value in kept[number].items()}
        return {name: value.float() if value.dtype == torch.float16 else value for name, value in row.items()}

    def fill(self, *, workers: int, progress: Callable[[str, int, int], None]) -> None:
        """Keep what is not kept yet; progress is told what, how many shards of it there are, of how many."""
        for what, kept in self.kept.items():
            kept.fill(workers=workers, progress=partial(progress, what))


class FixedBatches(torch.utils.data.Dataset):
    """[step] is the batch of that step; rank and ranks choose one process's share of it."""

    def __init__(self, windows: FixedSet, stage: Stage, *, seed: int, rank: int = 0, ranks: int = 1) -> None:
        self.windows, self.stage, self.seed = windows, stage, seed
        self.share = share_of(stage, rank, ranks)

    def __len__(self) -> int:
        return self.stage.steps

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng([self.seed, step])
        stage = self._stage_at(step, rng)
        most = min(stage.microphones[1], self.windows.microphones)
        count = int(rng.integers(min(stage.microphones[0], most), most + 1))
        numbers = rng.integers(len(self.windows), size=stage.batch)
        seeds = rng.integers(2**63, size=stage.batch)
        return stacked(
            [
                self._row(int(number), count, stage, np.random.default_rng(own))
                for number, own in zip(numbers[self.share], seeds[self.share], strict=True)
            ]
        )

    def _stage_at(self, step: int, rng: np.random.Generator) -> Stage:
        """share_whole: at first everybody hears, and nothing is hidden. Then positions are hidden in share_hidden of the
        steps, and everybody hears in these, too: whose place is free cannot be told where others are missing as well."""
        stage = self.stage
        everybody = replace(stage, microphones=(stage.microphones[1], stage.microphones[1]))
        if stage.is_whole(step):
            return replace(everybody, hidden_positions=0, hidden_sound=0.0)
        if stage.share_hidden == 1:
            return stage
        hides = rng.random() < stage.share_hidden
        return replace(everybody, share_hidden=1.0) if hides else replace(stage, hidden_positions=0)

    def _row(self, number: int, microphones: int, stage: Stage, rng: np.random.Generator) -> Row:
        whole = self.windows[number]
        order = rng.permutation(self.windows.microphones)
        if stage.keeps_channels:
            row = whole | {"is_heard": whole["is_heard"] & torch.from_numpy(order < microphones)}
        else:
            row = heard_by(whole, np.sort(order[:microphones]))
        return row | hidden_and_points(row, stage, rng)


def heard_by(row: Row, chosen: Int[np.ndarray, "mic"]) -> Row:
    """The window as these microphones (in rising order) heard it."""
    count = len(row["is_heard"])
    first, second = np.triu_indices(count, 1)
    pairs = np.flatnonzero(np.isin(first, chosen) & np.isin(second, chosen))
    mics = torch.from_numpy(chosen)
    some = {name: row[name][mics] for name in OF_MICROPHONES if name in row}
    return row | some | {name: row[name][torch.from_numpy(pairs)] for name in OF_PAIRS if name in row}
