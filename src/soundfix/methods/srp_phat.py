"""SRP-PHAT: the place from which the correlations of all pairs add up highest (DiBiase, 2000).

Steered response power: a point x predicts a delay for every pair; the whitened correlations at these delays are added.
The search is coarse to fine in 3-D for any array (modes.py). Plain PHAT lets every frequency count alike, those that
hold only noise too; by default the whitening has a floor (gcc.py), which costs nothing and finds the source more
often in noise and reverberation. correlate.py names plain PHAT.

`srp-phat-ascm` weights every pair by its coherence, c_ij^alpha (ASCM of arXiv 2505.20961, there with a learned alpha),
scaled so that the mean weight is 1.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Int

from soundfix.estimate import Estimate
from soundfix.localization.boxes import Correlate, CorrelationBoxes
from soundfix.localization.correlate import Correlator
from soundfix.localization.evidence import Evidence
from soundfix.localization.pipeline import estimate_window
from soundfix.scene import Scene

LEAST_COHERENCE = 1e-6  # silence is incoherent, and its weight is no division by 0


@dataclass(frozen=True, kw_only=True)
class SrpPhat:
    """correlator: from sound to evidence, with its band, whitening and floor."""

    correlator: Correlate = field(default_factory=Correlator)
    name: str = "srp-phat"

    @property
    def boxes(self) -> CorrelationBoxes:
        """How it hears, finds and places."""
        return CorrelationBoxes(correlator=self.correlator)

    def locate(self, scene: Scene) -> Estimate:
        """The answer for one window."""
        return estimate_window(scene, self.boxes, method=self.name).estimate


@dataclass(frozen=True, kw_only=True)
class CoherenceWeighted:
    """Correlations times coherence ** alpha; alpha = 0 is no weighting."""

    correlator: Correlator = field(default_factory=Correlator)
    alpha: float = 1.0

    def __call__(
        self, audio: Float[np.ndarray, "mic time"], scene: Scene, pairs: Int[np.ndarray, "pair 2"]
    ) -> Evidence:
        """The weighted evidence of every pair."""
        import torch

        from soundfix.signal.coherence import coherence

        evidence = self.correlator(audio, scene, pairs)
        agreement = coherence(torch.from_numpy(audio), torch.from_numpy(pairs), sample_rate=scene.sample_rate).numpy()
        weight = np.maximum(agreement, LEAST_COHERENCE) ** self.alpha
        return replace(evidence, values=evidence.values * (weight / weight.mean())[:, None].astype(np.float32))


def srp_phat_ascm(alpha: float = 1.0) -> SrpPhat:
    """SRP-PHAT with pairs weighted by coherence."""
    return SrpPhat(correlator=CoherenceWeighted(alpha=alpha), name="srp-phat-ascm")
