"""The network as a localizer: its physics before training, its explanations, its second opinion, its refusals."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import soundfix
from helpers.networks import paper_like, tiny
from soundfix.errors import CheckpointError
from soundfix.methods import reranking
from soundfix.methods.srp_phat import SrpPhat
from soundfix.methods.three_stream import ThreeStream, ThreeStreamPaper
from soundfix.microphones import Microphones
from soundfix.networks import checkpoint
from soundfix.networks.model import Network
from soundfix.testing import SOURCE, contract_scene
from soundfix.training import recipes


def untrained(**changes):
    torch.manual_seed(0)
    return Network(replace(recipes.tiny().network, **changes)).eval()


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


def test_other_sample_rates_are_brought_to_the_network_s():
    """At 48 kHz the same noise holds more, so the same place, not the same number."""
    import soxr

    scene = contract_scene()
    faster = replace(scene, audio=soxr.resample(scene.audio.T, 16_000, 48_000).T, sample_rate=48_000.0)
    estimate = ThreeStream(network=untrained()).locate(faster)
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.03


def test_a_known_lateness_is_taken_out():
    scene = contract_scene()
    late = scene.audio.copy()
    late[2, 80:] = scene.audio[2, :-80]
    offset = np.zeros(8)
    offset[2] = 80 / 16_000
    microphones = Microphones(positions=scene.microphones.positions, offset_s=offset)
    estimate = ThreeStream(network=untrained()).locate(replace(scene, audio=late, microphones=microphones))
    assert estimate.verdict == "ok", estimate.reasons
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.02


def test_a_network_that_disagrees_with_physics_widens_its_region_and_says_so():
    network = paper_like()
    network.error_m.fill_(0.1)
    estimate = ThreeStreamPaper(network=network).locate(contract_scene())
    gap = np.linalg.norm(estimate.sources[0].position_m - SOURCE)
    assert gap > 0.5  # it is untrained
    assert "second_opinion" in estimate.reasons
    assert estimate.verdict == "degraded"
    assert estimate.sources[0].radius90_m > gap


def test_the_region_of_the_paper_s_head_is_its_known_error(monkeypatch):
    network = paper_like()
    network.error_m.fill_(0.1)
    agreeing = network.position_decoder
    centre = torch.tensor(SOURCE - contract_scene().search_box().mean(axis=0), dtype=torch.float32) / network.scale_m
    monkeypatch.setattr(agreeing, "forward", lambda tokens, *_: centre.expand(*tokens.shape[:2], 3))
    source = ThreeStreamPaper(network=network).locate(contract_scene()).sources[0]
    assert np.allclose(source.position_m, SOURCE, atol=1e-4)
    assert source.radius90_m == pytest.approx(0.1 * 2.5, rel=0.03)  # 90 % of a 3-D Gaussian lie within 2.5 sigma


def test_a_microphone_that_is_not_trusted_has_no_position_for_the_network():
    scene, network = contract_scene(), tiny()
    trusted = replace(scene, is_trusted=np.arange(8) != 3)
    unknown = scene.microphones.positions.copy()
    unknown[3] = np.nan
    hidden = replace(scene, microphones=Microphones(positions=unknown))
    one, other = (ThreeStream(network=network, explains=True).locate(s) for s in (trusted, hidden))
    gates = [{pair.microphones: pair.gate for pair in estimate.pairs} for estimate in (one, other)]
    assert gates[0] == pytest.approx(gates[1])


def test_every_source_slot_may_answer():
    estimate = ThreeStreamPaper(network=paper_like(sources=3)).locate(contract_scene())
    assert len(estimate.sources) == 3
    assert estimate.verdict == "ok"  # several sources are no ambiguity


def test_many_microphones_use_some_pairs():
    estimate = ThreeStream(network=tiny(), explains=True).locate(contract_scene(40))
    assert "pairs_subsampled" in estimate.reasons
    assert len(estimate.pairs) <= 600
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.1


def test_other_opinions_are_heard_and_told():
    """Untrained, the decoder puts every source near the middle of the microphones."""
    network = untrained()
    agreed = ThreeStream(network=network).locate(contract_scene())
    network.error_m.fill_(0.01)
    told = ThreeStream(network=network).locate(contract_scene())
    assert "second_opinion" not in agreed.reasons
    assert "second_opinion" in told.reasons
    assert any(note.startswith("the position decoder would say") for note in told.notes)
    assert told.sources[0].radius90_m > agreed.sources[0].radius90_m


def test_a_reversed_polarity_is_turned_before_the_network_listens():
    """Masks and corrections were learned from right ones: the answer is the same, and says what was reversed."""
    scene = contract_scene(8)
    wrong = scene.audio.copy()
    wrong[[2, 5]] *= -1
    right, turned = (
        soundfix.load("three-stream").locate(replace(scene, audio=audio)) for audio in (scene.audio, wrong)
    )
    assert np.allclose(turned.sources[0].position_m, right.sources[0].position_m, atol=1e-6)
    assert [report.name for report in turned.microphones if report.status == "inverted"] == ["mic3", "mic6"]
    assert {"inverted:mic3", "inverted:mic6"} <= set(turned.reasons)
    assert {report.status for report in right.microphones} == {"ok"}


def test_a_known_height_is_a_room_to_the_reranker():
    flat = np.array([[0.0, 0, 1.5], [6, 5, 1.5]])
    found = reranking.with_height(flat)
    assert np.array_equal(found[:, :2], flat[:, :2])
    assert found[:, 2].tolist() == [1.5 - reranking.USUAL_WALL_M, 1.5 + reranking.USUAL_WALL_M]
    room = np.array([[0.0, 0, 0], [6, 5, 3]])
    assert np.array_equal(reranking.with_height(room), room)
