"""Settings by name: typed, nested, and helpful where they are misspelt."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from soundfix.errors import ConfigError, SoundfixError
from soundfix.overrides import apply_overrides
from soundfix.simulation.worlds import LUVIRA_TWIN


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)


@dataclass(frozen=True, kw_only=True)
class Config:
    steps: int = 100
    name: str = "tiny"
    kind: Literal["adam", "sgd"] = "adam"
    is_frozen: bool = False
    limit: float | None = None
    layers: tuple[int, ...] = (1, 2)
    shares: dict[str, float] = field(default_factory=dict)
    optimizer: Optimizer = field(default_factory=Optimizer)
    warm: Optimizer | None = None
    made: int = field(init=False, default=3)


@pytest.mark.parametrize(
    ("text", "read", "wanted"),
    [
        ("steps=7", lambda c: c.steps, 7),
        ("steps = 7", lambda c: c.steps, 7),
        ("name=a=b", lambda c: c.name, "a=b"),
        ("kind=sgd", lambda c: c.kind, "sgd"),
        ("is_frozen=true", lambda c: c.is_frozen, True),
        ("limit=2", lambda c: c.limit, 2.0),
        ("limit=null", lambda c: c.limit, None),
        ("layers=[4, 5, 6]", lambda c: c.layers, (4, 5, 6)),
        ("layers=[]", lambda c: c.layers, ()),
        ("shares={speech: 0.7, music: 1}", lambda c: c.shares, {"speech": 0.7, "music": 1.0}),
        ("optimizer.rate=0.5", lambda c: c.optimizer.rate, 0.5),
        ("optimizer.rate=1e-4", lambda c: c.optimizer.rate, 1e-4),
        ("optimizer.betas=[0.8,0.9]", lambda c: c.optimizer.betas, (0.8, 0.9)),
        ("optimizer={rate: 3.0}", lambda c: c.optimizer, Optimizer(rate=3.0)),
        ("warm={rate: 3.0}", lambda c: c.warm, Optimizer(rate=3.0)),
    ],
)
def test_values_become_what_their_field_is(text, read, wanted):
    value = read(apply_overrides(Config(), [text]))
    assert value == wanted
    assert type(value) is type(wanted)


def test_the_rest_stays_and_the_last_one_wins():
    config = Config()
    changed = apply_overrides(config, ["steps=1", "optimizer.rate=2", "steps=3", "optimizer.betas=[0.1,0.2]"])
    assert changed == Config(steps=3, optimizer=Optimizer(rate=2.0, betas=(0.1, 0.2)))
    assert config == Config()
    assert apply_overrides(config, []) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps", "'steps': wanted NAME=VALUE"),
        ("=3", "wanted NAME=VALUE"),
        ("step=3", "Config has no setting 'step'; did you mean 'steps'?"),
        ("optimizer.rat=3", "Optimizer has no setting 'rat'; did you mean 'rate'?"),
        ("xyz=3", "Config has no setting 'xyz'; there are steps, name, kind"),
        ("made=4", "no setting 'made'"),
        ("steps.deep=3", "steps is 100, a value, and has no setting 'deep'"),
        ("steps=2.5", "steps is 2.5; "),
        ("steps=many", "steps is 'many'; "),
        ("kind=rmsprop", "kind is 'rmsprop'; "),
        ("optimizer.betas=0.9", "betas is 0.9; input should be a valid tuple, such as (0.9, 0.999)"),
        ("optimizer.betas=[1,b]", "betas[1] is 'b'; "),
        ("layers=[1,", "cannot read the value"),
        ("optimizer={rat: 3.0}", "Optimizer has no setting 'rat'; did you mean 'rate'?"),
        ("warm={rat: 3.0}", "Optimizer has no setting 'rat'; did you mean 'rate'?"),
        ("warm=3", "warm is 3; "),
    ],
)
def test_what_cannot_be_set(text, message):
    with pytest.raises(ConfigError) as caught:
        apply_overrides(Config(), [text])
    assert message in str(caught.value)
    assert repr(text) in str(caught.value)
    assert isinstance(caught.value, SoundfixError)


def test_a_configuration_checks_itself():
    """What its own dataclass refuses is told in its words."""
    with pytest.raises(ConfigError, match=r"rt60_s=\(0.9, 0.1\), wanted 0 to 3, the lower first"):
        apply_overrides(LUVIRA_TWIN, ["rt60_s=[0.9, 0.1]"])
    assert apply_overrides(LUVIRA_TWIN, ["rt60_s=[0, 0.3]", "snr_db=[0, 1]"]).snr_db == (0.0, 1.0)
