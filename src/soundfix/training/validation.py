"""How well a network that is learning locates: on the same few windows each time, beside SRP-PHAT on these windows.

Windows are drawn as in training, from clips of their own. The place is the best mode of the evidence, without verdict or
consensus: what users would see is measured by evaluating the finished checkpoint.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from torch import nn

from soundfix.datasets.dataset import Dataset
from soundfix.datasets.windows import draw_window
from soundfix.errors import TrainingError
from soundfix.localization.correlate import Correlator
from soundfix.localization.modes import find_modes
from soundfix.localization.pairs import choose_pairs
from soundfix.methods.network_decoder import NetworkDecoder
from soundfix.methods.network_evidence import hear_as_is, metres
from soundfix.methods.reranking import likeliest_places
from soundfix.methods.rivals import Rival
from soundfix.networks.model import Network
from soundfix.networks.registry import RivalNetwork
from soundfix.resample import SAMPLE_RATE
from soundfix.scene import Scene
from soundfix.training.recipes import Stage

NEAR_M = 0.3  # acc: the share of windows whose error is smaller
DRAWS = 20  # clips tried for a window with a known source


class Validation:
    """Windows with known sources; calling it with a network gives the numbers of the table."""

    def __init__(self, data: Sequence[Dataset], stage: Stage, *, windows: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.scenes = [_draw(data, stage, rng) for _ in range(windows)]
        self.srp_phat_m = self._errors([_by_steered_power(scene) for scene in self.scenes])

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """Mean error, median and acc of its evidence, those of SRP-PHAT, and the error of its decoder along an axis."""
        errors = self.errors(network)
        decoder_error_m = float(np.sqrt(np.mean(np.square(errors["decoder"])) / 3))
        return summary(errors["network"]) | summary(errors["srp-phat"], "srp_") | {"decoder_error_m": decoder_error_m}

    def errors(self, network: nn.Module) -> dict[str, Float[np.ndarray, "window"]]:
        """Distances (m) to the nearest source: "srp-phat", "decoder" (coordinates by MLP), "network" (its best place)."""
        places = [_by_network(network, scene) for scene in self.scenes]
        decoded, best = (self._errors([pair[k] for pair in places]) for k in (0, 1))
        return {"srp-phat": self.srp_phat_m, "decoder": decoded, "network": best}

    def _errors(self, places: Sequence[np.ndarray]) -> Float[np.ndarray, "window"]:
        pairs = zip(places, self.scenes, strict=True)
        return np.array(
            [np.linalg.norm(scene.truth.sources - place, axis=1).min() for place, scene in pairs if scene.truth]
        )


def _by_network(network: nn.Module, scene: Scene) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Coordinates of its decoder, and where its evidence is highest (the same without a likelihood head)."""
    heard = np.nan_to_num(scene.audio), scene, _pairs(scene)
    if isinstance(network, RivalNetwork):
        place = Rival(network=network, name="rival").decode(*heard).sources_m[0]
        return place, place
    assert isinstance(network, Network)
    if network.head is None:
        decoded = NetworkDecoder(network).decode(*heard).sources_m[0]
        return decoded, decoded
    said = hear_as_is(network, *heard)
    decoded = metres(said.answers.sources_m, said.frame)[0]
    return decoded, likeliest_places(said, said.evidence, box=scene.search_box())[0].position


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
    return find_modes(evidence, scene.search_box())[0].position


def _pairs(scene: Scene) -> np.ndarray:
    return choose_pairs(scene.microphones.is_known)[0]


def summary(errors: Float[np.ndarray, "window"], prefix: str = "") -> dict[str, float]:
    """Mean, median and share under NEAR_M of these errors (m)."""
    return {
        f"{prefix}mae_m": float(errors.mean()),
        f"{prefix}median_m": float(np.median(errors)),
        f"{prefix}acc": float((errors < NEAR_M).mean()),
    }
