"""What a picture of the likelihood is made of is what the method listens to."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.scenes import anechoic_scene
from soundfix.localization.boxes import CorrelationBoxes
from soundfix.localization.preparation import prepare
from soundfix.methods.catalog import load
from soundfix.methods.heard import evidence_of

PLACES_M = np.array([[0, 0, 1], [4, 0, 2], [4, 3, 1], [0, 3, 2], [2, 0, 0.5], [2, 3, 2.5]], float)
TALKER_M = np.array([1.4, 2.1, 1.3])


@pytest.mark.parametrize("method", ["srp-phat", "three-stream", "multilateration"])
def test_it_is_highest_where_the_sound_is(method):
    scene = anechoic_scene(PLACES_M, TALKER_M, np.random.default_rng(0))
    evidence = evidence_of(load(method), scene)
    elsewhere = np.random.default_rng(1).uniform([0, 0, 0], [4, 3, 2.5], (200, 3))
    assert evidence.score(TALKER_M) > 2 * evidence.score(elsewhere).max()
    assert len(evidence.pairs) == 15


def test_a_network_hears_with_its_own_ears():
    scene = anechoic_scene(PLACES_M, TALKER_M, np.random.default_rng(0))
    curves = [evidence_of(load(method), scene).values for method in ("three-stream", "srp-phat")]
    assert curves[0].shape != curves[1].shape or not np.allclose(*curves)


def test_who_is_dead_or_not_trusted_has_no_pairs():
    scene = anechoic_scene(PLACES_M, TALKER_M, np.random.default_rng(0))
    audio = np.where(np.arange(6)[:, None] == 2, 0.0, scene.audio)
    scene = replace(scene, audio=audio, is_trusted=np.arange(6) != 4)
    assert {2, 4}.isdisjoint(evidence_of(load("srp-phat"), scene).pairs.ravel().tolist())


def test_silence_is_nothing_to_listen_to():
    scene = anechoic_scene(PLACES_M, TALKER_M, np.random.default_rng(0))
    assert evidence_of(load("srp-phat"), replace(scene, audio=0.0 * scene.audio)) is None


def test_who_is_clipped_counts_less():
    scene = anechoic_scene(PLACES_M, TALKER_M, np.random.default_rng(0))
    limit = np.quantile(np.abs(scene.audio[1]), 0.6)
    clipped = replace(
        scene, audio=np.where(np.arange(6)[:, None] == 1, np.clip(scene.audio, -limit, limit), scene.audio)
    )
    prepared = prepare(clipped)
    assert prepared.health.weight[1] < 1
    evidence, unweighted = evidence_of(load("srp-phat"), clipped), CorrelationBoxes().hear(prepared).evidence
    of_it = (evidence.pairs == 1).any(axis=1)
    np.testing.assert_allclose(evidence.values[~of_it], unweighted.values[~of_it])
    assert np.abs(evidence.values[of_it]).max() < np.abs(unweighted.values[of_it]).max()
