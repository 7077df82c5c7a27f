"""Noise alone: no source, no place, as loud as what it stands for."""

import numpy as np
import pytest

from helpers.clips import Clips
from soundfix.datasets.noise import noise_alone


def drawn(count=40):
    scene = Clips()[0]
    return scene, [noise_alone(scene, np.random.default_rng(seed)) for seed in range(count)]


def test_nothing_sounds_in_it():
    scene, made = drawn(3)
    for noise in made:
        assert noise.truth.sources.shape == (0, 3)
        assert noise.audio.shape == scene.audio.shape
        assert np.isfinite(noise.audio).all()


def test_as_loud_as_the_scene():
    scene, made = drawn(20)
    for noise in made:
        ratio = np.square(noise.audio).mean() / np.square(scene.audio).mean()
        assert 10 * np.log10(ratio) == pytest.approx(0.0, abs=2.0)


def test_colours_and_kinds_differ():
    _, made = drawn()
    share_low, correlation = [], []
    for noise in made:
        power = np.square(np.abs(np.fft.rfft(noise.audio))).sum(axis=0)
        share_low.append(power[: len(power) // 16].sum() / power.sum())
        correlation.append(np.abs(np.corrcoef(noise.audio)[np.triu_indices(len(noise.audio), 1)]).max())
    assert min(share_low) < 0.2
    assert max(share_low) > 0.8
    assert min(correlation) < 0.2


def test_the_same_for_the_same_state():
    scene, made = drawn(2)
    assert np.array_equal(noise_alone(scene, np.random.default_rng(1)).audio, made[1].audio)
