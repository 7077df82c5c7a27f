"""What the network said of the pairs becomes evidence: polarity is turned first, other opinions are heard."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import soundfix
from helpers.networks import tiny, untrained, windows
from helpers.runs import POINTS, SPEED, run
from helpers.scenes import anechoic_scene
from soundfix.methods import plain_peaks, reranking
from soundfix.methods.frame import frame_of
from soundfix.methods.network_evidence import at_any_rate
from soundfix.methods.three_stream import ThreeStream
from soundfix.microphones import Microphones
from soundfix.resample import resampled
from soundfix.scene import Scene
from soundfix.search_region import SearchRegion
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import draw_world, world_named
from soundfix.testing import SOURCE, contract_scene


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


def test_one_sound_is_one_source_for_a_network_of_two_slots():
    estimate = ThreeStream(network=tiny(is_untrained=True, sources=2)).locate(contract_scene())
    assert len(estimate.sources) == 1


def test_further_sources_hear_an_inverted_microphone_turned_round(monkeypatch):
    scene, heard_by_slot = contract_scene(), []
    audio = scene.audio.copy()
    audio[2] *= -1
    find = reranking.find_modes
    monkeypatch.setattr(reranking, "cancel_sources", lambda evidence, *_: evidence)
    monkeypatch.setattr(
        reranking,
        "find_modes",
        lambda *given, **options: heard_by_slot.append(given[0]) or find(*given, **options),
    )
    network = tiny(is_untrained=True, sources=2)
    first = ThreeStream(network=network).locate(replace(scene, audio=audio)).sources[0]
    score = heard_by_slot[-1].score(first.position_m[None])[0]
    assert score == pytest.approx(first.score, abs=0.01)


@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
def test_any_sample_rate_gives_the_same_place(rate):
    import soxr

    scene = contract_scene()
    audio = soxr.resample(scene.audio.T, 16_000, rate).T
    estimate = ThreeStream(network=tiny(is_untrained=True)).locate(replace(scene, audio=audio, sample_rate=float(rate)))
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.03


def test_the_network_hears_the_same_at_another_rate():
    """A window that moved by 16 mm while it heard what a filter against aliases had left of 7.5 to 8 kHz."""
    world = replace(world_named("luvira-twin"), duration_s=0.5)
    scene = replace(draw_world(world, BuiltInSounds(), np.random.default_rng([9, 167])), room=None)
    higher = replace(scene, audio=resampled(scene.audio, scene.sample_rate, 48_000), sample_rate=48_000.0)
    method = soundfix.load("three-stream")
    one, other = (method.locate(each).sources[0].position_m for each in (scene, higher))
    assert np.linalg.norm(one - other) < 5e-4


@pytest.mark.parametrize(("rate", "low", "high"), [(16_000, 7400.0, 7800.0), (8000, 3700.0, 3900.0)])
def test_what_is_near_half_the_rate_is_left_out(rate, low, high):
    time = np.arange(4000) / rate
    tones = np.stack([np.sin(2 * np.pi * hz * time) for hz in (low, high)]).astype(np.float32)
    scene = Scene(microphones=Microphones(positions=np.eye(3)[:2]), audio=tones, sample_rate=float(rate))
    kept, gone = np.square(at_any_rate(tones, scene)).mean(axis=1)
    assert kept == pytest.approx(0.5, rel=0.02)
    assert gone < 0.01


def test_a_band_that_was_told_is_heard_as_it_is():
    scene = contract_scene()
    told = replace(scene, band_hz=(500.0, 8000.0))
    assert at_any_rate(scene.audio, told) is scene.audio


def test_a_tenth_of_a_second_is_enough():
    scene = contract_scene()
    estimate = ThreeStream(network=tiny(is_untrained=True)).locate(replace(scene, audio=scene.audio[:, :1600]))
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.03


def test_an_array_far_wider_than_remb_reaches_is_located_with(rng):
    source = np.array([20.0, 30, 3])
    scene = anechoic_scene(rng.uniform(0, 60, (8, 3)) * [1, 1, 0.1], source, rng, seconds=1.0)
    estimate = ThreeStream(network=tiny(is_untrained=True)).locate(scene)
    assert np.linalg.norm(estimate.sources[0].position_m - source) < 0.05


def test_the_order_within_a_pair_does_not_matter():
    network, given, pairs = tiny(frame="array"), windows(), torch.tensor([[0, 1], [0, 2], [3, 5], [1, 4]])
    turned = torch.tensor([[1, 0], [0, 2], [5, 3], [1, 4]])
    plain, other = run(network, given, pairs=pairs), run(network, given, pairs=turned)
    assert torch.allclose(other.sources_m, plain.sources_m, atol=1e-4)
    assert torch.allclose(other.likelihoods.gates, plain.likelihoods.gates, atol=1e-4)
    assert torch.allclose(
        other.likelihoods.at(POINTS, given.positions_m, SPEED),
        plain.likelihoods.at(POINTS, given.positions_m, SPEED),
        atol=1e-3,
    )


def test_a_constant_in_the_learned_curves_is_no_evidence():
    network, scene = tiny(is_untrained=True), contract_scene()
    with torch.no_grad():
        network.head.lag.last.bias.fill_(3.0)
    noise = np.random.default_rng(0).standard_normal(scene.audio.shape).astype(np.float32)
    assert ThreeStream(network=network).locate(replace(scene, audio=noise)).verdict == "abstain"


def test_noise_alone_is_not_located():
    scene = contract_scene()
    noise = np.random.default_rng(0).standard_normal(scene.audio.shape).astype(np.float32)
    estimate = ThreeStream(network=tiny(is_untrained=True)).locate(replace(scene, audio=noise))
    assert estimate.reasons == ("no_signal",)


def test_coordinates_begin_where_they_did_in_training_whatever_is_searched():
    """In the middle of the room, or of the box round the microphones."""
    scene = contract_scene()
    searched = replace(scene, search=SearchRegion.of(((0, 0, 1), (1, 1, 1))))
    assert np.array_equal(frame_of(searched).origin_m, scene.search_box().mean(axis=0))
    unroomed = replace(searched, room=None)
    assert np.array_equal(frame_of(unroomed).origin_m, replace(unroomed, search=None).search_box().mean(axis=0))


@pytest.mark.parametrize(("reversed_ones", "searches"), [([], 1), ([2], 2)])
def test_plain_curves_are_searched_once_whoever_asks(monkeypatch, reversed_ones, searches):
    """As they are, and where somebody is reversed once more, turned; not again for the reranker."""
    asked, scene = [], contract_scene(8)
    find_modes = plain_peaks.find_modes
    monkeypatch.setattr(
        plain_peaks, "find_modes", lambda *words, **more: asked.append(words) or find_modes(*words, **more)
    )
    audio = scene.audio.copy()
    audio[reversed_ones] *= -1
    soundfix.load("three-stream").locate(replace(scene, audio=audio))
    assert len(asked) == searches
