"""Every kind of network there is: the three-stream network, and the paper's rivals."""

from collections.abc import Mapping
from types import MappingProxyType

from torch import nn

from soundfix.baselines.rivals import RIVALS
from soundfix.checkpoint import THREE_STREAM, Kind

KINDS: Mapping[str, Kind] = MappingProxyType({**THREE_STREAM, **RIVALS})


def kind_of(config: object) -> str:
    """Which kind of network this configures."""
    return next(name for name, kind in KINDS.items() if isinstance(config, kind.config))


def build(config: object) -> nn.Module:
    """The network of this configuration, randomly initialised."""
    return KINDS[kind_of(config)].build(config)
