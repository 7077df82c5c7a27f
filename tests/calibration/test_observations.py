"""What is heard of a recording before anything is adjusted."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.bands import at_scale
from helpers.calibrations import moving_scene
from helpers.scenes import anechoic_scene
from helpers.walks import ROOM, array
from soundfix.calibration.observations import observe
from soundfix.cli import app
from soundfix.errors import SceneError
from soundfix.files.scenes import write_scene
from soundfix.microphones import Microphones
from soundfix.scene import Scene


def windows(scene, hop_s=0.5):
    count = round(hop_s * scene.sample_rate)
    return [scene.part(first, count) for first in range(0, scene.audio.shape[1] - count + 1, count)]


def test_an_inverted_microphone_is_heard_all_the_same(rng):
    from soundfix.networks import checkpoint

    scene, _ = moving_scene(rng, seconds=3.0)
    audio = scene.audio.copy()
    audio[2] *= -1
    network = checkpoint.load(checkpoint.PACKAGED)
    right, turned = (observe(network, windows(each)) for each in (scene, replace(scene, audio=audio)))
    assert turned.is_inverted.tolist() == [m == 2 for m in range(7)]
    assert np.allclose(right.arrivals.path_m, turned.arrivals.path_m, atol=1e-3, equal_nan=True)


def test_silence_is_said(tmp_path, places):
    silence = Scene(audio=np.zeros((11, 32_000)), sample_rate=16_000.0, microphones=Microphones(positions=places))
    write_scene(tmp_path, silence)
    argv = [tmp_path / "scene.wav", "-m", tmp_path / "microphones.csv", "--out", tmp_path / "out.csv"]
    with pytest.raises(SceneError, match="is there sound"):
        app.app(["calibrate", *map(str, argv)], standalone_mode=False)


def test_arrivals_are_as_far_apart_in_a_small_world(rng):
    from soundfix.networks import checkpoint

    scene, _ = moving_scene(rng, seconds=3.0)
    network = checkpoint.load(checkpoint.PACKAGED)
    usual, small = (observe(network, windows(at_scale(scene, times), 0.5 / times)) for times in (1, 12))
    assert np.isfinite(small.arrivals.path_m).mean() > 0.8
    assert np.nanmedian(np.abs(small.arrivals.path_m * 12 - usual.arrivals.path_m)) < 0.02
    assert small.curves.values.shape[2] > 4 * usual.curves.values.shape[2]  # 20 m of path are more of a small world
    assert small.curves.step_m * 12 == pytest.approx(usual.curves.step_m)


def test_arrivals_are_metres_of_path(rng):
    from soundfix.networks import checkpoint

    places, source = array(rng, 7), np.array([3.0, 4.0, 1.5])
    scene = anechoic_scene(places, source, rng, room=ROOM)
    heard = observe(checkpoint.load(checkpoint.PACKAGED), [scene]).arrivals.path_m[0]
    off_m = heard - np.linalg.norm(source - places, axis=1)
    assert np.isfinite(off_m).sum() >= 6
    assert np.nanmedian(np.abs(off_m - np.nanmedian(off_m))) < 0.02
