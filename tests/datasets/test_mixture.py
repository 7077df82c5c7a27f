"""Mixtures: the sum of two clips, the truth of both, the same for the same seed."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.clips import Clips
from soundfix.datasets.dataset import Dataset
from soundfix.datasets.mixture import Mixture, mixed
from soundfix.errors import DatasetError
from soundfix.microphones import Microphones
from soundfix.scene import Track

CLIPS = Clips(unknown=False)


def test_a_mixture_is_the_sum_and_knows_both_sources():
    one, other = CLIPS[0], CLIPS[1]
    both = mixed(one, other)
    added = both.audio - one.audio
    scale = np.sum(added * other.audio) / np.sum(other.audio**2)
    assert added == pytest.approx(scale * other.audio, abs=1e-6)
    assert np.abs(added).max() == pytest.approx(np.abs(one.audio).max())
    assert np.array_equal(both.truth.sources, np.concatenate([one.truth.sources, other.truth.sources]))


def test_so_many_as_asked_by_seed():
    data = Mixture(data=CLIPS, sources=(1, 3), seed=2)
    assert isinstance(data, Dataset)
    counts = [len(data[clip].truth.sources) for clip in range(len(CLIPS))]
    assert set(counts) == {1, 2, 3}
    again = Mixture(data=CLIPS, sources=(1, 3), seed=2)
    assert np.array_equal(again[5].audio, data[5].audio)
    assert counts != [
        len(Mixture(data=CLIPS, sources=(1, 3), seed=3)[clip].truth.sources) for clip in range(len(CLIPS))
    ]
    assert len(Mixture(data=CLIPS, sources=(2, 2))[0].truth.sources) == 2


def test_sources_that_move_go_on_moving():
    one, other = CLIPS[0], CLIPS[1]
    times_s = np.array([0.0, 0.5])
    places = np.stack([one.truth.sources, one.truth.sources + 0.5])
    walking = replace(one, truth=replace(one.truth, track=Track(times_s=times_s, places=places)))
    track = mixed(other, walking).truth.track
    assert np.allclose(track.at(0.25)[: len(other.truth.sources)], other.truth.sources)
    assert np.allclose(track.at(0.25)[-1], one.truth.sources[-1] + 0.25)
    assert mixed(one, other).truth.track is None


def test_no_clip_is_mixed_with_itself():
    data = Mixture(data=Clips(3, unknown=False), sources=(3, 3))
    for clip in range(3):
        assert len(np.unique(data[clip].truth.sources, axis=0)) == 3
    with pytest.raises(DatasetError, match="has 2 clips: 3 of them cannot sound at once"):
        Mixture(data=Clips(2, unknown=False), sources=(3, 3))[0]


def test_a_motion_capture_s_noise_is_no_other_place():
    one, other = CLIPS[0], CLIPS[1]
    moved = Microphones(positions=other.microphones.positions + 1e-3)
    assert len(mixed(one, replace(other, microphones=moved)).truth.sources) == 2


def test_what_cannot_be_mixed():
    one = CLIPS[0]
    with pytest.raises(DatasetError, match="a clip without truth"):
        mixed(one, replace(one, truth=None))
    with pytest.raises(DatasetError, match="another array"):
        mixed(one, one.where([True] * 5 + [False]))
    with pytest.raises(DatasetError, match="stand elsewhere"):
        mixed(one, replace(one, microphones=Microphones(positions=one.microphones.positions + 0.1)))
