"""Kinds of the sources of a window: each by its own sound, at any rate."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.drawings import directed
from helpers.fixes import window
from soundfix.estimate import KINDS
from soundfix.networks.kinds import load_kinds
from soundfix.session.kinds import with_kinds
from soundfix.simulation import sounds

RATE, A, B = 16_000.0, [0.5, 1.0, 1.2], [-2.0, -2.0, 0.5]


@pytest.fixture(scope="module")
def kinds():
    return load_kinds()


def made(name, rate=RATE):
    return getattr(sounds, name)(1.0, sample_rate=rate, rng=np.random.default_rng(5))


def test_each_source_has_the_kind_of_its_own_sound(kinds):
    told = with_kinds(window(0.25, A, B), [made("voice"), made("melody")], RATE, kinds)
    back = with_kinds(window(0.25, A, B), [made("melody"), made("voice")], RATE, kinds)
    for one, other in zip(told.sources, reversed(back.sources), strict=True):
        assert tuple(one.kinds) == KINDS
        assert sum(one.kinds.values()) == pytest.approx(1.0, abs=1e-5)
        assert one.kinds == pytest.approx(other.kinds, abs=1e-5)
    assert [max(source.kinds, key=source.kinds.get) for source in told.sources] == ["speech", "music"]


def test_sound_at_another_rate_is_brought_to_that_of_the_head(kinds):
    at_16, at_48 = (with_kinds(window(0.25, A), [made("melody", rate)], rate, kinds) for rate in (RATE, 48_000.0))
    assert at_48.sources[0].kinds == pytest.approx(at_16.sources[0].kinds, abs=0.1)


def test_what_has_no_sound_stays_as_it_was(kinds):
    for estimate in (window(0.25), directed()):
        assert with_kinds(estimate, [], RATE, kinds) is estimate
    assert "kinds" not in window(0.25, A).to_dict()["sources"][0]
    told = replace(window(0.25, A), sources=(replace(window(0.25, A).sources[0], kinds={"speech": 1.0}),))
    assert told.to_dict()["sources"][0]["kinds"] == {"speech": 1.0}
