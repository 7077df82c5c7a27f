"""Windows that are drawn once: the same few of every clip, heard by all microphones, whenever they are asked for.

What frozen parts make of such a window never changes, so that it may be kept (kept.py) instead of made in every step. Which
microphones a step hears, and what it hides from the network, is drawn anew each time (fixed_batches.py).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from soundfix.datasets.dataset import Dataset, find_clip
from soundfix.datasets.windows import draw_window
from soundfix.errors import TrainingError
from soundfix.networks.model import LEVEL, Network, Windows, levelled
from soundfix.networks.rivals.wav2pos import Wav2pos
from soundfix.resample import SAMPLE_RATE
from soundfix.training.batches import Row, row_of
from soundfix.training.recipes import Stage

FORMAT = 1  # to be raised when what is kept changes though data and weights do not
SALT = 4096  # so that no other use of (seed, clip) draws the same numbers
OF_EARS = (  # settings of networks that change what frozen parts make of a window
    "acoustic", "encoder", "correlation", "ngcc", "reach_lags", "window_samples", "coherence", "head", "samples",
)  # fmt: skip
GIVEN = ("audio", "positions_m", "is_known", "is_heard")  # the names in a row that make up Windows


@dataclass(frozen=True)
class Draw:
    """How windows are drawn: samples in each, so many of each clip, slots for sources, and the seed."""

    samples: int
    each: int
    sources: int
    seed: int


class FixedWindows:
    """[n] is the row of window n: levelled sound as float16, places, the truth. Windows of a clip follow each other."""

    def __init__(self, data: Sequence[Dataset], draw: Draw) -> None:
        self.data, self.draw = data, draw
        self.counts = [len(each) for each in data]
        if not sum(self.counts):
            raise TrainingError("no clips to train on: is the data set empty?")
        self.microphones = len(self._clip(0).microphones)
        self._of_clip = lru_cache(maxsize=1)(self._windows_of)

    def __len__(self) -> int:
        return sum(self.counts) * self.draw.each

    def __getitem__(self, number: int) -> Row:
        return self._of_clip(number // self.draw.each)[number % self.draw.each]

    def key(self) -> str:
        """The same windows have the same key: how they are drawn; name, length, and three clips of all data."""
        about = {"format": FORMAT, "draw": asdict(self.draw), "data": [_described(each) for each in self.data]}
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]

    def _clip(self, clip: int) -> Any:
        dataset, number = find_clip(self.counts, clip)
        return self.data[dataset][number]

    def _windows_of(self, clip: int) -> list[Row]:
        whole, rng = self._clip(clip), np.random.default_rng([self.draw.seed, clip, SALT])
        return [
            _kept(
                row_of(
                    draw_window(whole, self.draw.samples, self.microphones, rng),
                    microphones=self.microphones,
                    sources=self.draw.sources,
                )
            )
            for _ in range(self.draw.each)
        ]


def draw_of(stage: Stage, *, sources: int, seed: int) -> Draw:
    """As this stage wants them. Raises TrainingError where it wants what is drawn anew in every step."""
    anew = [name for name in ("share_noise", "share_roomless", "share_height", "walls_off_m") if getattr(stage, name)]
    if len(stage.windows_s) > 1 or anew:
        what = f"windows of {list(stage.windows_s)} s" if len(stage.windows_s) > 1 else f"{anew[0]} above 0"
        raise TrainingError(
            f"{stage.windows_a_clip} fixed windows a clip and {what}: wanted one length, and nothing of them drawn anew; "
            "windows_a_clip=0 draws all anew"
        )
    return Draw(round(stage.windows_s[0] * SAMPLE_RATE), stage.windows_a_clip, sources, seed)


def has_frozen_parts(network: nn.Module) -> bool:
    """Whether there is anything about its windows to be kept."""
    return isinstance(network, Network | Wav2pos)


def heard_row(network: nn.Module, row: Row) -> Row:
    """What the frozen parts of this network make of the window, as float16."""
    windows = Windows(**{name: row[name][None].float() if name == "audio" else row[name][None] for name in GIVEN})
    made = network.frozen(windows).tensors() if isinstance(network, Network | Wav2pos) else {}
    return {name: value[0].half() for name, value in made.items()}


def ears_key(network: nn.Module) -> str:
    """The same frozen weights, and settings that they depend on, have the same key."""
    settings = asdict(getattr(network, "config"))  # noqa: B009
    about = {name: settings[name] for name in OF_EARS if name in settings}
    total = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode())
    for part in ("encoder", "ngcc") if isinstance(network, Network) else ("ngcc",):
        module = getattr(network, part, None)
        for name, tensor in module.state_dict().items() if module is not None else ():
            total.update(f"{part}.{name} {tensor.dtype}".encode() + _bytes(tensor))
    return total.hexdigest()[:16]


def _kept(row: Row) -> Row:
    return row | {"audio": (levelled(row["audio"]) / LEVEL).half()}


def _described(data: Dataset) -> list[Any]:
    """Name, length, and a hash of the sound and the list of its first, middle and last clip."""
    some = sorted({0, len(data) // 2, len(data) - 1}) if len(data) else []
    total = hashlib.sha256()
    for clip in some:
        scene = data[clip]
        total.update(np.ascontiguousarray(scene.audio).tobytes() + scene.microphones.border_positions().tobytes())
    return [data.name, len(data), total.hexdigest()]


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
