"""The paper's learned rivals as localizers: a Scene becomes tensors, their coordinates become an Estimate.

All three say coordinates in the frame of the room; regions, verdicts and who is at fault come from decoded.py, as for
the three-stream network's own coordinates. DI-NN knows one array: a microphone's channel is that of the microphone
that stood nearest in training, and channels without one are silent. Each needs a checkpoint (soundfix train di-nn ...).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from soundfix.errors import CheckpointError
from soundfix.estimate import Estimate
from soundfix.methods.decoded import Places, locate_by_coordinates
from soundfix.methods.frame import frame_of
from soundfix.methods.network_evidence import metres
from soundfix.methods.tensors import to_windows
from soundfix.networks import checkpoint as checkpoints
from soundfix.networks.model import Windows
from soundfix.networks.registry import RIVALS, RivalNetwork
from soundfix.networks.rivals.di_nn import DiNn
from soundfix.scene import Scene

NOWHERE_M = 1000.0  # how far a microphone of unknown position is from every slot


def di_nn(checkpoint: Path | str | None = None) -> "Rival":
    """DI-NN of a checkpoint."""
    return _loaded("di-nn", checkpoint)


def gnn(checkpoint: Path | str | None = None) -> "Rival":
    """The GNN of a checkpoint."""
    return _loaded("gnn", checkpoint)


def wav2pos(checkpoint: Path | str | None = None) -> "Rival":
    """wav2pos of a checkpoint."""
    return _loaded("wav2pos", checkpoint)


def _loaded(name: str, checkpoint: Path | str | None) -> "Rival":
    if checkpoint is None:
        raise CheckpointError(f"{name} needs trained weights: give a checkpoint (soundfix train {name} makes one)")
    network = checkpoints.load_kind(checkpoint, {name: RIVALS[name]})
    assert isinstance(network, RivalNetwork)
    return Rival(network=network, name=name)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rival:
    """network: one of RIVALS."""

    network: RivalNetwork
    name: str

    def __repr__(self) -> str:
        return f"Rival({self.name})"

    def locate(self, scene: Scene) -> Estimate:
        """The answer for one window."""
        return locate_by_coordinates(scene, self, method=self.name)

    def decode(self, audio: Float[np.ndarray, "mic time"], scene: Scene, pairs: Int[np.ndarray, "pair 2"]) -> Places:
        """Sources, and the microphones that wav2pos finds."""
        frame, device = frame_of(scene), self.network.error_m.device
        windows = to_windows(torch.from_numpy(audio), scene, pairs, frame=frame)
        if isinstance(self.network, DiNn):
            windows = in_slots(windows, self.network.slots_m.cpu())
        box_m = torch.from_numpy(frame.inside(scene.search_box()).astype(np.float32))[None]
        speed_m_s = torch.tensor([frame.speed_m_s], dtype=torch.float32, device=device)
        with torch.inference_mode():
            located = self.network(windows.to(device), box_m.to(device), speed_m_s=speed_m_s)
        found = located.microphones_m
        return Places(metres(located.sources_m, frame), None if found is None else metres(found, frame))

    @property
    def error_m(self) -> float:
        return float(self.network.error_m)

    @property
    def knows_one_room(self) -> bool:
        return True


def in_slots(windows: Windows, slots_m: Float[Tensor, "slot 3"]) -> Windows:
    """The same microphones, each in the channel of the slot nearest to it; channels of no microphone are not heard.

    Where there are more microphones than slots, those furthest from any are left out. Unknown positions take what is left.
    """
    distances = torch.cdist(windows.positions_m[0], slots_m).nan_to_num(NOWHERE_M)
    distances[~windows.is_known[0]] = NOWHERE_M
    microphones, slots = (torch.from_numpy(each) for each in linear_sum_assignment(distances.numpy()))
    count = len(slots_m)
    moved = Windows(
        audio=windows.audio.new_zeros(1, count, windows.audio.shape[-1]),
        positions_m=windows.positions_m.new_zeros(1, count, 3),
        is_known=torch.zeros(1, count, dtype=torch.bool),
        is_heard=torch.zeros(1, count, dtype=torch.bool),
    )
    for name, filled in vars(moved).items():
        if filled is not None:
            filled[:, slots] = getattr(windows, name)[:, microphones]
    return moved
