"""The same problem at another scale has the same answer, and the network is shown the same."""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.bands import at_scale
from helpers.scenes import anechoic_scene
from soundfix.localization.modes import Mode
from soundfix.localization.preparation import prepare
from soundfix.methods.frame import frame_of, is_beyond_training, width_m
from soundfix.methods.network_boxes import NetworkBoxes
from soundfix.methods.network_evidence import metres
from soundfix.methods.reranking import probabilities
from soundfix.methods.tensors import to_windows
from soundfix.microphones import Microphones
from soundfix.testing import SOURCE, contract_scene

TIMES = 12


@pytest.fixture(scope="module")
def scenes():
    """One scene, a twelfth of it, and it at its own scale with the band named."""
    scene = contract_scene(8)
    return scene, at_scale(scene, TIMES), at_scale(scene, 1)


def test_without_a_band_lengths_are_as_they_are():
    scene = contract_scene(8)
    frame = frame_of(scene)
    assert (frame.rate_hz, frame.metre, frame.lowest_hz, frame.speed_m_s) == (16_000.0, 1.0, 0.0, scene.speed)
    assert np.array_equal(frame.origin_m, scene.search_box().mean(axis=0))


def test_the_network_is_shown_the_same(scenes):
    _, small, usual = scenes
    shown = [
        to_windows(np.array(each.audio), each, prepare(each).pairs, frame=frame_of(each)) for each in (small, usual)
    ]
    assert np.array_equal(shown[0].audio, shown[1].audio)
    assert np.allclose(shown[0].positions_m, shown[1].positions_m, atol=1e-5)
    assert frame_of(small).speed_m_s == usual.speed
    assert frame_of(small).lowest_hz == pytest.approx(100.0)


def test_there_and_back(scenes, rng):
    frame, points = frame_of(scenes[1]), rng.standard_normal((5, 3))
    assert np.allclose(frame.outside(frame.inside(points)), points)
    assert np.allclose(np.diff(frame.inside(points), axis=0), TIMES * np.diff(points, axis=0))


def test_evidence_is_the_same_at_distances_that_are_smaller(scenes):
    _, small, usual = scenes
    boxes = NetworkBoxes(network=soundfix.load().network)
    less, more = (boxes.hear(prepare(each)) for each in (small, usual))
    for one, other in ((less.evidence, more.evidence), (less.plain, more.plain)):
        beyond = (one.values.shape[1] - other.values.shape[1]) // 2  # late microphones are as late in a small world
        assert np.abs(one.values[:, beyond:-beyond] - other.values).max() < 0.07 * other.values.max()
    assert less.evidence.step_m * TIMES == pytest.approx(more.evidence.step_m)
    assert less.plain.step_m == less.evidence.step_m
    assert less.evidence.grain * TIMES == pytest.approx(more.evidence.grain)
    assert np.allclose(
        metres(less.answers.sources_m, less.frame) * TIMES, metres(more.answers.sources_m, more.frame), atol=0.3
    )


@pytest.mark.parametrize("method", ["three-stream", "srp-phat", "multilateration", "multilat"])
def test_answers_are_the_same(scenes, method):
    """To a millimetre of the large world."""
    localizer = soundfix.load(method)
    estimate = localizer.locate(scenes[1])
    assert estimate.sources, estimate.reasons
    assert np.linalg.norm(estimate.sources[0].position_m * TIMES - SOURCE) < 0.03


def test_a_low_band_is_a_small_world_too(scenes):
    """Lengths of the answer are sixteen times as large too: who agrees, and how well the place is known."""
    large = at_scale(scenes[0], 1 / 16)
    estimate, usual = (soundfix.load().locate(each) for each in (large, scenes[0]))
    assert (large.sample_rate, estimate.verdict) == (1000.0, "ok")
    assert np.linalg.norm(estimate.sources[0].position_m / 16 - SOURCE) < 0.03
    assert estimate.sources[0].radius90_m / 16 == pytest.approx(usual.sources[0].radius90_m, rel=0.3)
    assert all(report.status == "ok" for report in estimate.microphones)


def test_water_is_air_with_shorter_ways(rng):
    """Delays alone are heard: the same of an array 4.4 times as large at 1500 m/s."""
    scene = contract_scene(8)
    wet, ratio = replace(scene, speed_of_sound_m_s=1500.0), 1500.0 / 343.2
    assert frame_of(wet).metre == pytest.approx(1 / ratio)
    assert frame_of(wet).speed_m_s == 343.2
    low, high = (tuple(np.array(corner) * ratio) for corner in scene.room)
    large = replace(wet, microphones=Microphones(positions=scene.microphones.positions * ratio), room=(low, high))
    network = soundfix.load().network
    dry, wide = (NetworkBoxes(network=network).hear(prepare(each)) for each in (scene, large))
    for heard in (dry, wide):
        places = [SOURCE, SOURCE + 0.5, SOURCE - 0.4]
        scaled = np.array(places) * heard.scene.speed / 343.0
        modes = [Mode(position=place, score=0.0) for place in scaled]
        odds = probabilities(heard, modes, heard.evidence, box=heard.scene.search_box())
        assert odds.argmax() == 0
        assert odds[0] > 0.9
    estimate = soundfix.load().locate(large)
    assert np.linalg.norm(estimate.sources[0].position_m / ratio * 343.2 / 343.0 - SOURCE) < 0.05
    assert frame_of(replace(scene, speed_of_sound_m_s=331.0)).metre == 1.0


def test_a_wide_array_is_told_and_located_by_its_curves(rng):
    positions = rng.uniform(0, 60, (8, 3)) * [1, 1, 0.1]
    scene = anechoic_scene(positions, np.array([20.0, 30, 3]), rng, seconds=1.0)
    network = soundfix.load().network
    heard = NetworkBoxes(network=network).hear(prepare(scene))
    assert heard.is_beyond_training
    assert (heard.reranker, network.reranker is not None) == (None, True)
    estimate = soundfix.load().locate(scene)
    assert "beyond_training" in [finding.code for finding in estimate.findings]
    assert f"{width_m(scene, heard.frame):.3g} m wide" in " ".join(estimate.notes)
    assert estimate.regions.held_out == 0
    assert "position decoder" not in " ".join(estimate.notes)
    assert np.linalg.norm(estimate.sources[0].position_m - [20, 30, 3]) < 0.1


def test_width_counts_at_the_network_s_scale(scenes):
    scene, small, _ = scenes
    assert width_m(small, frame_of(small)) == pytest.approx(width_m(scene, frame_of(scene)))
    tall = replace(scene, band_hz=(500.0, 7900.0))
    assert not is_beyond_training(scene, frame_of(scene))
    fast = replace(tall, sample_rate=96_000.0, band_hz=(2000.0, 47_400.0))
    assert is_beyond_training(fast, frame_of(fast))
