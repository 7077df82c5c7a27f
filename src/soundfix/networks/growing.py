"""A network that gets further parts, and knows what it knew before: what is new says nothing yet, or is untrained."""

from dataclasses import replace

from torch import Tensor
from torch.nn import functional

from soundfix.networks.config import NetworkConfig
from soundfix.networks.model import Network


def grown(network: Network, config: NetworkConfig) -> Network:
    """The same network with the parts that this configuration has besides, untrained; further inputs start at zero.

    Where it has not all that the configuration wants apart from these it comes back as it is.
    """
    if network.config == config:
        return network
    whole = Network(replace(config, arrays=network.config.arrays))
    own, wanted = network.state_dict(), whole.state_dict()
    if any(name not in wanted or not _fits(weight, wanted[name]) for name, weight in own.items()):
        return network
    whole.load_state_dict({name: _widened(weight, wanted[name]) for name, weight in own.items()}, strict=False)
    return whole


def _fits(weight: Tensor, wanted: Tensor) -> bool:
    """Whether it is of the same shape, or one of fewer inputs."""
    return weight.shape[:-1] == wanted.shape[:-1] and weight.shape[-1:] <= wanted.shape[-1:]


def _widened(weight: Tensor, wanted: Tensor) -> Tensor:
    missing = wanted.shape[-1] - weight.shape[-1] if weight.dim() else 0
    return functional.pad(weight, (0, missing)) if missing else weight
