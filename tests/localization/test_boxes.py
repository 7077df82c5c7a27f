"""The boxes that a method fills: SRP-PHAT's, one by one, and what leaving out and following are for."""

import numpy as np
import pytest

import soundfix
from soundfix.localization.boxes import Boxes, CorrelationBoxes, Heard
from soundfix.localization.correlate import Correlator
from soundfix.localization.modes import find_modes
from soundfix.localization.pipeline import estimate_window
from soundfix.localization.preparation import prepare
from soundfix.methods.network_boxes import NetworkBoxes
from soundfix.simulation.faults import break_scene, parse_fault
from soundfix.testing import SOURCE, contract_scene


def test_who_fills_the_boxes_is_seen_to():
    network = soundfix.load("three-stream").network
    assert isinstance(CorrelationBoxes(), Boxes)
    assert isinstance(NetworkBoxes(network=network), Boxes)
    assert not isinstance(soundfix.load("srp-phat"), Boxes)


def test_a_classical_method_hears_a_correlation_and_finds_its_peaks():
    prepared, boxes = prepare(contract_scene()), CorrelationBoxes()
    heard, box = boxes.hear(prepared), prepared.scene.search_box()
    assert isinstance(heard, Heard)
    assert np.array_equal(heard.evidence.values, Correlator()(prepared.audio, prepared.scene, prepared.pairs).values)
    found, same = boxes.find(heard, heard.evidence, box), find_modes(heard.evidence, box)
    assert [mode.score for mode in found] == [mode.score for mode in same]
    assert np.linalg.norm(found[0].position - SOURCE) < 0.05


def test_another_finder_is_asked_in_the_same_boxes():
    prepared, asked = prepare(contract_scene()), []
    boxes = CorrelationBoxes(finder=lambda evidence, box: asked.append(box) or [])
    assert boxes.find(boxes.hear(prepared), boxes.hear(prepared).evidence, prepared.scene.search_box()) == []
    assert len(asked) == 1


def test_who_leaves_nobody_out_accuses_nobody():
    scene = break_scene(contract_scene(), [parse_fault("late:mic3:0.008")], np.random.default_rng(0))
    usual, patient = (
        estimate_window(scene, CorrelationBoxes(leaves_out=leaves_out), method="srp").estimate
        for leaves_out in (True, False)
    )
    assert usual.microphones[2].weight == 0
    assert all(report.weight > 0 for report in patient.microphones)


@pytest.mark.parametrize(("follows", "calls"), [(True, 1), (False, 0)])
def test_who_does_not_follow_is_not_asked_to(monkeypatch, follows, calls):
    followed = []
    monkeypatch.setattr(
        "soundfix.localization.pipeline.followed", lambda window, sources: (followed.append(window) or sources, ())
    )
    estimate_window(contract_scene(), CorrelationBoxes(follows=follows), method="srp")
    assert len(followed) == calls


def test_the_answer_comes_with_what_was_heard_or_none_where_nothing_was():
    answer = estimate_window(contract_scene(), CorrelationBoxes(), method="srp")
    assert isinstance(answer.heard, Heard)
    few = estimate_window(contract_scene().where(np.arange(8) < 3), CorrelationBoxes(), method="srp")
    assert few.heard is None
    assert few.estimate.verdict == "abstain"
