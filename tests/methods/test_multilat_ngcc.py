"""Multilat*: NGCC-PHAT's delays in the place of GCC-PHAT's, with weights from wherever they are."""

import numpy as np
import pytest

from helpers import DATA
from helpers.networks import tiny
from helpers.rivals import rival
from soundfix import physics
from soundfix.errors import CheckpointError
from soundfix.methods.multilat_ngcc import MultilatNgcc, multilat_ngcc
from soundfix.networks import checkpoint
from soundfix.testing import SOURCE, check_localizer, contract_scene

PUBLISHED = DATA / "ngcc_phat_librispeech.safetensors"


@pytest.fixture(scope="module")
def published():
    return multilat_ngcc(PUBLISHED)


def test_the_learned_delays_are_the_true_ones(published):
    """Each pair's most likely delay, on an anechoic scene: within a sample of what geometry says."""
    scene = contract_scene(6)
    pairs = physics.pair_indices(6)
    evidence = published.evidence(scene.audio.copy(), scene, pairs)
    assert evidence.values.sum(axis=1) == pytest.approx(np.ones(len(pairs)), abs=1e-4)
    lags = evidence.values.argmax(axis=1) - evidence.values.shape[1] // 2
    expected_m = physics.range_differences(SOURCE, scene.microphones.positions, pairs)
    assert np.abs(lags * evidence.step_m - expected_m).max() < 1.5 * evidence.step_m


def test_it_locates(published):
    estimate = published.locate(contract_scene(6))
    assert estimate.method == "multilat-ngcc"
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.03


def test_the_same_scene_gets_the_same_answer(published):
    one, same = (published.locate(contract_scene(7)).sources[0].position_m for _ in "ab")
    assert np.array_equal(one, same)


def test_weights_of_a_whole_network(tmp_path):
    network = rival("wav2pos")
    checkpoint.save(network, tmp_path / "wav2pos.safetensors", kind="wav2pos")
    taken = multilat_ngcc(tmp_path / "wav2pos.safetensors")
    assert isinstance(taken, MultilatNgcc)
    assert taken.correlation.config == network.ngcc.config


def test_where_there_are_no_weights(tmp_path):
    with pytest.raises(CheckpointError, match="needs trained weights of NGCC-PHAT"):
        multilat_ngcc()
    checkpoint.save(tiny(), tmp_path / "tiny.safetensors")
    with pytest.raises(CheckpointError, match="is a network without NGCC-PHAT"):
        multilat_ngcc(tmp_path / "tiny.safetensors")


@pytest.mark.slow
def test_the_published_weights_obey_the_contract(published):
    check_localizer(published)  # raises where they do not; small weights are asked in test_testing.py
