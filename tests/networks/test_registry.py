"""Every kind of network is built from its configuration."""

from helpers.rivals import CONFIGS, SIZES
from soundfix.networks.registry import KINDS, RIVALS, build, kind_of
from soundfix.training.recipes import RECIPES


def test_every_kind_is_built_from_its_configuration():
    for name in RIVALS:
        assert kind_of(CONFIGS[SIZES[name]]) == name
        assert type(build(CONFIGS[SIZES[name]])) is KINDS[name].build
    assert kind_of(RECIPES["tiny"]().network) == "three-stream"
