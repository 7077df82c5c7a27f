"""Candidates: peaks of the whole and of its pieces, heard as they are and as a method lets them through."""

import numpy as np
import pytest

from helpers.mixtures import RATE, mixture
from soundfix import physics
from soundfix.localization.modes import Mode
from soundfix.localization.pairs import MOST_PAIRS
from soundfix.localization.piece_peaks import SAME_M, candidates, distinct, pairs_of, peaks_of, pieces, white_evidence
from soundfix.scene import Scene
from soundfix.testing import contract_scene

LIKE = contract_scene(8)
POSITIONS, BOX = LIKE.microphones.positions, LIKE.search_box()
ONE, OTHER = np.array([1.5, 1.2, 1.0]), np.array([4.2, 3.9, 1.8])


def scene(sound):
    return Scene(audio=sound, sample_rate=RATE, microphones=LIKE.microphones)


def test_of_many_microphones_pairs_that_say_the_same_again_are_left_out():
    assert np.array_equal(pairs_of(8), physics.pair_indices(8))
    assert len(pairs_of(64)) <= MOST_PAIRS


def test_pieces_overlap_by_half():
    assert [(start, length) for start, length, _ in pieces(0.5)] == [(0, 0.25), (0.125, 0.25), (0.25, 0.25)]
    assert list(pieces(0.2)) == []


def test_who_speaks_in_a_piece_alone_is_a_candidate():
    rng = np.random.default_rng(0)
    loud = mixture(POSITIONS, [ONE], rng, seconds=1.0, levels=[3.0])
    brief = mixture(POSITIONS, [OTHER], rng, seconds=1.0, noise=0)
    loud[:, 12000:], brief[:, :12000] = 0.001 * loud[:, 12000:], 0
    whole = candidates(scene(loud + brief), loud + brief, RATE, BOX)
    found = np.concatenate([whole, candidates(scene(loud + brief), loud + brief, RATE, BOX, list(whole))])
    assert physics.distances(found, np.stack([ONE, OTHER])).min(axis=0).max() < 0.1
    assert np.diff(np.sort(physics.distances(found, found), axis=1)[:, :2]).min() > SAME_M


def test_both_ways_of_hearing_are_asked():
    rng = np.random.default_rng(1)
    plain, passed = (mixture(POSITIONS, [place], rng) for place in (ONE, OTHER))
    found = candidates(scene(plain), passed, RATE, BOX)
    assert physics.distances(found, np.stack([ONE, OTHER])).min(axis=0).max() < 0.1


def test_peaks_are_in_standard_errors_and_silence_has_none():
    sound = mixture(POSITIONS, [ONE], np.random.default_rng(0))
    evidence = white_evidence(sound, RATE, scene(sound), physics.pair_indices(8))
    (best,) = peaks_of(evidence, BOX, 1)
    assert np.linalg.norm(best.position - ONE) < 0.05
    assert best.score == pytest.approx(evidence.score(best.position[None])[0] / evidence.deviation * 28**0.5)
    silent = white_evidence(0 * sound, RATE, scene(sound), physics.pair_indices(8))
    assert peaks_of(silent, BOX, 3) == []


def test_the_better_of_two_that_are_near_is_kept_and_no_more_than_asked_for():
    low, high, far = (
        Mode(position=np.array([x, 0.0, 0.0]), score=s) for x, s in ((0, 1.0), (SAME_M / 2, 2.0), (9, 0.5))
    )
    assert distinct([low, high, far], 5)[:, 0].tolist() == [SAME_M / 2, 9]
    assert len(distinct([low, high, far], 1)) == 1
    assert distinct([], 5).shape == (0, 3)
