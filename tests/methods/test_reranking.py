"""Reranking: the likeliest place first, those that are listed exact, the others where they were found; options passed on."""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from soundfix.localization.modes import APART_M, RUNNERS_UP, Mode, find_modes
from soundfix.localization.multi_source import cancel_sources
from soundfix.localization.preparation import prepare
from soundfix.methods import reranking
from soundfix.methods.network_boxes import NetworkBoxes
from soundfix.methods.reranking import BREADTH, likeliest_places, reranked
from soundfix.networks.interface import CANDIDATES, PHYSICS
from soundfix.search_region import SearchRegion
from soundfix.testing import SOURCE, contract_scene


@pytest.fixture(scope="module")
def heard():
    """What the packaged network hears of the contract's source."""
    return NetworkBoxes(network=soundfix.load().network).hear(prepare(contract_scene()))


@pytest.fixture
def box():
    return contract_scene().search_box()


def test_a_known_height_is_a_room_to_the_reranker():
    flat = np.array([[0.0, 0, 1.5], [6, 5, 1.5]])
    found = reranking.with_height(flat)
    assert np.array_equal(found[:, :2], flat[:, :2])
    assert found[:, 2].tolist() == [1.5 - reranking.USUAL_WALL_M, 1.5 + reranking.USUAL_WALL_M]
    room = np.array([[0.0, 0, 0], [6, 5, 3]])
    assert np.array_equal(reranking.with_height(room), room)


def test_the_likeliest_comes_first_and_only_listed_ones_are_made_exact(heard, box, monkeypatch):
    places = [np.array([1.0, 1, 1]), np.array([4.0, 4, 2]), SOURCE + 0.01, np.array([2.0, 3, 1])]
    modes = [Mode(position=place, score=1.0) for place in places]
    monkeypatch.setattr(reranking, "probabilities", lambda *_, **__: np.array([0.05, 0.02, 0.7, 0.2, 0.03]))
    found = reranked(heard, modes, heard.evidence, box=box)
    assert [mode.probability for mode in found] == [0.7, 0.2, 0.05, 0.02]
    assert np.linalg.norm(found[0].position - SOURCE) < 0.005
    assert not np.array_equal(found[1].position, places[3])  # listed: climbed to its peak
    assert np.array_equal(found[2].position, places[0])
    assert np.array_equal(found[3].position, places[1])


def test_two_that_climb_to_one_peak_are_one_place(heard, box, monkeypatch):
    modes = [Mode(position=SOURCE + shift, score=1.0) for shift in (0.02, -0.02, 1.0)]
    monkeypatch.setattr(reranking, "probabilities", lambda *_, **__: np.array([0.5, 0.3, 0.15, 0.05]))
    found = reranked(heard, modes, heard.evidence, box=box)
    assert [mode.probability for mode in found] == [0.8, 0.15]
    assert np.linalg.norm(found[0].position - SOURCE) < 0.005


def test_the_first_is_exact_however_unlikely(heard, box, monkeypatch):
    monkeypatch.setattr(reranking, "probabilities", lambda *_, **__: np.array([0.02, 0.98]))
    (found,) = reranked(heard, [Mode(position=SOURCE + 0.01, score=1.0)], heard.evidence, box=box)
    assert np.linalg.norm(found.position - SOURCE) < 0.005


@pytest.mark.parametrize("polishes", [True, False])
def test_a_first_source_is_sought_more_broadly_than_a_further_one(heard, box, monkeypatch, polishes):
    asked = []
    monkeypatch.setattr(reranking, "find_modes", lambda *_, **options: asked.append(options) or [])
    likeliest_places(heard, heard.evidence, box=box, polishes=polishes)
    likeliest_places(heard, heard.evidence, [SOURCE], box=box, polishes=polishes)
    usual = {"polishes": polishes}
    first, further = {"most": CANDIDATES, "breadth": BREADTH}, {"most": RUNNERS_UP, "breadth": 1.0}
    assert asked == [usual | first, usual | further]


def shown(heard, evidence, box, monkeypatch, found_m=()):
    """The places that the reranker is asked about."""
    asked = []
    with monkeypatch.context() as patch:
        patch.setattr(reranking, "reranked", lambda heard, modes, *_, **__: asked.extend(modes) or modes)
        likeliest_places(heard, evidence, found_m, box=box)
    return np.array([mode.position for mode in asked])


def test_the_reranker_is_shown_peaks_that_a_mask_took_away(heard, box, monkeypatch):
    """The masked curves without the source; the plain ones have it still. For a further source they are not asked."""
    masked = cancel_sources(heard.evidence, [SOURCE])
    alone = np.array([mode.position for mode in find_modes(masked, box, most=CANDIDATES, breadth=BREADTH)])
    assert np.linalg.norm(alone - SOURCE, axis=1).min() > 0.1
    places = shown(heard, masked, box, monkeypatch)
    assert np.linalg.norm(places - SOURCE, axis=1).min() < 0.02
    assert len(alone) < len(places) <= len(alone) + PHYSICS
    further = shown(heard, masked, box, monkeypatch, [np.array([1.0, 1, 1])])
    assert np.linalg.norm(further - SOURCE, axis=1).min() > 0.1


def test_no_place_is_shown_twice(heard, box, monkeypatch):
    """What plain and masked curves agree on is there once, with the score of the evidence."""
    places = shown(heard, heard.evidence, box, monkeypatch)
    own = np.array([mode.position for mode in find_modes(heard.evidence, box, most=CANDIDATES, breadth=BREADTH)])
    added = places[len(own) :]
    assert np.array_equal(places[: len(own)], own)
    assert len(added) == 0 or np.linalg.norm(added[:, None] - own, axis=2).min() > APART_M
    extra = reranking._of_physics(heard, heard.evidence, [Mode(position=np.array([9.0, 9, 9]), score=1.0)], box)
    assert np.linalg.norm(extra[0].position - SOURCE) < 0.02
    assert extra[0].score == pytest.approx(float(heard.evidence.score(extra[0].position[None])[0]))


def test_without_a_reranker_the_evidence_decides(heard, box):
    plain = replace(heard, network=soundfix.load().network)
    plain.network.reranker = None
    first, *_ = likeliest_places(plain, plain.evidence, box=box)
    assert first.probability is None
    assert np.linalg.norm(first.position - SOURCE) < 0.05


def test_what_an_earlier_source_explains_is_not_found_again(heard, box):
    found = likeliest_places(heard, heard.evidence, [SOURCE], box=box)
    assert all(np.linalg.norm(mode.position - SOURCE) > 0.1 or mode.probability < 0.5 for mode in found)


def test_a_search_region_is_no_wall():
    """With it alone the network is told what it was told of no room in training; with a room, that."""
    told, untold = contract_scene(), replace(contract_scene(), room=None)
    stage = SearchRegion.of(((1, 1, 0), (2, 2, 2)))
    small = replace(told, search=stage).search_box()
    assert np.array_equal(reranking.walls(replace(told, search=stage), small), told.search_box())
    assert np.array_equal(reranking.walls(replace(untold, search=stage), small), untold.search_box())
    assert np.array_equal(reranking.walls(told, small), small)
    far = SearchRegion.of(((1, 1, 0), (99, 2, 2)))
    found = reranking.walls(replace(untold, search=far), replace(untold, search=far).search_box())
    assert found[1, 0] == 99
    assert np.array_equal(found[:, 1:], untold.search_box()[:, 1:])


def test_a_search_box_changes_no_probability_but_by_what_it_hides(heard, box):
    """The same candidates, with and without one: the network hears the same walls, and says the same."""
    modes = [Mode(position=SOURCE, score=1.0), Mode(position=np.array([1.0, 1, 1]), score=0.5)]
    stage = SearchRegion.of((box[0] + 0.3, box[1] - 0.3))
    searched = replace(heard, scene=replace(heard.scene, search=stage))
    plain = reranking.probabilities(heard, modes, heard.evidence, box=box)
    found = reranking.probabilities(searched, modes, heard.evidence, box=searched.scene.search_box())
    assert np.array_equal(plain, found)
