"""Coordinates of a network as an answer: its region is its known error, or as wide as it disagrees with physics."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.networks import paper_like
from soundfix.methods.three_stream import ThreeStreamPaper
from soundfix.testing import SOURCE, contract_scene


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


def test_every_source_slot_may_answer():
    estimate = ThreeStreamPaper(network=paper_like(sources=3)).locate(contract_scene())
    assert len(estimate.sources) == 3
    assert estimate.verdict == "ok"  # several sources are no ambiguity


def test_the_paper_s_network_says_when_it_has_to_guess_its_frame():
    """Its coordinates start in the middle of the room; without one, in the middle of the microphones."""
    scene = contract_scene()
    told, untold = (ThreeStreamPaper(network=paper_like()).locate(s) for s in (scene, replace(scene, room=None)))
    assert "frame_guessed" not in told.reasons
    assert "frame_guessed" in untold.reasons
