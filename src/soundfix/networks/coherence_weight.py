"""ASCM: what two microphones say of the source counts as much as they hear the same thing (arXiv 2505.20961).

    f_ij <- c_ij^alpha f_ij,   alpha >= 0 learned

Coherence c is measured in signal/coherence.py. alpha = 0 is no weighting, bit for bit: every weight is 1.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from soundfix.signal.coherence import SMALLEST


class AdaptiveCoherenceWeight(nn.Module):
    """ASCM: features of pair ij times c_ij^alpha, with one learned alpha >= 0 (the magnitude of the stored number).

    Started at exactly 0 it stays there: that is ASCM switched off. learns False: alpha stays what it is.
    """

    signed_alpha: Tensor

    def __init__(self, alpha: float = 1.0, *, learns: bool = True) -> None:
        super().__init__()
        start = torch.tensor(alpha)
        if learns:
            self.signed_alpha = nn.Parameter(start)
        else:
            self.register_buffer("signed_alpha", start)

    @property
    def alpha(self) -> Float[Tensor, ""]:
        return self.signed_alpha.abs()

    def weight(self, coherence: Float[Tensor, "*batch pair"]) -> Float[Tensor, "*batch pair"]:
        """c_ij^alpha; exactly 1 for alpha = 0."""
        return coherence.clamp_min(SMALLEST) ** self.alpha

    def forward(
        self, features: Float[Tensor, "*batch pair lag"], coherence: Float[Tensor, "*batch pair"]
    ) -> Float[Tensor, "*batch pair lag"]:
        """The weighted features."""
        return features * self.weight(coherence)[..., None]
