"""Several sources at once, from clips of one source: sums over all channels (arXiv 2505.20961 mixes LuViRA like this).

Clip k of a mixture is clip k of the data with one or more others of the same array added, of the same level at the loudest
sample. Only where nothing is unknown or broken is the truth of a sum the sum of truths.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from soundfix.datasets.dataset import Dataset
from soundfix.errors import DatasetError
from soundfix.scene import Scene, Track, Truth

SALT = 77  # so that no other use of (seed, clip) draws the same numbers
SAME_PLACE_M = 0.02  # a motion capture sees a microphone that far from where it saw it in another recording, at most


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
        if count > len(self.data):
            raise DatasetError(f"{self.data.name} has {len(self.data)} clips: {count} of them cannot sound at once")
        for other in rng.choice(len(self.data) - 1, count - 1, replace=False) if count > 1 else ():
            scene = mixed(scene, self.data[int(other + (other >= clip))])
        return scene


def mixed(one: Scene, other: Scene) -> Scene:
    """Both at once. Raises DatasetError where they are not of one array and rate, or a truth is missing."""
    if one.truth is None or other.truth is None:
        raise DatasetError("a clip without truth cannot be mixed: nobody would know what is in the sum")
    if one.sample_rate != other.sample_rate or one.audio.shape != other.audio.shape:
        raise DatasetError(
            f"clips of {one.audio.shape} and {other.audio.shape} samples cannot be mixed: another array?"
        )
    if not np.allclose(
        one.microphones.positions, other.microphones.positions, rtol=0, atol=SAME_PLACE_M, equal_nan=True
    ):
        raise DatasetError("clips whose microphones stand elsewhere cannot be mixed: is it one room?")
    loudest = [float(np.abs(scene.audio).max()) or 1.0 for scene in (one, other)]
    audio = one.audio + other.audio * np.float32(loudest[0] / loudest[1])
    sources = np.concatenate([one.truth.sources, other.truth.sources])
    return replace(one, audio=audio, truth=replace(one.truth, sources=sources, track=_joined(one.truth, other.truth)))


def _joined(one: Truth, other: Truth) -> Track | None:
    """Where all were all along; None where nothing moved."""
    times_s = [truth.track.times_s for truth in (one, other) if truth.track is not None]
    if not times_s:
        return None
    both_s = np.unique(np.concatenate(times_s))
    return Track(times_s=both_s, places=np.concatenate([_along(one, both_s), _along(other, both_s)], axis=1))


def _along(truth: Truth, times_s: Float[np.ndarray, "time"]) -> Float[np.ndarray, "time source 3"]:
    if truth.track is None:
        return np.tile(truth.sources, (len(times_s), 1, 1))
    return np.stack([truth.track.at(time_s) for time_s in times_s])
