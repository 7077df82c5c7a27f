"""Several sources at once, from clips of one source: sums over all channels (arXiv 2505.20961 mixes LuViRA like this).

Clip k of a mixture is clip k of the data with one or more others of the same array added, of the same level at the loudest
sample. Only where nothing moved and nothing is unknown or broken is the truth of a sum the sum of truths.
"""

from dataclasses import dataclass, replace

import numpy as np

from soundfix.datasets.dataset import Dataset
from soundfix.errors import DatasetError
from soundfix.scene import Scene

SALT = 77  # so that no other use of (seed, clip) draws the same numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """sources: fewest and most that sound at once, drawn for each clip from (seed, clip)."""

    data: Dataset
    sources: tuple[int, int]
    seed: int = 0

    @property
    def name(self) -> str:
        return f"{self.data.name} mixed"

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, clip: int) -> Scene:
        scene = self.data[clip]
        rng = np.random.default_rng([self.seed, clip, SALT])
        count = int(rng.integers(self.sources[0], self.sources[1] + 1))
        for _ in range(count - 1):
            scene = mixed(scene, self.data[int(rng.integers(len(self.data)))])
        return scene


def mixed(one: Scene, other: Scene) -> Scene:
    """Both at once. Raises DatasetError where they are not of one array and rate, or a truth is missing."""
    if one.truth is None or other.truth is None:
        raise DatasetError("a clip without truth cannot be mixed: nobody would know what is in the sum")
    if one.sample_rate != other.sample_rate or one.audio.shape != other.audio.shape:
        raise DatasetError(
            f"clips of {one.audio.shape} and {other.audio.shape} samples cannot be mixed: another array?"
        )
    if not np.array_equal(one.microphones.positions, other.microphones.positions, equal_nan=True):
        raise DatasetError("clips whose microphones stand elsewhere cannot be mixed: is it one room?")
    loudest = [float(np.abs(scene.audio).max()) or 1.0 for scene in (one, other)]
    audio = one.audio + other.audio * np.float32(loudest[0] / loudest[1])
    truth = replace(one.truth, sources=np.concatenate([_here(one), _here(other)]), track=None, rt60_s=one.truth.rt60_s)
    return replace(one, audio=audio, truth=truth)


def _here(scene: Scene) -> np.ndarray:
    assert scene.truth is not None
    return scene.truth.sources
