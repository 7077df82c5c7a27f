"""Arrivals of songs in a simulated wood, without a word of places and clocks."""

import numpy as np
import pytest

from helpers.field_songs import wood_with_songs
from soundfix import physics
from soundfix.calibration.event_arrivals import _curves, event_arrivals
from soundfix.errors import SceneError


def windows(scene, window_s=2.8):
    size = round(window_s * scene.sample_rate)
    return [scene.part(first, size) for first in range(0, scene.audio.shape[1] - size + 1, size // 2)]


def test_arrivals_are_those_of_the_songs_whatever_the_clocks():
    scene, late_s = wood_with_songs(songs=2)
    found = event_arrivals(windows(scene))
    assert len(found.times_s) >= 2
    for path_m in found.path_m:
        ranges_m = physics.distances(scene.truth.sources, scene.truth.positions)
        off_m = path_m - ranges_m - physics.speed_of_sound(15.0) * late_s
        off_m = off_m - np.nanmedian(off_m, axis=1)[:, None]
        assert np.nanmax(np.abs(off_m), axis=1).min() < 0.4
        assert np.isfinite(path_m).sum() >= 7


def test_of_overlapping_windows_one_is_kept():
    scene, _ = wood_with_songs(songs=2)
    times_s = event_arrivals(windows(scene)).times_s
    assert (np.diff(times_s) >= 2.79).all()


def test_noise_is_no_event():
    scene, _ = wood_with_songs(songs=1)
    quiet = scene.part(0, round(1.4 * scene.sample_rate))
    with pytest.raises(SceneError, match="no sound that 5 recorders share"):
        event_arrivals([quiet])


def test_curves_reach_across_the_array_and_as_far_as_clocks_may_be_off():
    scene, _ = wood_with_songs(songs=1)
    curves, _, step_m = _curves(scene, scene.audio.copy(), np.arange(2))
    assert step_m * curves.shape[1] / 2 > scene.microphones.width_m + 0.15 * scene.speed
