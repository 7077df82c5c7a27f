"""What numpy's arrays and PyTorch's tensors call by different names.

Classical methods load no PyTorch, networks learn through the same correlations. An Array is either; what comes out is of the
same kind.
"""

import sys
from typing import Any

import numpy as np
from jaxtyping import Float

Array = Any  # np.ndarray or torch.Tensor


def namespace(like: Array) -> Any:
    """The module of its functions."""
    return np if isinstance(like, np.ndarray) else sys.modules["torch"]


def transforms(like: Array) -> Any:
    """The module of its Fourier transforms: scipy's are three times as quick as numpy's with single precision."""
    import scipy.fft

    return scipy.fft if isinstance(like, np.ndarray) else namespace(like).fft


def as_kind(values: np.ndarray, like: Array) -> Array:
    """Numbers of the same kind, real precision and device."""
    if isinstance(like, np.ndarray):
        return values.astype(like.real.dtype)
    return namespace(like).from_numpy(values).to(like.real)


def conjugate(values: Array) -> Array:
    """Complex conjugate, made at once: PyTorch would make it anew wherever it is used."""
    return values.conj() if isinstance(values, np.ndarray) else values.conj().resolve_conj()


def padded(values: Float[Array, "*batch column"], left: int, right: int) -> Float[Array, "*batch wide"]:
    """So many zeros before and after, along the last axis."""
    if isinstance(values, np.ndarray):
        return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(left, right)])
    return namespace(values).nn.functional.pad(values, (left, right))


def stretches(values: Float[Array, "*batch column"], size: int, step: int) -> Float[Array, "*batch stretch size"]:
    """Every so many columns, so many of them; a view."""
    if isinstance(values, np.ndarray):
        return np.lib.stride_tricks.sliding_window_view(values, size, axis=-1)[..., ::step, :]
    return values.unfold(-1, size, step)


def moving_mean(values: Float[Array, "*batch column"], width: int) -> Float[Array, "*batch column"]:
    """Over so many columns (odd); at the ends over those that there are."""
    if not isinstance(values, np.ndarray):
        flat = values.reshape(-1, 1, values.shape[-1])
        pool = namespace(values).nn.functional.avg_pool1d
        return pool(flat, width, stride=1, padding=width // 2, count_include_pad=False).reshape(values.shape)
    count = values.shape[-1]
    total = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1, dtype=np.float64)], axis=-1)
    first = np.clip(np.arange(count) - width // 2, 0, count)
    last = np.clip(np.arange(count) + width // 2 + 1, 0, count)
    return ((total[..., last] - total[..., first]) / (last - first)).astype(values.dtype)


def lower_median(values: Float[Array, "*batch column"]) -> Float[Array, "*batch 1"]:
    """Of every row, the lower of the two in the middle of an even number; by numpy where that is ten times quicker."""
    middle = (values.shape[-1] - 1) // 2
    if isinstance(values, np.ndarray):
        return np.partition(values, middle, axis=-1)[..., middle, None]
    if not values.is_cpu or values.requires_grad or values.dtype != namespace(values).float32:
        return values.median(dim=-1, keepdim=True).values
    return namespace(values).from_numpy(lower_median(values.numpy()))
