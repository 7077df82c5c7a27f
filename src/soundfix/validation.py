"""How well a network that is learning locates: on the same few windows each time, beside SRP-PHAT on these windows.

Windows are drawn as in training, from clips of their own. The place is the best mode of the evidence, without verdict or
consensus: what users would see is measured by evaluating the finished checkpoint.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from soundfix.answer import choose_pairs
from soundfix.batches import draw_window
from soundfix.correlate import Correlator
from soundfix.datasets.dataset import Dataset
from soundfix.errors import TrainingError
from soundfix.model import SAMPLE_RATE, Network
from soundfix.recipes import Stage
from soundfix.refine import find_modes
from soundfix.scene import Scene
from soundfix.three_stream import Listener

NEAR_M = 0.3  # acc: the share of windows whose error is smaller
DRAWS = 20  # clips tried for a window with a known source

Place = Callable[[Scene], Float[np.ndarray, "3"]]


class Validation:
    """Windows with known sources; calling it with a network gives the numbers of the table."""

    def __init__(self, data: Sequence[Dataset], stage: Stage, *, windows: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.scenes = [_draw(data, stage, rng) for _ in range(windows)]
        self.srp_phat = _numbers(self._errors(_by_steered_power), "srp_")

    def __call__(self, network: Network) -> dict[str, float]:
        """Mean error, median and acc of its evidence; of the position decoder too, and its error along an axis."""
        listener = Listener(network)
        decoded: list[np.ndarray] = []

        def place(scene: Scene) -> Float[np.ndarray, "3"]:
            pairs = _pairs(scene)
            listener.hear(np.nan_to_num(scene.audio), scene, pairs)
            decoded.append(listener.sources_m[0])
            if network.head is None:
                return listener.sources_m[0]
            return find_modes(listener.evidence(0), scene.microphones.positions, scene.search_box())[0].position

        errors = self._errors(place)
        gaps = np.array([point - _nearest(scene, point) for point, scene in zip(decoded, self.scenes, strict=True)])
        return _numbers(errors, "") | self.srp_phat | {"decoder_error_m": float(np.sqrt(np.mean(gaps**2)))}

    def _errors(self, place: Place) -> Float[np.ndarray, "window"]:
        """Distance to the nearest source."""
        found = [place(scene) for scene in self.scenes]
        return np.array(
            [np.linalg.norm(at - _nearest(scene, at)) for at, scene in zip(found, self.scenes, strict=True)]
        )


def _draw(data: Sequence[Dataset], stage: Stage, rng: np.random.Generator) -> Scene:
    for _ in range(DRAWS):
        dataset = data[int(rng.integers(len(data)))]
        samples = round(float(rng.choice(stage.windows_s)) * SAMPLE_RATE)
        microphones = int(rng.integers(stage.microphones[0], stage.microphones[1] + 1))
        scene = draw_window(dataset[int(rng.integers(len(dataset)))], samples, microphones, rng)
        if scene.truth is not None and np.isfinite(scene.truth.sources).all() and scene.microphones.is_known.sum() >= 4:
            return scene
    raise TrainingError(
        f"{DRAWS} clips and not one with known sources and four known microphones: nothing to validate with"
    )


def _by_steered_power(scene: Scene) -> Float[np.ndarray, "3"]:
    evidence = Correlator()(np.nan_to_num(scene.audio), scene, _pairs(scene))
    return find_modes(evidence, scene.microphones.positions, scene.search_box())[0].position


def _pairs(scene: Scene) -> np.ndarray:
    return choose_pairs(scene.microphones.is_known)[0]


def _nearest(scene: Scene, point: np.ndarray) -> Float[np.ndarray, "3"]:
    assert scene.truth is not None
    return scene.truth.sources[np.linalg.norm(scene.truth.sources - point, axis=1).argmin()]


def _numbers(errors: Float[np.ndarray, "window"], prefix: str) -> dict[str, float]:
    return {
        f"{prefix}mae_m": float(errors.mean()),
        f"{prefix}median_m": float(np.median(errors)),
        f"{prefix}acc": float((errors < NEAR_M).mean()),
    }
