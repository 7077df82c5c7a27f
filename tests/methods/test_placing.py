"""A network's sources: what SRP-PHAT and the position decoder would say of them, and where further ones are sought."""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.networks import tiny
from helpers.scenes import anechoic_scene, drawn
from soundfix.localization.cross_check import widen_where_others_disagree
from soundfix.localization.pairs import weighted
from soundfix.localization.preparation import prepare
from soundfix.localization.search import agree_somewhere
from soundfix.localization.sources import SURE
from soundfix.methods import placing
from soundfix.methods.network_boxes import NetworkBoxes
from soundfix.methods.network_evidence import slot_evidence
from soundfix.methods.placing import further_evidence, opinions, place_network_sources, steered_power, unsure_of
from soundfix.methods.told_once import AtOnce, ToldOnce
from soundfix.simulation.worlds import LUVIRA_TWIN
from soundfix.testing import SOURCE, contract_scene


def agreed(network):
    """What a network heard of the contract's source, and what the microphones agree on."""
    boxes, prepared = NetworkBoxes(network=network), prepare(contract_scene())
    heard = boxes.hear(prepared)
    evidence = weighted(heard.evidence, prepared.health.weight)
    prepared, agreement = agree_somewhere(prepared, evidence, boxes, heard)
    return heard, agreement


@pytest.fixture(scope="module")
def packaged():
    return agreed(soundfix.load().network)


def test_steered_power_is_highest_at_the_source(packaged):
    heard, agreement = packaged
    best = agreement.consensus.modes[0]
    consensus = replace(agreement.consensus, modes=[best, replace(best, position=best.position + 0.5)])
    here, there = steered_power(heard, consensus)
    assert here > there + 3


def test_srp_phat_is_an_opinion_only_where_it_clearly_leads(packaged):
    heard, agreement = packaged
    best = agreement.consensus.modes[0]
    wrong = replace(best, position=best.position + 0.5)
    assert [each.who for each in opinions(heard, replace(agreement.consensus, modes=[best, wrong]))] == [
        "the position decoder"
    ]
    first, second = opinions(heard, replace(agreement.consensus, modes=[wrong, best]))
    assert (first.who, second.who) == ("SRP-PHAT", "the position decoder")
    assert np.array_equal(first.position_m, best.position)


def test_one_slot_is_searched_again_and_several_each_have_their_own(packaged):
    heard, agreement = packaged
    assert list(further_evidence(heard, agreement.consensus)) == [agreement.consensus.evidence] * 2  # three at once
    two, agreement = agreed(tiny(is_untrained=True, sources=2))
    (second,) = further_evidence(two, agreement.consensus)
    assert np.array_equal(second.values, slot_evidence(two.answers, 1, two.scene).values)


def test_the_source_is_placed_with_its_opinions_heeded(packaged):
    heard, agreement = packaged
    placed = place_network_sources(heard, prepare(heard.scene), agreement.consensus, agreement.box)
    assert np.linalg.norm(placed.sources[0].position_m - SOURCE) < 0.05
    assert "several_sources" not in [finding.code for finding in placed.findings]


def test_who_disagrees_is_heeded_by_what_probability_the_place_leaves(packaged, monkeypatch):
    heard, agreement = packaged
    left = []
    monkeypatch.setattr(
        placing,
        "widen_where_others_disagree",
        lambda *given: left.append(given[3]) or widen_where_others_disagree(*given),
    )
    best = agreement.consensus.modes[0]
    for probability in (0.8, None):
        consensus = replace(agreement.consensus, modes=[replace(best, probability=probability)])
        place_network_sources(heard, prepare(heard.scene), consensus, agreement.box)
    assert left == pytest.approx([0.2, 0.1])


def test_two_sounds_at_once_are_two_sources_and_each_is_no_rival_of_the_other(rng):
    places = np.array([SOURCE, [1.5, 3.8, 1.6]])
    positions, room = contract_scene(11).microphones.positions, contract_scene().room
    parts = [anechoic_scene(positions, place, rng, room=room) for place in places]
    both = replace(parts[0], audio=parts[0].audio + parts[1].audio)
    estimate = soundfix.load().locate(both)
    assert "several_sources" in estimate.reasons
    gaps = np.linalg.norm(places[:, None] - [source.position_m for source in estimate.sources], axis=-1)
    assert len(estimate.sources) == 2
    assert (gaps.min(axis=1) < 0.05).all()


@pytest.mark.parametrize("number", [7, 9])
def test_without_a_room_what_the_floor_reflects_is_no_second_source(number):
    """A talker in a studio, whose floor nobody told of."""
    world = {"duration_s": 0.5, "rt60_s": (0.2, 0.6), "snr_db": (10.0, 30.0), "sound_shares": {"voice": 1.0}}
    scene = drawn(LUVIRA_TWIN, np.random.default_rng([79, number]), **world)
    estimate = soundfix.load().locate(replace(scene, room=None))
    assert (estimate.verdict, len(estimate.sources)) == ("ok", 1)
    assert np.linalg.norm(estimate.sources[0].position_m - scene.truth.sources[0]) < 0.05


def test_a_source_beside_the_first_that_is_hardly_likely_is_called_unsure(packaged):
    consensus = packaged[1].consensus
    further = [replace(consensus, modes=[replace(consensus.modes[0], probability=p)]) for p in (0.9, SURE, 0.45, None)]
    assert unsure_of(further[:2]) == unsure_of([]) == unsure_of(further[3:]) == ()
    (said,) = unsure_of(further)
    assert (said.code, said.degrades) == ("unsure", True)
    assert "45%" in said.sentence


@pytest.mark.parametrize(("probability", "verdict"), [(0.45, True), (0.85, False)])
def test_the_verdict_knows_of_an_unlikely_second_source(packaged, monkeypatch, probability, verdict):
    heard, agreement = packaged
    own = [
        replace(agreement.consensus, modes=[replace(agreement.consensus.modes[0], probability=p)])
        for p in (1.0, probability)
    ]
    monkeypatch.setattr(placing, "at_once", lambda *_: AtOnce(own, []))
    fresh = replace(heard, told_once=ToldOnce())
    placed = place_network_sources(fresh, prepare(heard.scene), agreement.consensus, agreement.box)
    assert ("unsure" in [finding.code for finding in placed.findings]) is verdict
