"""The network as a localizer: its physics before training, its explanations, its second opinion, its refusals."""

import numpy as np
import pytest
import torch

import soundfix
from helpers.networks import paper_like, tiny, untrained
from soundfix.errors import CheckpointError
from soundfix.methods.srp_phat import SrpPhat
from soundfix.methods.three_stream import ThreeStream, ThreeStreamPaper
from soundfix.networks import checkpoint
from soundfix.testing import SOURCE, contract_scene
from soundfix.training import recipes


def test_the_packaged_network_is_the_recipe_default():
    network = soundfix.load("three-stream").network
    assert network.config == recipes.default().network
    assert checkpoint.notes(checkpoint.PACKAGED)["recipe"] == "default"
    assert checkpoint.PACKAGED.stat().st_size < 25e6
    assert (checkpoint.PACKAGED.parent / "README.md").is_file()


def test_a_network_of_one_room_is_not_in_the_package():
    with pytest.raises(CheckpointError, match="three-stream-paper needs weights that were trained for its room"):
        soundfix.load("three-stream-paper")


def test_a_network_without_a_likelihood_head_is_another_method(tmp_path):
    checkpoint.save(paper_like(), tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="has no likelihood head: load it as three-stream-paper"):
        soundfix.load("three-stream", checkpoint=tmp_path / "a.safetensors")
    assert soundfix.load("three-stream-paper", checkpoint=tmp_path / "a.safetensors").name == "three-stream-paper"


def test_beats_base_must_be_given(tmp_path):
    checkpoint.save(paper_like(acoustic="base"), tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="listens with BEATs base, whose 363 MB are not in it"):
        soundfix.load("three-stream-paper", checkpoint=tmp_path / "a.safetensors")


def test_untrained_it_is_srp_phat():
    scene = contract_scene()
    ours = ThreeStream(network=untrained()).locate(scene).sources[0]
    theirs = SrpPhat().locate(scene).sources[0]
    assert np.allclose(ours.position_m, theirs.position_m, atol=2e-3)
    assert ours.score == pytest.approx(theirs.score, abs=0.02)


def test_explanations_cover_every_pair_and_only_on_request():
    scene = contract_scene(5)
    assert ThreeStream(network=tiny()).locate(scene).pairs == ()
    pairs = ThreeStream(network=tiny(), explains=True).locate(scene).pairs
    assert [pair.microphones for pair in pairs] == [
        (f"mic{i}", f"mic{j}") for i in range(1, 6) for j in range(i + 1, 6)
    ]
    assert sum(pair.attention for pair in pairs) == pytest.approx(1.0, abs=1e-4)
    assert all(0 <= pair.coherence <= 1 and 0 < pair.gate <= 2 for pair in pairs)
    assert len({round(pair.gate, 3) for pair in pairs}) > 1


def test_the_paper_s_gate_is_its_coherence_weight():
    network = paper_like()
    with torch.no_grad():
        network.ascm.signed_alpha.fill_(2.0)
    pairs = ThreeStreamPaper(network=network, explains=True).locate(contract_scene(5)).pairs
    assert all(pair.gate == pytest.approx(pair.coherence**2, abs=1e-5) for pair in pairs)


def test_many_microphones_use_some_pairs():
    estimate = ThreeStream(network=tiny(), explains=True).locate(contract_scene(40))
    assert "pairs_subsampled" in estimate.reasons
    assert len(estimate.pairs) <= 600
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.1


def test_the_papers_own_form_explains_itself_too_where_it_is_asked_to():
    network = paper_like()
    silent, asked = (ThreeStreamPaper(network=network, explains=e).locate(contract_scene()) for e in (False, True))
    assert silent.sources
    assert silent.pairs == ()
    assert len(asked.pairs) == 28
    assert sum(pair.attention for pair in asked.pairs) == pytest.approx(1, abs=1e-3)
    assert asked.pairs[0].microphones == ("mic1", "mic2")
