"""Presets: what is drawn lies where it was said to lie, at the rate and length asked for."""

import numpy as np
import pytest

from soundfix.presets import PRESETS, built_in_sound, draw_scene, folder_sound


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("rate", [16_000.0, 48_000.0])
def test_length_and_rate_are_those_asked_for(preset, rate, rng):
    scene = draw_scene(preset, duration_s=0.25, rng=rng, sample_rate=rate)
    assert scene.sample_rate == rate
    assert scene.audio.shape[1] == round(0.25 * rate)


@pytest.mark.parametrize("seed", range(6))
def test_the_window_begins_in_the_middle_of_the_sound(seed):
    """The lead-in: the first 100 ms are as loud as the rest, within what speech does."""
    scene = draw_scene("luvira", duration_s=1.0, rng=np.random.default_rng(seed))
    power = np.square(scene.audio).mean(axis=0)
    assert power[:1600].mean() > 0.01 * power.mean()


@pytest.mark.parametrize("preset", PRESETS)
def test_no_two_microphones_on_a_spot(preset):
    for seed in range(5):
        positions = draw_scene(preset, duration_s=0.1, rng=np.random.default_rng(seed)).microphones.positions
        gaps = np.linalg.norm(positions[:, None] - positions[None], axis=-1) + 9 * np.eye(len(positions))
        assert gaps.min() > 0.02


def test_the_measured_reverberation_is_about_one_of_the_studio_s():
    """T60 is drawn from 0.2, 0.4, 0.6, 0.8 s; what comes out is within 25 % of one of them."""
    for seed in range(4):
        scene = draw_scene("luvira", duration_s=0.1, rng=np.random.default_rng(seed))
        assert np.abs(scene.truth.rt60_s / np.array([0.2, 0.4, 0.6, 0.8]) - 1).min() < 0.25


def test_built_in_sounds_are_voices_and_melodies():
    """One in four is a melody: over 40 seeds both kinds occur, and every one is loud."""
    sounds = [built_in_sound(0.5, 16_000.0, np.random.default_rng(seed)) for seed in range(40)]
    assert all(np.abs(sound).max() == pytest.approx(0.5) for sound in sounds)
    is_melody = [np.random.default_rng(seed).random() < 0.25 for seed in range(40)]
    assert 4 < sum(is_melody) < 18


def test_a_folder_gives_other_stretches_for_other_seeds(tmp_path, rng):
    import soundfile

    soundfile.write(tmp_path / "noise.wav", 0.1 * rng.standard_normal(48_000), 16_000)
    draw = folder_sound(tmp_path)
    one, same, other = (draw(0.5, 16_000.0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
