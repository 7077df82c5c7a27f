"""Windows in turn: levels and tracks only where they are asked for, smoothing by either."""

import numpy as np
import pytest

from helpers.fixes import noisy, told, window
from soundfix.api.sound import open_sound
from soundfix.api.windows import followed, heard_windows
from soundfix.methods.catalog import load
from soundfix.session.session import Session
from soundfix.testing import contract_scene
from soundfix.tracking.smoother import SMOOTHED


@pytest.mark.parametrize("with_level", [False, True])
def test_levels_are_told_where_they_are_asked_for(with_level):
    scene = contract_scene(8, seconds=1.2)
    sound = open_sound(scene.audio, scene.sample_rate, scene.microphones)
    session = Session(localizer=load("srp-phat"), microphones=scene.microphones)
    estimates = list(heard_windows(sound, (0.5, 0.35), session, follows=with_level))
    assert [estimate.start_s for estimate in estimates] == pytest.approx([0.0, 0.35, 0.7])
    levels = [source.level_dbfs for estimate in estimates for source in estimate.sources]
    assert len(levels) == 3
    assert all((level is not None) == with_level for level in levels)


def test_who_is_followed_and_what_is_smoothed(rng):
    windows = [window(0.25 * k, noisy([0.1 * k, 0, 1.5], rng)) for k in range(12)]
    for tracks in (False, True):
        for smooth in (False, True):
            estimates = list(followed(windows, tracks=tracks, smooth=smooth))
            assert set(told(estimates)) == {(1 if tracks else None,)}
            own = [
                np.array_equal(e.sources[0].position_m, w.sources[0].position_m)
                for e, w in zip(estimates, windows, strict=True)
            ]
            assert all(own) != smooth
            assert (estimates[5].regions == SMOOTHED) == smooth
