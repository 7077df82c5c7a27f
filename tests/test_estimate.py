import json
from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.scenes import anechoic_scene
from soundfix.estimate import Estimate, Finding, Localizer, MicrophoneReport, Source
from soundfix.microphones import Microphones

ROOM = ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))
SOURCE = np.array([2.0, 3.0, 1.0])
ACROSS_M = pytest.approx(2.146, abs=1e-3)  # of a covariance of 1: the square root of 4.605


def source(**changes):
    given = {
        "position_m": np.arange(3.0),
        "covariance_m2": np.eye(3),
        "radius90_m": 2.5,
        "score": 0.5,
    }
    return Source(**(given | changes))


def estimate(**changes):
    given = {"method": "test", "start_s": 0.0, "end_s": 0.5, "verdict": "ok", "sources": (source(),)}
    return Estimate(**(given | changes))


@pytest.fixture
def scene(rng):
    positions = rng.uniform([0.1] * 3, [5.9, 4.9, 2.9], (8, 3))
    return anechoic_scene(positions, SOURCE, rng, room=ROOM)


def broken(scene):
    """One dead microphone, one of unknown position, one inverted: every kind of entry in one answer."""
    audio, positions = scene.audio.copy(), scene.microphones.positions.copy()
    audio[0], audio[2] = 0, -audio[2]
    positions[5] = np.nan
    return replace(scene, audio=audio, microphones=Microphones(positions=positions))


@pytest.mark.parametrize("verdict", ["ok", "degraded", "ambiguous"])
def test_a_verdict_other_than_abstain_has_a_source(verdict):
    with pytest.raises(ValueError, match=f"verdict {verdict} with 0 sources"):
        estimate(verdict=verdict, sources=())


def test_an_abstention_has_no_source():
    with pytest.raises(ValueError, match="verdict abstain with 1 sources"):
        estimate(verdict="abstain")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("number", ["position_m", "covariance_m2", "radius90_m", "score"])
def test_no_number_of_a_source_may_be_infinite_or_none(number, bad):
    value = bad if number in ("radius90_m", "score") else np.full_like(getattr(source(), number), bad)
    with pytest.raises(ValueError, match="test answered with a number that is not finite"):
        estimate(sources=(source(**{number: value}),))


def test_to_dict_says_every_number_it_was_given():
    report = MicrophoneReport(name="a", status="misplaced", weight=0.25, position_m=np.arange(3.0), pull_m=-0.5)
    unknown = MicrophoneReport(name="b", status="unknown-position", weight=0.0, position_m=None, range_m=1.5)
    said = estimate(findings=(Finding("misplaced:a", "a is off"),), microphones=(report, unknown)).to_dict()
    assert said["sources"] == [
        {
            "position_m": [0, 1, 2],
            "covariance_m2": np.eye(3).tolist(),
            "radius90_m": 2.5,
            "across90_m": ACROSS_M,
            "score": 0.5,
        }
    ]
    assert said["microphones"] == [
        {"name": "a", "status": "misplaced", "weight": 0.25, "position_m": [0, 1, 2], "pull_m": -0.5},
        {"name": "b", "status": "unknown-position", "weight": 0.0, "position_m": None, "pull_m": None, "range_m": 1.5},
    ]
    assert (said["verdict"], said["reasons"], said["notes"]) == ("ok", ["misplaced:a"], ["a is off"])
    assert (said["start_s"], said["end_s"]) == (0.0, 0.5)


@pytest.mark.parametrize("name", ["srp-phat", "multilateration", "multilat"])
def test_a_real_answer_is_strict_json_that_reads_back_the_same(scene, name):
    said = soundfix.load(name).locate(broken(scene)).to_dict()
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    statuses = [microphone["status"] for microphone in said["microphones"]]
    assert (statuses[0], statuses[2], statuses[5]) == ("dead", "inverted", "unknown-position")


def test_an_abstention_is_strict_json_too(scene):
    said = soundfix.load().locate(replace(scene, audio=np.full_like(scene.audio, np.nan))).to_dict()
    assert said["verdict"] == "abstain"
    assert said["sources"] == []
    assert json.loads(json.dumps(said, allow_nan=False)) == said


def test_the_covariance_is_symmetric_positive_and_explains_its_radius(scene):
    for found in soundfix.load().locate(scene).sources:
        assert np.allclose(found.covariance_m2, found.covariance_m2.T)
        assert (np.linalg.eigvalsh(found.covariance_m2) > 0).all()
        deviations = np.sqrt(np.linalg.eigvalsh(found.covariance_m2))
        assert 1.64 * deviations[-1] <= found.radius90_m <= 2.51 * deviations[-1]


def test_the_span_is_the_windows(scene):
    found = soundfix.load().locate(replace(scene, start_s=12.25))
    assert (found.start_s, found.end_s) == (12.25, 12.75)


def test_an_estimate_is_frozen():
    with pytest.raises(AttributeError, match="cannot assign"):
        estimate().verdict = "abstain"


def test_a_thing_without_locate_is_no_localizer():
    class OnlyNamed:
        name = "only-named"

    assert not isinstance(OnlyNamed(), Localizer)


@pytest.mark.parametrize(("height_m2", "across_m"), [(1.0, 2.1460), (100.0, 2.1460), (0.0, 2.1460)])
def test_a_region_seen_from_above_has_no_height(height_m2, across_m):
    """2.146 is the square root of the 0.9 quantile of chi squared with 2 degrees of freedom."""
    covariance = np.diag([1.0, 1.0, height_m2])
    source = Source(position_m=np.zeros(3), covariance_m2=covariance, radius90_m=9.0, score=0.5)
    assert source.across90_m == pytest.approx(across_m, rel=1e-3)


def test_a_place_known_from_above_has_no_region_there():
    covariance = np.diag([0.0, 0.0, 4.0])
    source = Source(position_m=np.zeros(3), covariance_m2=covariance, radius90_m=9.0, score=0.5)
    assert source.across90_m == 0.0
