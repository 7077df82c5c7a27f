"""Several processes train one network, on one machine or many: each makes its share of a batch, all take the same step.

    gradients, terms of the loss      the mean of all processes: that of the whole batch, since windows weigh the same
    the state, settings, validation   the first process has them, and tells the others
    whether to stop                   any process may want to: all stop after the same step

torchrun starts them, and ends them all when one is lost. A process that is alone does nothing here. BatchNorm (NGCC-PHAT)
sees each process's share only.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn

from soundfix.errors import TrainingError

PATIENCE = timedelta(days=1)  # others wait while the first validates; where one is lost, torchrun ends all of them
Told = TypeVar("Told")


@contextmanager
def joined() -> Iterator[None]:
    """Inside the `with` the processes that torchrun started know each other."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or distributed.is_initialized():
        yield
        return
    distributed.init_process_group(timeout=PATIENCE)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def count() -> int:
    """Of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_first() -> bool:
    """Whether this is the one that writes, validates and prints."""
    return rank() == 0


def own_device(device: str) -> str:
    """Of several GPUs in a machine each process takes its own."""
    if device != "cuda" or count() == 1:
        return device
    number, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if number >= there:
        raise TrainingError(f"process {number} of this machine has no GPU, there are {there}: lower --nproc-per-node")
    torch.cuda.set_device(number)
    return f"cuda:{number}"


def mean_of_all(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Each tensor's mean over all processes, in one message."""
    if count() == 1 or not tensors:
        return list(tensors)
    flat = torch.cat([tensor.detach().flatten() for tensor in tensors])
    distributed.all_reduce(flat)
    parts = (flat / count()).split([tensor.numel() for tensor in tensors])
    return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]


def share_gradients(weights: Sequence[nn.Parameter]) -> None:
    """Every process gets the mean of all gradients; what has none anywhere stays without, so that it does not decay."""
    if count() == 1:
        return
    has_one = torch.tensor([float(weight.grad is not None) for weight in weights], device=weights[0].device)
    own = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
    *means, somewhere = mean_of_all([*own, has_one])
    for weight, mean, found in zip(weights, means, somewhere.tolist(), strict=True):
        weight.grad = mean if found else None


def as_of_all(mean: Float[Tensor, ""], counted: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """A mean over so many windows of this share, scaled so that the mean of all processes is that over all these windows."""
    if count() == 1:
        return mean
    (average,) = mean_of_all([counted])
    return mean * counted / average.clamp_min(1 / count())


def any_of_all(wanted: bool) -> bool:
    """Whether any process wants it; all are told the same."""
    if count() == 1:
        return wanted
    votes = torch.tensor(int(wanted))
    distributed.all_reduce(votes)
    return bool(votes)


def told_by_first(value: Told) -> Told:
    """What the first process has."""
    if count() == 1:
        return value
    told = [value]
    distributed.broadcast_object_list(told)
    return told[0]


@contextmanager
def first_before_others() -> Iterator[None]:
    """Inside the `with` the first process goes ahead, the others find what it has made."""
    if count() > 1 and not is_first():
        distributed.barrier()
    yield
    if count() > 1 and is_first():
        distributed.barrier()
