"""The boxes of a network with a likelihood head: it hears, its reranker finds, and further sources are placed."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from soundfix.localization.boxes import Placed
from soundfix.localization.consensus import Consensus
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import Mode
from soundfix.localization.preparation import Prepared
from soundfix.methods.network_evidence import NetworkHeard, run
from soundfix.methods.placing import place_network_sources
from soundfix.methods.reranking import likeliest_places
from soundfix.networks.interface import HearingNetwork


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkBoxes:
    """polishes: whether the best cell of the finest grid is polished on the sub-sample correlation."""

    network: HearingNetwork
    polishes: bool = True
    leaves_out: bool = True
    follows: bool = True

    @property
    def knows_axes(self) -> bool:
        """As the network does."""
        return self.network.frame == "room"

    def hear(self, prepared: Prepared) -> NetworkHeard:
        """What the network says of every pair."""
        return run(self.network, prepared.audio, prepared.scene, prepared.pairs)

    def find(self, heard: NetworkHeard, evidence: Evidence, box: Float[np.ndarray, "2 3"]) -> list[Mode]:
        """The likeliest places."""
        return likeliest_places(heard, evidence, box=box, polishes=self.polishes)

    def place(
        self, heard: NetworkHeard, prepared: Prepared, consensus: Consensus, box: Float[np.ndarray, "2 3"]
    ) -> Placed:
        """The first source, its rivals, and others that sound at once."""
        return place_network_sources(heard, prepared, consensus, box)
