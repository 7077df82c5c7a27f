"""A network that a file asks for, built only if the file has the weights for it.

A configuration of a few bytes can ask for a million layers, or for one of a terabyte. So building ends once there are far
more parameters, or numbers in them, than the file holds. A layer names its parameters before it fills them: until then
their memory is promised, and not taken; what alone is more than the file holds is not even asked for.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import prod
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from torch.overrides import TorchFunctionMode

from soundfix.errors import CheckpointError

PLAIN = {torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool}
SPARE = 4  # times as many parameters, and numbers in them, as the file holds: what it lacks is named later
MODULES_A_TENSOR = 20

Built = TypeVar("Built", bound=nn.Module)


class Held(NamedTuple):
    """How many tensors, and numbers in all of them."""

    tensors: int
    numbers: int


NOTHING = Held(0, 0)


def check_plain(path: object, tensors: Mapping[str, Tensor]) -> None:
    """Refuse, with CheckpointError, tensors that are not plain: sparse, quantized, nested, of 8 bits, on no device."""
    for name, tensor in tensors.items():
        is_plain = tensor.layout == torch.strided and not tensor.is_nested and not tensor.is_quantized
        if not is_plain or tensor.dtype not in PLAIN or tensor.device.type != "cpu":
            kind = f"{tensor.layout}, {tensor.dtype}, on {tensor.device}"
            raise CheckpointError(
                f"{path}: {name} is {kind}, wanted a plain tensor: was the network quantized or pruned?"
            )


def built(path: object, build: Callable[[], Built], tensors: Mapping[str, Tensor], *, outside: Held = NOTHING) -> Built:
    """The network, unless it has far more than these tensors; outside: of a file of its own. Raises CheckpointError."""
    numbers = sum(tensor.numel() for tensor in tensors.values())
    with _no_more_than(path, Held(len(tensors) + outside.tensors, numbers + outside.numbers)):
        return build()


class _NoneLarger(TorchFunctionMode):
    """No tensor of more numbers is made to be filled later, as layers make theirs."""

    def __init__(self, most: int, error: Exception) -> None:
        super().__init__()
        self.most, self.error = most, error

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, arguments: tuple[Any, ...] = (), named: Any = None
    ) -> Any:
        if function is torch.empty and arguments:
            size = arguments[0] if isinstance(arguments[0], tuple | list) else arguments
            if prod(size) > self.most:
                raise self.error
        return function(*arguments, **(named or {}))


@contextmanager
def _no_more_than(path: object, held: Held) -> Iterator[None]:
    parameters, numbers, modules = 0, 0, 0
    too_much = CheckpointError(
        f"{path}: its configuration asks for far more than the {held.tensors} tensors it holds: was it edited?"
    )

    def count_parameter(module: nn.Module, name: str, parameter: Tensor | None) -> None:
        nonlocal parameters, numbers
        parameters, numbers = parameters + 1, numbers + (0 if parameter is None else parameter.numel())
        if parameters > SPARE * held.tensors or numbers > SPARE * held.numbers:
            raise too_much

    def count_module(*_: object) -> None:
        nonlocal modules
        modules += 1
        if modules > MODULES_A_TENSOR * held.tensors:
            raise CheckpointError(
                f"{path}: its configuration has more parts than the {held.tensors} tensors it holds allow"
            )

    hooks = [
        register_module_parameter_registration_hook(count_parameter),
        register_module_module_registration_hook(count_module),
    ]
    try:
        with _NoneLarger(SPARE * held.numbers, too_much):
            yield
    finally:
        for hook in hooks:
            hook.remove()
