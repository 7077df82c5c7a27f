"""The position decoder of a network, as what decoded.py takes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from soundfix.methods.decoded import Places
from soundfix.methods.frame import frame_of
from soundfix.methods.network_evidence import forward, metres, pair_reports
from soundfix.networks.interface import HearingNetwork
from soundfix.scene import Scene


@dataclass(frozen=True, eq=False)
class NetworkDecoder:
    """explains: whether the places say what was made of every pair."""

    network: HearingNetwork
    explains: bool = False

    def decode(self, audio: Float[np.ndarray, "mic time"], scene: Scene, pairs: Int[np.ndarray, "pair 2"]) -> Places:
        """Sources and microphones, in the coordinates of the scene."""
        answers, frame = forward(self.network, audio, scene, pairs), frame_of(scene)
        return Places(
            metres(answers.sources_m, frame),
            metres(answers.microphones_m, frame),
            pair_reports(answers, scene.microphones.names) if self.explains else (),
        )

    @property
    def error_m(self) -> float:
        """Standard error of a place along an axis."""
        return float(self.network.error_m)

    @property
    def knows_one_room(self) -> bool:
        """Whether its coordinates are those of the room it learned."""
        return self.network.frame == "room"
