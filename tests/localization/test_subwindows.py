"""A window told apart: together the pieces are the whole, near the place; each says where the source was in it."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.bands import ANIMAL, caged, shared_sound
from soundfix import physics
from soundfix.localization.correlate import Correlator
from soundfix.localization.health import examine
from soundfix.localization.subwindows import PIECES, Window, split_window
from soundfix.testing import SOURCE, contract_scene

ASIDE = SOURCE + np.array([0.05, -0.04, 0.03])


def window(scene, **changes):
    pairs = physics.pair_indices(len(scene.microphones))
    return replace(Window(scene=scene, audio=examine(scene).audio, pairs=pairs, box=scene.search_box()), **changes)


def stand(place):
    return np.asarray(place)[None, None]


def test_the_pieces_are_the_whole_told_apart():
    """Their sum is the correlation of the whole window, but for what crosses from piece to piece and the faded ends."""
    told = window(contract_scene())
    pieces = split_window(told, ASIDE, reach_m=0.3)
    whole = Correlator()(told.audio, told.scene, told.pairs)
    points = SOURCE + np.linspace(-0.03, 0.03, 7)[:, None]
    expected = whole.score(points)
    summed = pieces.scores(points[:, None]).sum(axis=1)
    assert np.corrcoef(summed, expected)[0, 1] > 0.99


def test_each_piece_has_its_peak_at_the_source():
    pieces = split_window(window(contract_scene()), ASIDE, reach_m=0.3)
    here, beside = pieces.scores(stand(SOURCE)), pieces.scores(stand(ASIDE))
    assert here.shape == (1, PIECES)
    assert (here > 3 * np.abs(beside)).all()


def test_times_are_those_when_the_sound_left():
    scene = contract_scene()
    times_s = split_window(window(scene), ASIDE, reach_m=0.3).times_s
    away_s = physics.distances(ASIDE, scene.microphones.positions).mean() / scene.speed
    assert times_s.mean() == pytest.approx(-away_s)
    assert np.diff(times_s) == pytest.approx(np.full(PIECES - 1, scene.duration_s / PIECES))


def test_a_known_clock_error_is_taken_out():
    scene = contract_scene()
    late = np.zeros(len(scene.microphones))
    late[2] = 16 / scene.sample_rate
    audio = scene.audio.copy()
    audio[2] = np.roll(audio[2], 16)
    listed = replace(scene, audio=audio, microphones=replace(scene.microphones, offset_s=late))
    plain, told = (split_window(window(each), ASIDE, reach_m=0.3).scores(stand(SOURCE)) for each in (scene, listed))
    assert told == pytest.approx(plain, rel=0.05)


def test_microphones_that_are_not_in_pairs_do_not_matter(rng):
    scene = contract_scene()
    pairs = physics.pair_indices(6)
    plain = window(scene, pairs=pairs)
    audio = plain.audio.copy()
    audio[6:] = rng.standard_normal(audio[6:].shape)
    one, other = (split_window(each, ASIDE, reach_m=0.3) for each in (plain, replace(plain, audio=audio)))
    assert np.array_equal(one.evidence.values, other.evidence.values)


def test_two_pieces_together():
    pieces = split_window(window(contract_scene()), ASIDE, reach_m=0.3)
    twos = pieces.in_twos()
    assert twos.scores(stand(SOURCE))[0] == pytest.approx(pieces.scores(stand(SOURCE))[0].reshape(-1, 2).sum(axis=1))
    assert twos.times_s[0] == pytest.approx(pieces.times_s[:2].mean())


def test_smoothing_by_hand():
    """A peak of one lag becomes a triangle, what is negative nothing; less than three lags is no smoothing."""
    pieces = split_window(window(contract_scene()), ASIDE, reach_m=0.3)
    values = np.zeros_like(pieces.evidence.values)
    values[:, 20], values[:, 30] = 9.0, -9.0
    pieces = replace(pieces, evidence=replace(pieces.evidence, values=values))
    smoothed = pieces.smoothed(3.1 * pieces.evidence.step_m).evidence.values
    assert smoothed[0, 17:24] == pytest.approx([0, 1, 2, 3, 2, 1, 0], abs=1e-6)
    assert smoothed[0, 24:] == pytest.approx(np.zeros_like(values[0, 24:]), abs=1e-6)
    assert pieces.smoothed(1.5 * pieces.evidence.step_m) is pieces


def test_pieces_are_of_the_scene_s_band(rng):
    """All share what is low, and have noise of their own where the band is."""
    scene = caged(shared_sound(rng, (300.0, 3000.0), rate=16_000.0, seconds=0.5), rate=16_000.0)
    low, high = (
        replace(window(scene), scene=replace(scene, band_hz=band)) for band in ((300.0, 3000.0), (4000.0, 7900.0))
    )
    shared, own = (split_window(each, ANIMAL, reach_m=0.3).scores(stand(ANIMAL)).sum() for each in (low, high))
    assert shared > 5 * abs(own)
