"""Factors of regions: they widen, they move nothing, and what a place has been given for its doubt is not given again.
Those of split conformal prediction keep what they promise whatever the scores, and the answer says which was taken."""

from dataclasses import replace

import jsonschema
import numpy as np
import pytest

import soundfix
from helpers.networks import tiny
from soundfix.estimate import Source
from soundfix.localization import conformal
from soundfix.localization.conformal import CONFORMAL, array_class, split_conformal
from soundfix.localization.consensus import Consensus
from soundfix.localization.evidence import Evidence
from soundfix.localization.modes import Mode
from soundfix.methods.three_stream import ThreeStream
from soundfix.report.exports import locate_schema
from soundfix.report.summary import summary_dict
from soundfix.session.summary import Summary
from soundfix.testing import contract_scene


def place(probability, kept=2):
    """A consensus of so many microphones on one place."""
    yes, no = np.ones(kept, dtype=bool), np.zeros(kept, dtype=bool)
    evidence = Evidence(
        pairs=np.array([[0, 1]]), values=np.zeros((1, 3), dtype=np.float32), step_m=0.01, positions=np.eye(3)[:2]
    )
    mode = Mode(position=np.zeros(3), score=1.0, probability=probability)
    return Consensus(
        is_kept=yes, is_named=no, is_inverted=no, profiles=(None,) * kept, modes=[mode], evidence=evidence,
        is_contradicted=False,
    )  # fmt: skip


def test_a_factor_widens_the_region_and_moves_nothing(monkeypatch):
    found = {}
    for times in (1.0, 4.0):
        monkeypatch.setattr(conformal, "WEIGHTS", (np.log(times), 0.0))
        found[times] = soundfix.load("three-stream").locate(contract_scene()).sources[0]
    assert np.array_equal(found[1.0].position_m, found[4.0].position_m)
    assert found[4.0].covariance_m2 == pytest.approx(4 * found[1.0].covariance_m2)
    assert found[4.0].radius90_m == pytest.approx(2 * found[1.0].radius90_m)


def test_doubt_widens_until_the_place_is_widened_anyway():
    factors = [conformal.factor(place(probability)) for probability in (None, 1.0, 0.99, 0.95, 0.9)]
    assert factors[0] == factors[1] == pytest.approx(np.exp(conformal.WEIGHTS[0]) * array_class(2).factor)
    assert sorted(factors) == factors
    assert factors[-1] > 2.5 * factors[0]
    assert conformal.factor(place(0.89)) == conformal.factor(place(0.0)) == factors[0]


def test_regions_of_several_sources_are_wider_and_move_nothing():
    source = Source(position_m=np.ones(3), covariance_m2=np.eye(3), radius90_m=2.5, score=0.5)
    wider = conformal.among_several(source)
    assert np.array_equal(wider.position_m, source.position_m)
    assert wider.covariance_m2 == pytest.approx(3.5 * np.eye(3))
    assert wider.radius90_m == pytest.approx(2.5 * 3.5**0.5, rel=0.01)


@pytest.mark.parametrize(
    ("scores", "expected"), [(8, np.inf), (9, 9), (10, 10), (18, 18), (19, 18), (99, 90), (100, 91)]
)
def test_a_rank_by_hand(scores, expected):
    """ceil((n + 1) 0.9): too few scores promise nothing at all."""
    assert split_conformal(np.random.default_rng(0).permutation(scores) + 1.0) == expected


@pytest.mark.parametrize("count", [9, 30, 99, 560])
def test_the_next_score_is_held_with_nine_tenths_whatever_the_scores(rng, count):
    """Averaged over what was held out, coverage is 0.9 or up to 1 / (n + 1) more: Vovk et al. (2005), for skewed scores."""
    calibrated = [split_conformal(held_out) for held_out in np.exp(2 * rng.standard_normal((1000, count)))]
    scores = np.sort(np.exp(2 * rng.standard_normal(100_000)))
    coverage = np.searchsorted(scores, calibrated) / len(scores)
    error = 4 * coverage.std() / len(coverage) ** 0.5 + 0.002
    assert 0.9 - error < coverage.mean() < 0.9 + 1 / (count + 1) + error
    if count == 560:
        assert np.mean(np.abs(coverage - 0.9) < 0.02) > 0.85


def test_each_size_of_array_is_in_one_class_with_enough_answers_behind_it():
    assert [array_class(kept).name for kept in (3, 5)] == ["up to 5 microphones"] * 2
    assert [array_class(kept).name for kept in (6, 8)] == ["6-8 microphones"] * 2
    assert [array_class(kept).name for kept in (9, 12)] == ["9-12 microphones"] * 2
    assert [array_class(kept).name for kept in (13, 64)] == ["13 or more microphones"] * 2
    for each in CONFORMAL:
        assert each.held_out >= 500
        assert 0.3 < each.factor < 3.0  # what the shape leaves to be corrected


def test_the_factor_is_that_of_the_microphones_that_were_kept():
    plain = conformal.factor(place(1.0, kept=5)) / array_class(5).factor
    for kept in (6, 9, 13):
        assert conformal.factor(place(1.0, kept=kept)) == pytest.approx(plain * array_class(kept).factor)


@pytest.mark.parametrize(("microphones", "dead"), [(5, 0), (8, 0), (9, 1), (9, 0), (13, 0)])
def test_the_answer_says_how_its_regions_were_calibrated(microphones, dead):
    scene = contract_scene(microphones)
    audio = scene.audio.copy()
    audio[:dead] = 0.0
    said = soundfix.load().locate(replace(scene, audio=audio)).to_dict()
    own = array_class(microphones - dead)
    assert said["regions"] == {"method": f"split conformal, {own.name}", "coverage": 0.9, "held_out": own.held_out}
    check(said)


def test_another_network_was_not_calibrated_itself():
    said = ThreeStream(network=tiny()).locate(contract_scene()).to_dict()
    assert said["regions"]["method"] == "split conformal of the packaged network, 6-8 microphones"
    assert said["regions"]["held_out"] == 0
    check(said)


def test_physics_says_that_it_is_theory():
    said = soundfix.load("srp-phat").locate(contract_scene()).to_dict()
    assert said["regions"] == {"method": "theory (Cramér-Rao)", "coverage": 0.9, "held_out": 0}
    check(said)


@pytest.mark.parametrize("method", ["three-stream", "srp-phat"])
def test_an_abstention_has_no_regions(method):
    scene = contract_scene()
    said = soundfix.load(method).locate(replace(scene, audio=np.zeros_like(scene.audio))).to_dict()
    assert said["regions"] is None
    check(said)


def check(estimate):
    """By the schema of what `soundfix locate` writes."""
    document = {"method": "test", "version": "0", "estimates": [estimate]} | summary_dict(Summary())
    jsonschema.validate(document, locate_schema(), cls=jsonschema.Draft202012Validator)
