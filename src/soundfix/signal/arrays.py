"""What numpy's arrays and PyTorch's tensors call by different names.

Classical methods load no PyTorch, networks learn through the same correlations. An Array is either; what comes out is of the
same kind.
"""

import sys
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

Array = Any  # np.ndarray or torch.Tensor


def namespace(like: Array) -> Any:
    """The module of its functions."""
    return np if isinstance(like, np.ndarray) else sys.modules["torch"]


def transforms(like: Array) -> Any:
    """The module of its Fourier transforms."""
    return _quickest() if isinstance(like, np.ndarray) else namespace(like).fft


@cache
def _quickest() -> Any:
    """SciPy's are three times as quick as numpy's with single precision; a small runtime does without."""
    try:
        return import_module("scipy.fft")
    except ImportError:
        return np.fft


def as_kind(values: np.ndarray, like: Array) -> Array:
    """Numbers of the same kind, real precision and device."""
    if isinstance(like, np.ndarray):
        return values.astype(like.real.dtype)
    return namespace(like).from_numpy(values).to(like.real)


def of_kind(values: np.ndarray, like: Array) -> Array:
    """These of the same kind and device, whatever they count: numbers as precise as they were, facts as facts."""
    return values if isinstance(like, np.ndarray) else namespace(like).from_numpy(values).to(like.device)


def as_precise(values: Array, like: Array) -> Array:
    """These in the precision of those."""
    return values.astype(like.dtype) if isinstance(values, np.ndarray) else values.to(like.dtype)


def to_numpy(values: Array) -> np.ndarray:
    """These as numpy's."""
    return values if isinstance(values, np.ndarray) else values.cpu().numpy()


def inference(like: Array) -> AbstractContextManager[object]:
    """A context in which nothing is remembered for learning."""
    context: AbstractContextManager[object]
    context = nullcontext() if isinstance(like, np.ndarray) else namespace(like).inference_mode()
    return context


def lengths(vectors: Float[Array, "*batch axis"]) -> Float[Array, "*batch"]:
    """Of vectors along the last axis."""
    return np.sqrt((vectors * vectors).sum(axis=-1)) if isinstance(vectors, np.ndarray) else vectors.norm(dim=-1)


def taken(values: Float[Array, "*batch column"], places: Float[Array, "*batch place"]) -> Float[Array, "*batch place"]:
    """The columns at these places, which are whole numbers."""
    if isinstance(values, np.ndarray):
        return np.take_along_axis(values, places.astype(np.int64), axis=-1)
    return values.gather(-1, places.long())


def softmax(values: Float[Array, "column"]) -> Float[Array, "column"]:
    """Probabilities of log-odds."""
    if not isinstance(values, np.ndarray):
        return values.softmax(dim=0)
    raised = np.exp(values - values.max())
    return raised / raised.sum()


def conjugate(values: Array) -> Array:
    """Complex conjugate, made at once: PyTorch would make it anew wherever it is used."""
    return values.conj() if isinstance(values, np.ndarray) else values.conj().resolve_conj()


def contiguous(values: Array) -> Array:
    """These, one after the other in memory."""
    return np.ascontiguousarray(values) if isinstance(values, np.ndarray) else values.contiguous()


def padded(values: Float[Array, "*batch column"], left: int, right: int) -> Float[Array, "*batch wide"]:
    """So many zeros before and after, along the last axis."""
    if isinstance(values, np.ndarray):
        return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(left, right)])
    return namespace(values).nn.functional.pad(values, (left, right))


def stretches(values: Shaped[Array, "*batch column"], size: int, step: int) -> Shaped[Array, "*batch stretch size"]:
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
    half, count = width // 2, values.shape[-1]
    total = np.zeros((*values.shape[:-1], count + width))  # of all before a column, as far beyond the ends as is looked
    np.cumsum(values, axis=-1, dtype=np.float64, out=total[..., half + 1 : half + 1 + count])
    total[..., half + 1 + count :] = total[..., half + count, None]
    columns = np.arange(count)
    there = np.minimum(columns + half + 1, count) - np.maximum(columns - half, 0)
    return ((total[..., width:] - total[..., :count]) / there).astype(values.dtype)


def frequencies(samples: int, sample_rate: float, like: Array) -> Float[Array, "freq"]:
    """Of the bins of a transform of so many samples, in single precision (Hz)."""
    if isinstance(like, np.ndarray):
        return np.fft.rfftfreq(samples, 1 / sample_rate).astype(np.float32)
    return namespace(like).fft.rfftfreq(samples, 1 / sample_rate, device=like.device)


def hann(size: int, like: Array) -> Float[Array, "sample"]:
    """A window of a period of so many samples (Hann)."""
    if isinstance(like, np.ndarray):
        return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(like.real.dtype)
    return namespace(like).hann_window(size, device=like.device, dtype=like.real.dtype)


def lower_nanmedian(values: Float[Array, "*batch column"]) -> Float[Array, "*batch"]:
    """Of every row, the lower of the two in the middle of those that are numbers; NaN where none is."""
    if not isinstance(values, np.ndarray):
        return values.nanmedian(dim=-1).values
    middle = (np.isfinite(values).sum(axis=-1, keepdims=True) - 1).clip(0) // 2
    return np.take_along_axis(np.sort(values, axis=-1), middle, axis=-1)[..., 0]


def lower_median(values: Float[Array, "*batch column"]) -> Float[Array, "*batch 1"]:
    """Of every row, the lower of the two in the middle of an even number; by numpy where that is ten times quicker."""
    middle = (values.shape[-1] - 1) // 2
    if isinstance(values, np.ndarray):
        return np.partition(values, middle, axis=-1)[..., middle, None]
    if not values.is_cpu or values.requires_grad or values.dtype != namespace(values).float32:
        return values.median(dim=-1, keepdim=True).values
    return namespace(values).from_numpy(lower_median(values.numpy()))
