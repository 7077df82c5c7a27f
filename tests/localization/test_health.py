from dataclasses import replace

import numpy as np
import pytest

from soundfix.localization.health import _standstill, examine, is_tone
from soundfix.microphones import Microphones
from soundfix.scene import Scene
from soundfix.testing import contract_scene

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
    assert (result.weight[2], result.level[2]) == (0, 0)
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


@pytest.mark.parametrize("share", [0.02, 0.1, 0.4])
def test_clipping_is_seen_in_any_sound(sound, share):
    """Of white noise hardly two clipped samples stand in a row."""
    sound[4] = np.clip(sound[4], *np.quantile(sound[4], [share / 2, 1 - share / 2]))
    result = health(sound)
    assert result.status[4] == "clipped"
    assert result.weight[4] == pytest.approx(1 - share, abs=0.01)


@pytest.mark.parametrize(("beyond", "is_clipped"), [(1.8, True), (2.2, False)])
def test_a_value_far_beyond_the_sound_is_no_rail(sound, beyond, is_clipped):
    """By more than two of the usual steps from sample to sample: a cable that was touched."""
    steps = float(np.median(np.abs(np.diff(sound[4]))))
    top = sound[4].max() + beyond * steps
    sound[4, 100:600] = top
    assert (health(sound).status[4] == "clipped") == is_clipped


def test_a_coarse_converter_is_no_clipping(sound):
    """Few levels, the highest of them seldom."""
    sound[4] = np.round(20 * sound[4]) / 32768
    assert health(sound).status[4] == "ok"


def test_a_channel_beyond_full_scale_is_measured_by_itself(sound):
    """A gain of 1000 makes no offset of what was none."""
    sound[3] += 0.01
    assert codes(health(1000 * sound)) == []


def test_hum_is_told_and_the_sound_is_that_without_it(sound):
    clean = health(sound)
    sound[1] += 2 * np.sin(2 * np.pi * 50.04 * np.arange(8000) / 16_000).astype(np.float32)
    result = health(sound)
    assert codes(result) == ["hum:mic2"]
    assert (result.status[1], result.weight[1]) == ("ok", 1.0)
    assert result.level[1] == pytest.approx(clean.level[1], rel=0.05)
    assert np.mean(np.square(result.audio[1] - clean.audio[1])) < 0.1


def test_gain_does_not_matter(sound):
    quiet = health(sound).audio[2].copy()
    sound[2] *= 1e-3
    result = health(sound)
    assert result.status[2] == "ok"
    assert np.allclose(result.audio[2], quiet, atol=1e-3)


def test_the_same_channel_twice(sound):
    sound[3] = sound[1]
    result = health(sound)
    assert result.status == ("ok", "duplicate", "ok", "duplicate", "ok")  # nobody knows whose it is
    assert {"duplicate:mic2", "duplicate:mic4"} <= set(codes(result))
    assert result.is_heard.tolist() == [True, True, True, False, True]  # it is heard once


def test_enormous_samples_stay_finite(sound):
    sound[0] *= np.float32(1e30)
    assert np.isfinite(health(sound).audio).all()


@pytest.fixture
def scene_with(sound):
    """Samples -> a scene of five microphones that hear them."""

    def make(m, change):
        changed = sound.copy()
        changed[m] = change(changed[m].copy())
        return changed

    return make


def put(where, value):
    def change(samples):
        samples[where] = value
        return samples

    return change


def test_scattered_nan_cost_their_share(scene_with):
    result = health(scene_with(1, put(slice(None, None, 4), np.nan)))
    assert result.status[1] == "ok"
    assert result.weight[1] == pytest.approx(0.75, abs=0.01)


def test_a_stretch_of_nan_costs_its_share_once(scene_with):
    """31 % lost is not "mostly": it must not count as NaN and again as a standstill."""
    result = health(scene_with(1, put(slice(2500), np.nan)))
    assert result.status[1] == "ok"
    assert result.weight[1] == pytest.approx(1 - 2500 / 8000, abs=0.01)


def test_nan_in_a_channel_with_an_offset_is_no_clipping(scene_with):
    result = health(scene_with(1, lambda samples: put(slice(100, 200), np.nan)(samples + 10)))
    assert codes(result) == ["nan:mic2", "dc:mic2"]
    assert result.status[1] == "ok"


def test_a_pulled_cable_in_a_channel_with_an_offset_is_no_clipping(scene_with):
    result = health(scene_with(1, lambda samples: put(slice(6000, None), 0)(samples + 0.8)))
    assert codes(result) == ["dropout:mic2", "dc:mic2"]


def test_a_standstill_is_silent_in_the_mended_audio(scene_with):
    result = health(scene_with(1, lambda samples: put(slice(6000, None), 0)(samples + 0.8)))
    assert np.abs(result.audio[1, 6400:]).max() < 0.1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_samples_are_silent_in_the_mended_audio(scene_with, bad):
    result = health(scene_with(1, lambda samples: put(slice(500, 510), bad)(samples + 10)))
    assert (result.audio[1, 500:510] == 0).all()
    assert result.audio[1].std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("factor", [1e3, 1e-3, 1e-20, 1e30])
def test_no_gain_changes_status_weight_or_sound(sound, scene_with, factor):
    result = health(scene_with(3, lambda samples: (samples * factor).astype(np.float32)))
    assert result.status[3] == "ok"
    assert result.weight[3] == 1
    assert np.allclose(result.audio[3], health(sound).audio[3], atol=1e-3)


def test_a_short_pause_is_no_dropout(scene_with):
    assert codes(health(scene_with(1, put(slice(1000, 1300), 0)))) == []


def test_all_channels_silent_leaves_nobody(sound):
    result = health(np.zeros_like(sound))
    assert not result.is_heard.any()
    assert np.isfinite(result.audio).all()


def test_two_dead_channels_are_dead_rather_than_duplicates(sound):
    sound[1], sound[3] = 0, 0
    assert health(sound).status == ("ok", "dead", "ok", "dead", "ok")


def test_the_same_channel_three_times_leaves_one(sound):
    sound[2], sound[4] = sound[0], sound[0]
    result = health(sound)
    assert result.status == ("duplicate", "ok", "duplicate", "ok", "duplicate")
    assert result.is_heard.tolist() == [True, True, False, True, False]


def test_the_same_channel_at_another_gain_is_a_duplicate_too(sound):
    sound[3] = 2 * sound[1]
    assert health(sound).status[3] == "duplicate"


def test_level_is_the_root_mean_square_without_the_offset(sound):
    sound[2] = 3 * sound[2] + 0.4
    assert health(sound).level[2] == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize(("frequency_hz", "is_narrow"), [(440.0, True), (3000.3, True), (None, False)])
def test_a_tone_is_told_from_a_noise(sound, frequency_hz, is_narrow):
    if frequency_hz:
        sound[:] = np.sin(2 * np.pi * frequency_hz * np.arange(8000) / 16_000 + np.arange(5)[:, None])
    assert is_tone(health(sound)) == is_narrow


def test_what_is_outside_the_band_is_cut_once_the_signal_was_judged(sound):
    """A channel at the rail is at it whatever is listened to; levels are those of the band."""
    time_s = np.arange(8000) / 16_000
    hum = np.float32(0.5) * np.sin(2 * np.pi * 150 * time_s, dtype=np.float32)
    audio = np.clip(sound + hum, -0.6, 0.6)
    whole = Scene(audio=audio, sample_rate=16_000.0, microphones=Microphones(positions=POSITIONS))
    cut = examine(replace(whole, band_hz=(1000.0, 7000.0)))
    assert set(cut.status) == {"clipped"}
    assert np.allclose(cut.audio.std(axis=1), 1, atol=1e-3)
    assert np.all(cut.level < examine(whole).level / 2)
    spectrum = np.abs(np.fft.rfft(cut.audio[0]))
    assert spectrum[: 950 // 2].max() < 1e-3 * spectrum[1000 // 2 : 7000 // 2].max()
    assert spectrum[7200 // 2 :].max() < 1e-3 * spectrum[1000 // 2 : 7000 // 2].max()


def test_a_channel_with_nothing_in_the_band_is_finite():
    audio = np.stack([np.sin(np.arange(8000) * 2 * np.pi * 100 * (m + 1) / 16_000) for m in range(5)])
    scene = Scene(
        audio=audio, sample_rate=16_000.0, microphones=Microphones(positions=POSITIONS), band_hz=(4000.0, 6000.0)
    )
    assert np.isfinite(examine(scene).audio).all()


@pytest.mark.parametrize("start", [0, 1, 317, 318, 319, 320, 1000, 7680])
def test_the_shortest_standstill_is_found_wherever_it_begins(rng, start):
    audio = rng.standard_normal(8000)
    audio[start : start + 319] = 0.5
    assert not _standstill(audio, 16_000.0).any()
    audio[start : start + 320] = 0.5
    assert np.flatnonzero(_standstill(audio, 16_000.0)).tolist() == list(range(start, start + 320))


def test_a_scene_is_examined_once_and_another_of_the_same_sound_anew():
    """A session asks again what the answer asked before."""
    scene = contract_scene(6)
    assert examine(scene) is examine(scene)
    assert examine(replace(scene, start_s=1.0)) is not examine(scene)


@pytest.mark.parametrize(("offset", "is_told"), [(0.08, False), (0.12, True)])
def test_an_offset_is_told_from_a_tenth_of_full_scale_on(sound, offset, is_told):
    sound[3] += np.float32(offset) - sound[3].mean()
    assert codes(health(sound)) == (["dc:mic4"] if is_told else [])
