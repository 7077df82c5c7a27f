"""Multilat*: Multilat (multilat.py) on the delays of NGCC-PHAT, the paper's second baseline.

NGCC-PHAT gives each pair one peak instead of GCC-PHAT's four; RANSAC and Gauss-Newton are the same. It hears the middle
2048 samples at 16 kHz, as it was trained. Who is at fault, and whether there is anything to locate, is judged by the
correlation of the same sound, as for every method.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open

from soundfix.errors import CheckpointError
from soundfix.estimate import Estimate
from soundfix.localization.boxes import Placed
from soundfix.localization.consensus import Consensus
from soundfix.localization.correlate import PHAT
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import Mode, polish
from soundfix.localization.pipeline import estimate_window
from soundfix.localization.preparation import Prepared
from soundfix.localization.sources import place_sources
from soundfix.methods.frame import frame_of
from soundfix.methods.multilat import peak_differences, ransac
from soundfix.methods.tensors import to_windows
from soundfix.networks import checkpoint as checkpoints
from soundfix.networks.encoders import ngcc
from soundfix.networks.encoders.ngcc import Ngcc
from soundfix.networks.registry import RIVALS, THREE_STREAM
from soundfix.networks.rivals.wav2pos import standardised_middle
from soundfix.resample import SAMPLE_RATE
from soundfix.scene import Scene
from soundfix.signal import gcc

SAMPLES = 2048
REACH_LAGS = 314  # of pairs up to 6.7 m apart


def multilat_ngcc(checkpoint: Path | str | None = None) -> "MultilatNgcc":
    """checkpoint: NGCC-PHAT's weights (published .pth, or ours), or a network that holds them (wav2pos, paper)."""
    if checkpoint is None:
        raise CheckpointError("multilat-ngcc needs trained weights of NGCC-PHAT: give a checkpoint")
    return MultilatNgcc(correlation=_weights(Path(checkpoint)))


def _weights(path: Path) -> Ngcc:
    if not _is_network(path):
        return ngcc.load(path)
    network = checkpoints.load_kind(path, {**THREE_STREAM, "wav2pos": RIVALS["wav2pos"]})
    found = dict(network.named_children()).get("ngcc")
    if not isinstance(found, Ngcc):
        raise CheckpointError(f"{path} is a network without NGCC-PHAT: wanted wav2pos, or one with correlation 'ngcc'")
    return found


def _is_network(path: Path) -> bool:
    """Whether this is a checkpoint of a whole network."""
    try:
        with safe_open(path, framework="pt") as file:
            return "soundfix" in (file.metadata() or {})
    except (OSError, SafetensorError):
        return False


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """evidence: PHAT's. delays: how likely NGCC-PHAT finds each."""

    evidence: Evidence
    delays: Evidence


@dataclass(frozen=True, kw_only=True, eq=False)
class MultilatNgcc:
    """correlation: NGCC-PHAT. seed: of the random rounds; the same scene gets the same answer."""

    correlation: Ngcc
    seed: int = 0
    name: str = "multilat-ngcc"
    leaves_out: bool = False
    follows: bool = True
    knows_axes: bool = False

    def __repr__(self) -> str:
        return f"MultilatNgcc(seed={self.seed})"

    def locate(self, scene: Scene) -> Estimate:
        """The answer for one window."""
        return estimate_window(scene, self, method=self.name).estimate

    def hear(self, prepared: Prepared) -> Learned:
        """PHAT's curves, as for every method, and what NGCC-PHAT says of their delays."""
        heard = prepared.audio, prepared.scene, prepared.pairs
        return Learned(evidence=PHAT(*heard), delays=self.evidence(*heard))

    def find(self, heard: Learned, evidence: Evidence, box: Float[np.ndarray, "2 3"]) -> list[Mode]:
        """The one point RANSAC finds on NGCC-PHAT's delays, or none."""
        pairs = heard.delays.pairs
        is_used = (pairs[:, None] == evidence.pairs[None]).all(axis=-1).any(axis=1)
        candidates = peak_differences(heard.delays, peaks=1)[is_used]
        rng = np.random.default_rng(self.seed)
        point = ransac(candidates, pairs[is_used], evidence.positions, box, rng=rng)
        if point is None:
            return []
        return [Mode(position=point, score=polish(evidence, point[None], box)[0].score)]

    def place(self, _heard: Learned, prepared: Prepared, consensus: Consensus, box: Float[np.ndarray, "2 3"]) -> Placed:
        """That point."""
        return Placed(*place_sources(prepared.scene, consensus, box))

    def evidence(
        self, audio: Float[np.ndarray, "mic time"], scene: Scene, pairs: Int[np.ndarray, "pair 2"]
    ) -> Evidence:
        """How likely NGCC-PHAT finds each delay of every pair."""
        frame = frame_of(scene)
        windows = to_windows(torch.from_numpy(audio), scene, pairs, frame=frame)
        sounds = standardised_middle(windows.audio, SAMPLES)
        sounds = gcc.faded(sounds, SAMPLE_RATE)
        with torch.inference_mode():
            logits = self.correlation.pairs(sounds, torch.from_numpy(pairs), max_lag=REACH_LAGS)[0]
        return Evidence(
            pairs=pairs,
            values=logits.softmax(dim=-1).numpy(),
            step_m=frame.speed_m_s / SAMPLE_RATE / frame.metre,
            positions=scene.microphones.positions,
        )
