import numpy as np
import pytest

from soundfix.health import examine
from soundfix.scene import Microphones, Scene

POSITIONS = np.array([[0.0, 0, 0], [4, 0, 0], [0, 3, 0], [0, 0, 2], [4, 3, 2]])


@pytest.fixture
def sound(rng):
    return 0.1 * rng.standard_normal((5, 8000)).astype(np.float32)


def health(audio):
    return examine(Scene(audio=audio, sample_rate=16_000.0, microphones=Microphones(positions=POSITIONS)))


def codes(result):
    return [finding.code for finding in result.findings]


def test_sound_channels_are_ok(sound):
    result = health(sound)
    assert set(result.status) == {"ok"}
    assert (result.weight == 1).all()
    assert codes(result) == []
    assert np.allclose(result.audio.std(axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("make", [np.zeros, lambda n: np.full(n, 0.3), lambda n: np.arange(n) % 2 / 32768.0])
def test_zeros_a_constant_and_a_flickering_last_bit_are_dead(sound, make):
    sound[2] = make(8000)
    result = health(sound)
    assert result.status[2] == "dead"
    assert result.weight[2] == 0
    assert codes(result) == ["dead:mic3"]


def test_one_nan_does_not_cost_the_microphone_and_never_spreads(sound):
    sound[1, 77], sound[1, 78] = np.nan, np.inf
    result = health(sound)
    assert result.status[1] == "ok"
    assert result.weight[1] > 0.99
    assert np.isfinite(result.audio).all()
    assert codes(result) == ["nan:mic2"]


def test_mostly_nan_is_dead(sound):
    sound[1, :5000] = np.nan
    assert health(sound).status[1] == "dead"


def test_a_cable_pulled_early_is_dead_and_one_pulled_late_counts_for_less(sound):
    sound[0, 3000:], sound[1, 6000:] = 0, 0
    result = health(sound)
    assert result.status[0] == "dead"
    assert result.weight[1] == pytest.approx(0.75, abs=0.01)
    assert codes(result) == ["dead:mic1", "dropout:mic2"]


def test_an_offset_is_removed_and_told(sound):
    clean = health(sound).audio[3]
    sound[3] += 0.5
    result = health(sound)
    assert codes(result) == ["dc:mic4"]
    assert np.allclose(result.audio[3], clean, atol=1e-3)


def test_clipping_is_told_and_weighs_less_and_ruin_is_left_out(sound):
    slow = np.cumsum(np.cumsum(sound[4]))
    slow = slow - slow.mean()
    sound[4] = np.clip(slow, *np.quantile(slow, [0.1, 0.9]))
    result = health(sound)
    assert result.status[4] == "clipped"
    assert result.weight[4] == pytest.approx(0.8, abs=0.02)
    sound[4] = np.clip(slow, *np.quantile(slow, [0.3, 0.7]))
    assert health(sound).weight[4] == 0


def test_gain_does_not_matter(sound):
    quiet = health(sound).audio[2].copy()
    sound[2] *= 1e-3
    result = health(sound)
    assert result.status[2] == "ok"
    assert np.allclose(result.audio[2], quiet, atol=1e-3)


def test_the_same_channel_twice(sound):
    sound[3] = sound[1]
    result = health(sound)
    assert result.status == ("ok", "ok", "ok", "duplicate", "ok")
    assert "duplicate:mic4" in codes(result)


def test_enormous_samples_stay_finite(sound):
    sound[0] *= np.float32(1e30)
    assert np.isfinite(health(sound).audio).all()
