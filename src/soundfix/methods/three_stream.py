"""The three-stream network (arXiv 2505.20961) as a localizer: a Scene becomes tensors, what comes out becomes an Estimate.

`three-stream` answers with the likelihood head: its pair curves, gated, are the evidence that modes.py and
consensus.py search, as they do for SRP-PHAT. `three-stream-paper` answers with the coordinates of the paper's MLP head
(decoded.py).

The weights of `three-stream` are in the package (weights/README.md says where they come from); another network of the
same kind is a checkpoint. `three-stream-paper` learns one room, and needs the checkpoint of it.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float

from soundfix.errors import CheckpointError
from soundfix.estimate import Estimate, Finding, Source
from soundfix.localization import conformal
from soundfix.localization.consensus import Consensus
from soundfix.localization.cross_check import widen_where_others_disagree
from soundfix.localization.known_layouts import assign_to_layout
from soundfix.localization.multi_source import apart_from, further_sources, multi_source_findings
from soundfix.localization.pipeline import estimate_window
from soundfix.localization.sources import LISTED, place_sources
from soundfix.methods.decoded import locate_by_coordinates
from soundfix.methods.network_evidence import Listener
from soundfix.networks import checkpoint as checkpoints
from soundfix.networks.model import Network
from soundfix.scene import Scene


def three_stream(
    checkpoint: Path | str | None = None,
    *,
    beats: Path | str | None = None,
    explains: bool = False,
    polishes: bool = True,
) -> "ThreeStream":
    """The packaged network, or that of a checkpoint, answering with its likelihood head."""
    return ThreeStream(
        network=_load(checkpoint or checkpoints.PACKAGED, beats),
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


def _load(checkpoint: Path | str, beats: Path | str | None) -> Network:
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

    network: Network
    explains: bool = False
    polishes: bool = True
    is_calibrated: bool = False
    name: str = "three-stream"

    def __post_init__(self) -> None:
        if self.network.head is None:
            raise CheckpointError("this network has no likelihood head: load it as three-stream-paper")

    def __repr__(self) -> str:
        return f"ThreeStream({self.network.config.acoustic}, explains={self.explains}, polishes={self.polishes})"

    def locate(self, scene: Scene) -> Estimate:
        """The answer for one window."""
        listener = Listener(self.network)

        def place(
            scene: Scene, consensus: Consensus, box: Float[np.ndarray, "2 3"]
        ) -> tuple[tuple[Source, ...], tuple[Finding, ...]]:
            further = further_sources(
                scene,
                consensus,
                listener.further_evidence(scene, consensus),
                lambda evidence, found: listener.find(evidence, scene.microphones.positions, box, found_m=found),
            )
            consensus = apart_from(consensus, [other.modes[0].position for other in further])
            (first, *rivals), findings = place_sources(scene, consensus, box)
            sure = consensus.modes[0].probability
            left = 1 - (LISTED if sure is None else sure)
            first, said = widen_where_others_disagree(first, rivals, listener.opinions(consensus, scene), left)
            others = [place_sources(scene, other, box)[0][0] for other in further]
            return conformal.calibrated((first, *others, *rivals), consensus), (
                *findings,
                *said,
                *multi_source_findings(further),
            )

        find = partial(listener.find, polishes=self.polishes)
        estimate = estimate_window(scene, method=self.name, correlate=listener, find=find, place=place)
        estimate = conformal.with_calibration_note(estimate, is_held_out=self.is_calibrated)
        estimate = assign_to_layout(
            estimate, scene.microphones, [np.array(array) for array in self.network.config.arrays]
        )
        return _explained(estimate, listener, scene) if self.explains else estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class ThreeStreamPaper:
    """network: any. explains: whether estimates say what was made of every pair."""

    network: Network
    explains: bool = False
    name: str = "three-stream-paper"

    def __repr__(self) -> str:
        return f"ThreeStreamPaper({self.network.config.acoustic}, explains={self.explains})"

    def locate(self, scene: Scene) -> Estimate:
        """The answer for one window."""
        listener = Listener(self.network)
        estimate = locate_by_coordinates(scene, listener, method=self.name)
        return _explained(estimate, listener, scene) if self.explains else estimate


def _explained(estimate: Estimate, listener: Listener, scene: Scene) -> Estimate:
    """The estimate with what the network made of every pair; an abstention has nothing to explain."""
    if not estimate.sources:
        return estimate
    return replace(estimate, pairs=listener.pair_reports(scene.microphones.names))
