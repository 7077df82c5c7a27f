"""SRP-PHAT: the place from which the correlations of all pairs add up highest (DiBiase, 2000).

Steered response power: a point x predicts a delay for every pair; the whitened correlations at these delays are added.
The search is coarse to fine in 3-D for any array (refine.py). Plain PHAT lets every frequency count alike, those that
hold only noise too; by default the whitening has a floor (gcc.py), which costs nothing and finds the source more
often in noise and reverberation. correlate.py names the others: `PHAT`, `SCOT`, `PLAIN`.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from soundfix.answer import answer
from soundfix.correlate import Correlator
from soundfix.evidence import Evidence
from soundfix.localizer import Estimate
from soundfix.refine import Mode, find_modes
from soundfix.scene import Scene


@dataclass(frozen=True, kw_only=True)
class SrpPhat:
    """correlator: band, whitening and floor of the correlation."""

    correlator: Correlator = field(default_factory=Correlator)
    name: str = "srp-phat"

    def locate(self, scene: Scene) -> Estimate:
        """The answer for one window."""
        return answer(scene, method=self.name, correlate=self.correlator, find=self.find)

    @staticmethod
    def find(evidence: Evidence, positions: Float[np.ndarray, "mic 3"], box: Float[np.ndarray, "2 3"]) -> list[Mode]:
        """The places where the evidence of all pairs peaks."""
        return find_modes(evidence, positions, box)
