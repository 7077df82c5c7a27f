"""The highest of neighbouring lags."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def highest_of(
    curves: Float[Tensor, "row curve lag"], size: int, *, stride: int, beyond: int
) -> Float[Tensor, "row curve stretch"]:
    """Of every `size` lags, a `stride` apart, from so many beyond one end to as many beyond the other.

    In two dimensions, one of them 1, where a graph is exported: torch 2.13 exports a pool in one dimension for curves of one
    length and one number of pairs.
    """
    if torch.compiler.is_exporting():
        return functional.max_pool2d(curves, (1, size), (1, stride), (0, beyond), ceil_mode=True)
    return functional.max_pool1d(curves, size, stride, beyond, ceil_mode=True)


def highest_near(curves: Float[Tensor, "row curve lag"], lags: int) -> Float[Tensor, "row curve lag"]:
    """At every lag the highest of those so many to either side."""
    return highest_of(curves, 2 * lags + 1, stride=1, beyond=lags)
