"""The plain correlations keep a vote beside the masked one (ours; not in the paper).

A mask that has never heard such a sound may be wrong everywhere at once, and its curves then peak metres away while plain
correlations know better. So what a pair says is a product of experts (Hinton, 2002), a sum in the logarithm:

    l_ij(tau) = sum_k w_ijk z_ijk(tau) / sum_k w_ijk         k: masked, plain (PHAT), partial

where z is the curve in units of its own deviation in this window, and partial is whitened by a part only and cut below
300 Hz: it follows loud frequencies, where PHAT counts them all alike. The weights come from how high each of them
stands out and from whether they agree: how high is each where the others peak? They are bounded, from LEAST to MOST, so
that nobody is ever outvoted by himself alone. Delays do not go in: order and direction of a pair change nothing.
Axes: B batch, P pairs, K experts, L lags.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from soundfix.networks.pooling import highest_near

EXPERTS = ("masked", "plain", "partial")
LEAST, MOST = 0.1, 1.5  # weights
FIRST = (1.0, 0.3, 0.3)  # before training
NEAR_LAGS = 3  # either side of another's peak that count as the same
USUAL_HEIGHT = 10.0  # of a peak, in deviations


class Votes(nn.Module):
    """The weights of the experts for every pair. hidden: width of the layer between."""

    def __init__(self, hidden: int = 16) -> None:
        super().__init__()
        count = len(EXPERTS)
        self.first, self.last = nn.Linear(count * count, hidden), nn.Linear(hidden, count)
        nn.init.zeros_(self.last.weight)
        share = (torch.tensor(FIRST) - LEAST) / (MOST - LEAST)
        self.last.bias.data.copy_(share.logit())

    def forward(self, experts: Float[Tensor, "batch pair expert lag"]) -> Float[Tensor, "batch pair lag"]:
        """The curve that each pair's experts agree on, in deviations of chance."""
        weights = self.weights(experts)
        return torch.einsum("bpk,bpkl->bpl", weights / weights.sum(dim=-1, keepdim=True), experts)

    def weights(self, experts: Float[Tensor, "batch pair expert lag"]) -> Float[Tensor, "batch pair expert"]:
        """LEAST to MOST."""
        hidden = functional.gelu(self.first(agreement(experts.detach())))
        return LEAST + (MOST - LEAST) * self.last(hidden).sigmoid()


def in_deviations(curves: Float[Tensor, "batch pair expert lag"]) -> Float[Tensor, "batch pair expert lag"]:
    """Each expert's curves about their means, in units of its mean deviation over all pairs that hear something."""
    about = curves - curves.mean(dim=-1, keepdim=True)
    deviation = about.detach().abs().mean(dim=-1)
    count = (deviation > 0).sum(dim=1, keepdim=True).clamp_min(1)
    typical = deviation.sum(dim=1, keepdim=True) / count
    return about / typical.clamp_min(torch.finfo(about.dtype).tiny ** 0.5)[..., None]


def agreement(experts: Float[Tensor, "batch pair expert lag"]) -> Float[Tensor, "batch pair feature"]:
    """How high each peaks, and how high, as a share of that, each is where another peaks."""
    highest, peaks = _highest(experts)
    near = highest_near(experts.flatten(0, 1), NEAR_LAGS).unflatten(0, experts.shape[:2])
    at_peaks = near.gather(-1, peaks[:, :, None].expand(-1, -1, experts.shape[2], -1))
    shares = at_peaks / highest.clamp_min(1e-6)[..., None]
    off_diagonal = ~torch.eye(experts.shape[2], dtype=torch.bool, device=experts.device)
    return torch.cat([highest / USUAL_HEIGHT, shares[..., off_diagonal].clamp(-1, 1)], dim=-1)


def _highest(values: Float[Tensor, "*batch lag"]) -> tuple[Float[Tensor, "*batch"], Int[Tensor, "*batch"]]:
    """Of every row, and where it is; by numpy where that is ten times quicker."""
    if not values.is_cpu or values.dtype != torch.float32 or torch.compiler.is_exporting():
        highest = values.max(dim=-1)
        return highest.values, highest.indices
    where = torch.from_numpy(values.numpy().argmax(axis=-1))
    return values.gather(-1, where[..., None])[..., 0], where
