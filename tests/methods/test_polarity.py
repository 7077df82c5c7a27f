"""Reversed polarity, by physics: found where enough microphones are placed, and nobody where they are not."""

from dataclasses import replace

import numpy as np

from soundfix.localization.correlate import Correlator
from soundfix.localization.preparation import prepare
from soundfix.methods.polarity import reversed_polarity
from soundfix.testing import contract_scene


def found(scene):
    prepared = prepare(scene)
    plain = Correlator()(prepared.audio, scene, prepared.pairs)
    return np.flatnonzero(reversed_polarity(plain, scene, prepared.health.is_heard)).tolist()


def turned(scene, *microphones):
    audio = scene.audio.copy()
    audio[list(microphones)] *= -1
    return replace(scene, audio=audio)


def test_who_is_reversed_is_found_and_nobody_else():
    assert found(contract_scene()) == []
    assert found(turned(contract_scene(), 1, 6)) == [1, 6]


def test_an_untrusted_position_convicts_nobody():
    scene = replace(turned(contract_scene(), 6), is_trusted=np.arange(8) < 3)
    plain = Correlator()(np.array(scene.audio), scene, prepare(contract_scene()).pairs)
    assert not reversed_polarity(plain, scene, np.ones(8, dtype=bool)).any()
