"""Chaos breaks by seed, says honestly what a method made of it, and takes methods of anyone's making."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.chaos import WINDOWS, accusing, recording, tried
from helpers.scenes import anechoic_scene
from soundfix.errors import SceneError
from soundfix.estimate import Estimate
from soundfix.evaluation.chaos import (
    EXPECTED,
    MIX,
    PAIRED,
    ChaosRequest,
    attempts,
    chaos,
    draw_kinds,
    hear_clean,
    labels,
    plan,
)
from soundfix.evaluation.chaos_report import markdown, typical
from soundfix.methods.srp_phat import SrpPhat
from soundfix.microphones import Microphones
from soundfix.scene import Scene
from soundfix.simulation.faults import KINDS
from soundfix.testing import SOURCE, contract_scene


@pytest.fixture(scope="module")
def scene():
    return recording()


class Feet(SrpPhat):
    """Refuses a recording in which a microphone is silent."""

    def locate(self, scene: Scene) -> Estimate:
        if not scene.audio.any(axis=1).all():
            raise SceneError("were they given in feet?")
        return super().locate(scene)


def test_every_kind_has_an_expectation():
    assert list(EXPECTED) == list(KINDS)


def test_the_clean_recording_is_answered_and_accuses_nobody(clean):
    assert clean.is_true
    assert clean.alarms == ()
    assert clean.heard.verdicts == ("ok",) * WINDOWS
    assert clean.errors_m(clean.heard) == pytest.approx(np.zeros(WINDOWS), abs=0.02)


@pytest.mark.parametrize("kind", ["dead", "nan", "inverted", "cut", "unknown", "moved", "relisted"])
def test_what_is_broken_is_found_and_named(clean, kind):
    done = tried(clean, kind)
    assert (done.is_found, done.is_named, done.alarms) == (True, True, ())
    assert np.median(done.after_m) < 0.02


@pytest.mark.parametrize("kind", ["gain", "dc"])
def test_what_is_mended_is_right_when_nobody_is_accused(clean, kind):
    done = tried(clean, kind)
    assert (done.is_named, done.alarms) == (True, ())
    assert done.after_m == pytest.approx(done.before_m, abs=1e-3)


def test_errors_are_those_of_the_broken_recording(clean):
    """Sources that were elsewhere by 30 cm: all errors say so, before and after."""
    aside = replace(clean, sources_m=clean.sources_m + np.array([0.0, 0.0, 0.3]))
    done = tried(aside, "dead", broken=4)
    assert len(set(done.microphones)) == 4
    assert done.before_m == pytest.approx(np.full(WINDOWS, 0.3), abs=0.02)
    assert done.after_m == pytest.approx(np.full(WINDOWS, 0.3), abs=0.02)
    assert not np.array_equal(done.before_m, done.after_m)


def test_the_nearest_of_several_sources_counts(clean):
    both = np.concatenate([clean.sources_m + 1.0, clean.sources_m], axis=1)
    assert np.array_equal(replace(clean, sources_m=both).errors_m(clean.heard), clean.errors_m(clean.heard))
    unseen = replace(clean, sources_m=np.full_like(both, np.nan))
    assert np.isnan(unseen.errors_m(clean.heard)).all()


@pytest.mark.parametrize(
    ("kind", "says", "found", "named", "alarms"),
    [
        ("late", {}, False, False, 0),
        ("late", {"accused": "it"}, True, True, 0),
        ("late", {"mentioned": "it"}, True, False, 0),
        ("late", {"accused": "another"}, False, False, 1),
        ("late", {"accused": "both"}, True, False, 1),
        ("nan", {"mentioned": "it"}, True, True, 0),
        ("nan", {"mentioned": "another"}, False, False, 0),
        ("gain", {}, False, True, 0),
        ("gain", {"accused": "it"}, True, False, 1),
    ],
)
def test_found_named_and_false_alarms(scene, clean, kind, says, found, named, alarms):
    guilty = tried(accusing(clean), kind).microphones[0]
    other = next(name for name in scene.microphones.names if name != guilty)
    who = {"it": (guilty,), "another": (other,), "both": (guilty, other)}
    done = tried(accusing(clean, **{how: who[word] for how, word in says.items()}), kind)
    assert (done.is_found, done.is_named, len(done.alarms)) == (found, named, alarms)


@pytest.mark.parametrize("kind", PAIRED)
def test_partners_are_broken_too(clean, kind):
    pair = tried(accusing(clean), kind).microphones
    assert len(set(pair)) == 2
    assert tried(accusing(clean, accused=pair), kind).is_named
    assert not tried(accusing(clean, accused=pair[:1]), kind).is_named


def test_microphones_without_a_position_are_no_false_alarm_and_do_not_break(scene):
    positions = scene.microphones.border_positions()
    positions[3] = np.nan
    clean = hear_clean(replace(scene, microphones=Microphones(positions=positions)), SrpPhat())
    assert clean.alarms == ()
    done = [tried(clean, "dead", number) for number in range(4)]
    assert all(one.is_named and not one.alarms and one.microphones != ("mic4",) for one in done)


def test_the_seed_decides_whatever_else_is_tried(clean):
    options = {"broken": 1, "tries": 2, "seed": 3}
    alone = list(attempts(clean, ChaosRequest(kinds=["late"], **options)))
    beside = [one for one in attempts(clean, ChaosRequest(kinds=["dead", "late"], **options)) if one.label == "late"]
    other = list(attempts(clean, ChaosRequest(kinds=["late"], tries=2, seed=4)))
    assert [one.microphones for one in alone] == [one.microphones for one in beside]
    assert all(np.array_equal(a.after_m, b.after_m) for a, b in zip(alone, beside, strict=True))
    assert [one.microphones for one in alone] != [one.microphones for one in other]


def test_several_broken_ones_are_mixed_too(scene):
    assert labels(["late", "dead", "late"], 1) == ("late", "dead")
    done = list(chaos(scene, SrpPhat(), kinds=["dead", "nan"], broken=2, tries=1))
    assert [one.label for one in done] == ["dead", "nan", MIX]
    assert sorted(done[2].kinds) == ["dead", "nan"]
    assert all(len(one.microphones) == 2 and one.is_named for one in done)


def test_plans_never_break_a_microphone_twice(scene, rng):
    for _ in range(20):
        faults = plan(scene, ["swapped", "late", "copied", "relisted"], rng)
        partners = [scene.microphones.names[int(f.amount) - 1] for f in faults if f.amount]
        touched = [*(fault.microphone for fault in faults), *partners]
        assert len(set(touched)) == len(touched) == 7


@pytest.mark.parametrize(
    ("kinds", "broken", "count"), [(["late"], 3, 3), (["swapped"], 1, 1), (["swapped"], 2, 1), (["swapped"], 3, 2)]
)
def test_kinds_break_as_many_microphones_as_wanted(rng, kinds, broken, count):
    assert draw_kinds(kinds, broken, rng) == kinds * count


def test_kinds_of_a_mix_differ_and_never_break_more_than_wanted(rng):
    for _ in range(50):
        kinds = draw_kinds(list(KINDS), 3, rng)
        assert len(set(kinds)) == len(kinds)
        assert sum(1 + (kind in PAIRED) for kind in kinds) == 3
    assert sorted(set(draw_kinds(["late", "moved"], 4, rng))) == ["late", "moved"]


def test_a_plan_needs_microphones(scene, rng):
    with pytest.raises(SceneError, match="break 10 microphones, and 9 are of known position"):
        plan(scene, ["swapped"] * 5, rng)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"broken": 5}, "wanted 1 to 4; where most are broken, nobody can say which"),
        ({"kinds": ["rusty"]}, "no fault is called 'rusty'; there are dead"),
    ],
)
def test_what_cannot_be_tried_is_refused(scene, options, message):
    with pytest.raises(SceneError, match=message):
        list(chaos(scene, SrpPhat(), tries=1, **options))


def test_a_recording_shorter_than_a_window_is_refused():
    with pytest.raises(SceneError, match="wanted at least a window"):
        hear_clean(contract_scene(8, seconds=0.4), SrpPhat())


def test_without_a_truth_errors_are_from_the_clean_answers(scene):
    clean = hear_clean(replace(scene, truth=None), SrpPhat())
    assert not clean.is_true
    assert not clean.errors_m(clean.heard).any()
    done = tried(clean, "dead")
    assert 0 < np.median(done.after_m) < 0.02
    assert "what srp-phat itself answers on the clean recording" in markdown(clean, [done])


def test_a_recording_that_is_refused_has_no_answer(scene):
    done = tried(hear_clean(scene, Feet()), "dead")
    assert (done.refused, done.unanswered, done.is_named) == ("were they given in feet?", 1.0, False)
    assert np.isnan(done.after_m).all()


def test_errors_are_of_windows_with_an_answer():
    assert typical(np.array([0.1, np.nan, 0.3])) == pytest.approx((0.2, 0.28))
    assert np.isnan(typical(np.array([np.nan]))).all()


def test_short_scene_of_a_bare_localizer(rng):
    """From Python, on any scene: a third party needs no file."""
    positions = contract_scene(8).microphones.positions
    scene = anechoic_scene(positions, SOURCE, rng, seconds=1.0)
    done = list(chaos(scene, SrpPhat(), kinds=["dead", "late"], tries=1))
    assert [one.label for one in done] == ["dead", "late"]
