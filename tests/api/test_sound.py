"""An array in memory is heard as files are: the same windows, at 16 kHz where its rate is higher."""

import numpy as np
import pytest

import soundfix
from soundfix.api.sound import open_sound, scenes
from soundfix.errors import SceneError
from soundfix.files.scenes import write_scene
from soundfix.testing import contract_scene


@pytest.mark.parametrize(
    ("seconds", "window_s", "hop_s", "starts", "last_s"),
    [
        (1.3, 0.5, 0.5, [0.0, 0.5, 1.0], 0.3),  # more than half a window is left
        (1.2, 0.5, 0.5, [0.0, 0.5], 0.5),
        (0.4, 0.5, 0.5, [0.0], 0.4),
        (1.0, 0.25, 0.5, [0.0, 0.5], 0.25),
    ],
)
def test_windows_are_those_of_files(tmp_path, seconds, window_s, hop_s, starts, last_s):
    scene = contract_scene(5, seconds=seconds)
    write_scene(tmp_path, scene)
    take = soundfix.read(tmp_path / "scene.wav", tmp_path / "microphones.csv")
    sound = open_sound(scene.audio, 16_000.0, scene.microphones)
    windows = list(sound.windows(window_s, hop_s))
    assert [start_s for start_s, _ in windows] == starts
    assert windows[-1][1].shape == (5, round(last_s * 16_000))
    assert sound.count_windows(window_s, hop_s) == len(windows) == take.count_windows(window_s, hop_s)
    for mine, theirs in zip(windows, take.windows(window_s, hop_s), strict=True):
        assert mine[0] == theirs[0]
        assert np.array_equal(mine[1], theirs[1])


@pytest.mark.parametrize(("rate", "heard"), [(8_000, 8_000), (16_000, 16_000), (48_000, 16_000)])
def test_a_high_rate_is_resampled(rate, heard):
    scene = contract_scene(5)
    sound = open_sound(np.zeros((5, rate)), float(rate), scene.microphones)
    assert (sound.sample_rate, sound.audio.shape, sound.duration_s) == (heard, (5, heard), 1.0)


def test_scenes_know_when_they_begin_and_what_was_told():
    scene = contract_scene(5, seconds=1.0)
    sound = open_sound(scene.audio, 16_000.0, scene.microphones)
    told = list(scenes(sound, 0.5, 0.25, room=scene.room, temperature_c=None, speed=340.0))
    assert [each.start_s for each in told] == [0.0, 0.25, 0.5]
    assert {(each.room, each.speed) for each in told} == {(scene.room, 340.0)}


def test_channels_that_are_no_rows_are_refused():
    scene = contract_scene(5)
    with pytest.raises(SceneError, match=r"pass audio\.T"):
        open_sound(scene.audio.T, 16_000.0, scene.microphones)
