"""The order of the boxes: what one gives the next one has."""

from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from helpers.bands import HIGH_HZ, caged, shared_sound
from soundfix.localization import pipeline
from soundfix.localization.boxes import CorrelationBoxes
from soundfix.localization.modes import find_modes
from soundfix.localization.pipeline import estimate_window
from soundfix.localization.preparation import prepare
from soundfix.simulation.faults import break_scene, parse_fault
from soundfix.testing import contract_scene


def broken(text):
    return break_scene(contract_scene(), [parse_fault(text)], np.random.default_rng(0))


def sought(scene):
    """The evidence that places are sought in, round by round."""
    rounds = []
    boxes = CorrelationBoxes(finder=lambda evidence, box: rounds.append(evidence) or find_modes(evidence, box))
    return rounds, estimate_window(scene, boxes, method="srp")


def test_pairs_count_as_much_as_both_signals_are_usable():
    scene = broken("clipped:mic3:0.05")
    prepared = prepare(scene)
    assert 0 < prepared.health.weight[2] < 1
    rounds, answer = sought(scene)
    is_its_own = (rounds[0].pairs == 2).any(axis=1)
    plain = answer.heard.evidence.values
    assert np.array_equal(rounds[0].values[~is_its_own], plain[~is_its_own])
    assert rounds[0].values[is_its_own] == pytest.approx(plain[is_its_own] * prepared.health.weight[2], abs=1e-6)


def test_who_is_drowned_is_sought_without_and_said():
    rounds, answer = sought(broken("noisy:mic3:20"))
    assert (rounds[0].pairs == 2).any()
    assert not (rounds[-1].pairs == 2).any()
    assert answer.estimate.microphones[2].status == "noisy"
    assert answer.estimate.microphones[2].pull_m is None  # its noise says nothing of where it stands


def test_findings_stand_in_the_order_of_the_boxes(monkeypatch):
    monkeypatch.setattr("soundfix.localization.pairs.MOST_PAIRS", 20)
    scene = broken("dead:mic3")
    audio = scene.audio.copy()
    audio[5] *= -1
    reasons = estimate_window(replace(scene, audio=audio), CorrelationBoxes(), method="srp").estimate.reasons
    assert reasons == ("dead:mic3", "inverted:mic6", "pairs_subsampled")


@pytest.mark.parametrize(("band_hz", "times"), [((6000.0, 7900.0), 1), (HIGH_HZ, 0)])
def test_nobody_is_followed_where_a_wave_is_shorter_than_positions_are_exact(rng, monkeypatch, band_hz, times):
    asked, follow = [], pipeline.follow
    monkeypatch.setattr(pipeline, "follow", lambda *given: asked.append(given) or follow(*given))
    scene = caged(shared_sound(rng, band_hz), band_hz=band_hz)
    boxes = CorrelationBoxes(follows=True)
    assert estimate_window(scene, boxes, method="srp").estimate.sources
    assert len(asked) == times


def test_windows_are_located_in_one_thread_of_blas_and_others_are_left_as_they_were():
    """Matrices this small take longer in several."""
    seen = []

    class Boxes(CorrelationBoxes):
        def hear(self, prepared):
            seen.append(blas_threads())
            return super().hear(prepared)

    with threadpool_limits(limits=2, user_api="blas"):
        estimate_window(contract_scene(6), Boxes(), method="x")
        assert blas_threads() == {2}
    assert seen == [{1}]


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
