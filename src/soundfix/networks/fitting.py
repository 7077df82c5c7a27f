"""A network that a file asks for, built only if the file has the weights for it.

A configuration of a few bytes can ask for a million layers, or for one of a terabyte. So the network is first built on
`meta`, where tensors have no memory, and building ends once it has far more parameters than the file holds.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)

from soundfix.errors import CheckpointError

PLAIN = {torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool}
PARAMETERS_A_TENSOR, MODULES_A_TENSOR = 4, 20  # for each tensor that the file holds: what it lacks is named later


def check_plain(path: object, tensors: Mapping[str, Tensor]) -> None:
    """Refuse, with CheckpointError, tensors that are not plain: sparse, quantized, nested, of 8 bits, on no device."""
    for name, tensor in tensors.items():
        is_plain = tensor.layout == torch.strided and not tensor.is_nested and not tensor.is_quantized
        if not is_plain or tensor.dtype not in PLAIN or tensor.device.type != "cpu":
            kind = f"{tensor.layout}, {tensor.dtype}, on {tensor.device}"
            raise CheckpointError(
                f"{path}: {name} is {kind}, wanted a plain tensor: was the network quantized or pruned?"
            )


def check_size(
    path: object, build: Callable[[], nn.Module], tensors: Mapping[str, Tensor], *, besides: int = 0
) -> None:
    """Refuse, with CheckpointError, a network of far more parameters than these tensors; besides: of a file of its own."""
    with _no_more_than(path, len(tensors) + besides), torch.device("meta"):
        build()


@contextmanager
def _no_more_than(path: object, most: int) -> Iterator[None]:
    parameters, modules = 0, 0

    def count_parameter(*_: object) -> None:
        nonlocal parameters
        parameters += 1
        if parameters > PARAMETERS_A_TENSOR * most:
            raise CheckpointError(
                f"{path}: its configuration asks for far more than the {most} tensors it holds: was it edited?"
            )

    def count_module(*_: object) -> None:
        nonlocal modules
        modules += 1
        if modules > MODULES_A_TENSOR * most:
            raise CheckpointError(f"{path}: its configuration has more parts than the {most} tensors it holds allow")

    hooks = [
        register_module_parameter_registration_hook(count_parameter),
        register_module_module_registration_hook(count_module),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
