"""The highest of neighbouring lags."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def highest_of(
    curves: Float[Tensor, "row curve lag"], size: int, *, stride: int, beyond: int
) -> Float[Tensor, "row curve stretch"]:
    """Of every `size` lags, a `stride` apart, from so many beyond one end to as many beyond the other.

    Where a graph is exported, in two dimensions, one of them 1, and padded before: torch 2.13 exports a pool in one
    dimension for curves of one length and one number of pairs, and others count the stretches at the end differently.
    """
    if torch.compiler.is_exporting():
        if stride == 1:
            return functional.max_pool2d(curves, (1, size), 1, (0, beyond))
        count = -(-(curves.shape[-1] + beyond) // stride)  # those that begin before the end
        after = (count - 1) * stride + size - beyond - curves.shape[-1]
        return functional.max_pool2d(functional.pad(curves, (beyond, after), value=-torch.inf), (1, size), (1, stride))
    return functional.max_pool1d(curves, size, stride, beyond, ceil_mode=True)


def highest_near(curves: Float[Tensor, "row curve lag"], lags: int) -> Float[Tensor, "row curve lag"]:
    """At every lag the highest of those so many to either side."""
    return highest_of(curves, 2 * lags + 1, stride=1, beyond=lags)
