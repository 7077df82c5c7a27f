"""Windows of clips: a stretch that is not silent, heard by some of the microphones."""

import numpy as np

from soundfix.datasets.stretch import SAMPLE_RATE_HZ
from soundfix.errors import DatasetError
from soundfix.scene import Scene

GATE_DB = 20.0  # a window this far below the loudest one of its clip is silence, and left out
TRIES = 8  # to find one that is not


def draw_window(scene: Scene, samples: int, microphones: int, rng: np.random.Generator) -> Scene:
    """A stretch of the clip that is not silent, heard by some of its microphones (all, if it has no more)."""
    if scene.sample_rate != SAMPLE_RATE_HZ or scene.audio.shape[1] < samples:
        raise DatasetError(
            f"a clip of {scene.audio.shape[1]} samples at {scene.sample_rate:g} Hz, wanted {samples} or more at "
            f"{SAMPLE_RATE_HZ:g} Hz: are the windows longer than the clips?"
        )
    chosen = np.zeros(len(scene.microphones), dtype=bool)
    chosen[rng.permutation(len(scene.microphones))[:microphones]] = True
    return scene.where(chosen).part(loud_start(scene, samples, rng), samples)


def loud_start(scene: Scene, samples: int, rng: np.random.Generator) -> int:
    """Where a window begins: the first of some random places that is not silence, or the loudest of them."""
    power = np.nan_to_num(np.square(scene.audio[:, ::4])).mean(axis=0)  # every fourth sample is enough to see silence
    total = np.concatenate([[0.0], np.cumsum(power)])
    step = samples // 4
    levels = total[step:] - total[:-step]
    starts = rng.integers(scene.audio.shape[1] - samples + 1, size=TRIES)
    heard = levels[np.minimum(starts // 4, len(levels) - 1)]
    is_loud = heard >= levels.max() * 10 ** (-GATE_DB / 10)
    return int(starts[is_loud.argmax() if is_loud.any() else heard.argmax()])
