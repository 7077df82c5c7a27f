"""None"""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.scenes import anechoic_scene
from helpers.srp_phat import ROOM, eight, place
from soundfix.estimate import Localizer
from soundfix.localization.correlate import Correlator
from soundfix.methods.srp_phat import CoherenceWeighted, SrpPhat
from soundfix.microphones import Microphones
from soundfix.physics import pair_indices
from soundfix.testing import contract_scene


@pytest.fixture
def positions():
    return eight()


def error(scene, source):
    estimate = soundfix.load("srp-phat").locate(scene)
    return float(np.linalg.norm(estimate.sources[0].position_m - source))


@pytest.mark.parametrize("seed", range(10))
def test_a_planted_source_is_found_within_a_centimetre(positions, seed):
    rng = np.random.default_rng(seed)
    source = rng.uniform([0.5] * 3, [5.5, 4.5, 2.5])
    assert error(anechoic_scene(positions, source, rng, room=ROOM), source) < 0.01


def test_it_is_a_localizer():
    assert isinstance(SrpPhat(), Localizer)


def test_a_later_stretch_of_the_same_sound_gives_the_same_place(positions, rng):
    source = np.array([2.0, 3.0, 1.0])
    scene = anechoic_scene(positions, source, rng, seconds=1.0, room=ROOM)
    for start in (0, 3000, 8000):
        assert error(replace(scene, audio=scene.audio[:, start : start + 8000]), source) < 0.01


def test_a_turned_room_turns_the_answer(positions, rng):
    """A quarter turn about z, so that the room stays a box along the axes."""
    source, turn = np.array([2.0, 3.0, 1.0]), np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    scene = anechoic_scene(positions, source, rng, room=ROOM)
    turned = replace(
        scene, microphones=Microphones(positions=positions @ turn.T), room=((-5.0, 0.0, 0.0), (0.0, 6.0, 3.0))
    )
    first, second = (soundfix.load("srp-phat").locate(s).sources[0].position_m for s in (scene, turned))
    assert np.allclose(turn @ first, second, atol=2e-3)


def test_another_speed_of_sound_moves_the_answer(positions, rng):
    source = np.array([5.5, 4.5, 2.5])
    scene = anechoic_scene(positions, source, rng, room=ROOM)
    assert error(replace(scene, speed_of_sound_m_s=353.0), source) > 3 * error(scene, source)


@pytest.mark.parametrize("name", ["srp-phat", "multilateration", "multilat"])
def test_everything_that_changes_nothing_changes_nothing(positions, rng, name):
    """Another order, other gains, another place on earth: the same answer within a millimetre."""
    scene = anechoic_scene(positions, np.array([2.0, 3.0, 1.0]), rng, room=ROOM)
    first, order, shift = place(scene, name), rng.permutation(8), np.array([20.0, -7.0, 3.0])
    permuted = replace(scene, audio=scene.audio[order], microphones=Microphones(positions=positions[order]))
    louder = replace(scene, audio=scene.audio * rng.uniform(1e-3, 1e3, (8, 1)).astype(np.float32))
    corners = tuple(tuple((np.array(corner) + shift).tolist()) for corner in ROOM)
    moved = replace(scene, microphones=Microphones(positions=positions + shift), room=corners)
    assert np.allclose(place(permuted, name), first, atol=1e-3)
    assert np.allclose(place(louder, name), first, atol=1e-3)
    assert np.allclose(place(moved, name) - shift, first, atol=1e-3)


def test_inverting_every_channel_changes_nothing(positions, rng):
    scene = anechoic_scene(positions, np.array([2.0, 3.0, 1.0]), rng, room=ROOM)
    assert np.allclose(place(replace(scene, audio=-scene.audio)), place(scene), atol=1e-6)


@pytest.mark.parametrize("count", [5, 6, 11, 20])
def test_any_number_of_microphones_will_do(rng, count):
    positions, source = rng.uniform([0.1] * 3, [5.9, 4.9, 2.9], (count, 3)), np.array([2.0, 3.0, 1.0])
    estimate = soundfix.load("srp-phat").locate(anechoic_scene(positions, source, rng, room=ROOM))
    assert estimate.verdict == "ok"
    assert np.linalg.norm(estimate.sources[0].position_m - source) < 0.02


def test_noise_lowers_the_score_long_before_it_moves_the_place(positions, rng):
    source = np.array([2.0, 3.0, 1.0])
    clear, noisy = (
        soundfix.load("srp-phat").locate(anechoic_scene(positions, source, rng, snr_db=snr, room=ROOM)).sources[0]
        for snr in (40.0, -3.0)
    )
    assert clear.score > 0.9
    assert noisy.score < 0.5 * clear.score
    assert np.linalg.norm(noisy.position_m - source) < min(0.01, noisy.radius90_m)


def test_pairs_weighted_by_coherence():
    """alpha = 0 is plain SRP-PHAT; else pairs of a microphone that hears noise alone count less."""
    scene = contract_scene(6, seed=3)
    audio = scene.audio.copy()
    audio[2] = 0.05 * np.random.default_rng(0).standard_normal(audio.shape[1])
    noisy = replace(scene, audio=audio)
    pairs = pair_indices(6)
    plain = Correlator()(noisy.audio.copy(), noisy, pairs)
    assert CoherenceWeighted(alpha=0.0)(noisy.audio.copy(), noisy, pairs).values == pytest.approx(plain.values)
    ratio = CoherenceWeighted()(noisy.audio.copy(), noisy, pairs).values[:, 0] / plain.values[:, 0]
    has_noise = (pairs == 2).any(axis=1)
    assert ratio.mean() == pytest.approx(1.0)
    assert ratio[has_noise].max() < 0.3 * ratio[~has_noise].min()


def test_silence_has_no_coherence():
    scene = contract_scene(6)
    evidence = CoherenceWeighted()(np.zeros_like(scene.audio), scene, pair_indices(6))
    assert np.isfinite(evidence.values).all()
