"""The three-stream network (arXiv 2505.20961) as a localizer: a Scene becomes tensors, what comes out becomes an Estimate.

`three-stream` answers with the likelihood head: its pair curves, gated, are the evidence that modes.py and
consensus.py search, as they do for SRP-PHAT. `three-stream-paper` answers with the coordinates of the paper's MLP head
(decoded.py).

The weights of `three-stream` are in the package (weights/README.md says where they come from); another network of the
same kind is a checkpoint. `three-stream-paper` learns one room, and needs the checkpoint of it.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from soundfix.errors import CheckpointError, MissingPackageError
from soundfix.estimate import Estimate
from soundfix.localization import conformal
from soundfix.localization.known_layouts import assign_to_layout
from soundfix.localization.pipeline import estimate_window
from soundfix.methods.decoded import locate_by_coordinates
from soundfix.methods.network_boxes import NetworkBoxes
from soundfix.methods.network_decoder import NetworkDecoder
from soundfix.methods.network_evidence import pair_reports
from soundfix.networks import onnx_runtime
from soundfix.networks.exported import folder_of
from soundfix.networks.interface import HearingNetwork
from soundfix.scene import Scene

if TYPE_CHECKING:
    from soundfix.networks.model import Network


def three_stream(
    checkpoint: Path | str | None = None,
    *,
    beats: Path | str | None = None,
    explains: bool = False,
    polishes: bool = True,
) -> "ThreeStream":
    """The packaged network, or that of a checkpoint, answering with its likelihood head."""
    return ThreeStream(
        network=_network(checkpoint, beats),
        explains=explains,
        polishes=polishes,
        is_calibrated=checkpoint is None,
    )


def three_stream_paper(
    checkpoint: Path | str | None = None, *, beats: Path | str | None = None, explains: bool = False
) -> "ThreeStreamPaper":
    """The network of a checkpoint, answering with the coordinates of its position decoder, as in the paper."""
    if checkpoint is None:
        raise CheckpointError(
            "three-stream-paper needs weights that were trained for its room: give a checkpoint "
            "(checkpoint=FILE, or --checkpoint FILE; `soundfix train paper` makes one), or take three-stream"
        )
    return ThreeStreamPaper(network=_load(checkpoint, beats), explains=explains)


def _network(checkpoint: Path | str | None, beats: Path | str | None) -> HearingNetwork:
    """Of a checkpoint in PyTorch, exported in onnxruntime; the packaged one in what is installed, PyTorch first."""
    folder = folder_of(checkpoint)
    return _load(checkpoint, beats) if folder is None else onnx_runtime.load(folder)


def _load(checkpoint: Path | str | None, beats: Path | str | None) -> "Network":
    try:
        from soundfix.networks import checkpoint as checkpoints
    except ModuleNotFoundError as error:
        raise MissingPackageError(str(error.name)) from error
    checkpoint = checkpoint or checkpoints.PACKAGED
    network = checkpoints.load(checkpoint, beats=beats)
    if network.config.acoustic == "base" and network.encoder is None:
        raise CheckpointError(
            f"{checkpoint} listens with BEATs base, whose 363 MB are not in it: give the published file too "
            "(beats=FILE, or --beats FILE)"
        )
    return network


@dataclass(frozen=True, kw_only=True, eq=False)
class ThreeStream:
    """network: with a likelihood head. explains: whether estimates say what was made of every pair. polishes: whether the
    best cell of the finest grid is polished on the sub-sample correlation. is_calibrated: whether the factors of
    conformal.py were measured with this network."""

    network: HearingNetwork
    explains: bool = False
    polishes: bool = True
    is_calibrated: bool = False
    name: str = "three-stream"

    def __post_init__(self) -> None:
        if not self.network.has_head:
            raise CheckpointError("this network has no likelihood head: load it as three-stream-paper")

    def __repr__(self) -> str:
        return f"ThreeStream({self.network.runtime}, explains={self.explains}, polishes={self.polishes})"

    @property
    def boxes(self) -> NetworkBoxes:
        """How it hears, finds and places."""
        return NetworkBoxes(network=self.network, polishes=self.polishes)

    def locate(self, scene: Scene) -> Estimate:
        """The answer for one window."""
        estimate, heard = estimate_window(scene, self.boxes, method=self.name)
        is_held_out = self.is_calibrated and not (heard and heard.is_beyond_training)
        estimate = conformal.with_calibration_note(estimate, is_held_out=is_held_out)
        arrays = [np.array(array) for array in self.network.arrays]
        estimate = assign_to_layout(estimate, scene.microphones, arrays)
        if not (self.explains and estimate.sources and heard):  # an abstention, or a direction, has nothing to explain
            return estimate
        return replace(estimate, pairs=pair_reports(heard.answers, scene.microphones.names))


@dataclass(frozen=True, kw_only=True, eq=False)
class ThreeStreamPaper:
    """network: any. explains: whether estimates say what was made of every pair."""

    network: HearingNetwork
    explains: bool = False
    name: str = "three-stream-paper"

    def __repr__(self) -> str:
        return f"ThreeStreamPaper({self.network.runtime}, explains={self.explains})"

    def locate(self, scene: Scene) -> Estimate:
        """The answer for one window."""
        return locate_by_coordinates(scene, NetworkDecoder(self.network, explains=self.explains), method=self.name)
