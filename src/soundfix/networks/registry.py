"""Every kind of network there is: the three-stream network, and the paper's rivals."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from torch import nn

from soundfix.networks.config import NetworkConfig
from soundfix.networks.model import Network
from soundfix.networks.rivals.di_nn import DiNn, DiNnConfig
from soundfix.networks.rivals.gnn import Gnn, GnnConfig
from soundfix.networks.rivals.wav2pos import Wav2pos, Wav2posConfig


class Kind(NamedTuple):
    """A kind of network: what it is configured by, and what builds it."""

    config: Any
    build: Callable[[Any], nn.Module]


THREE_STREAM: Mapping[str, Kind] = MappingProxyType({"three-stream": Kind(NetworkConfig, Network)})
RIVALS: Mapping[str, Kind] = MappingProxyType(
    {"di-nn": Kind(DiNnConfig, DiNn), "gnn": Kind(GnnConfig, Gnn), "wav2pos": Kind(Wav2posConfig, Wav2pos)}
)
KINDS: Mapping[str, Kind] = MappingProxyType({**THREE_STREAM, **RIVALS})
RivalNetwork = DiNn | Gnn | Wav2pos


def kind_of(config: object) -> str:
    """Which kind of network this configures."""
    return next(name for name, kind in KINDS.items() if isinstance(config, kind.config))


def build(config: object) -> nn.Module:
    """The network of this configuration, randomly initialised."""
    return KINDS[kind_of(config)].build(config)
