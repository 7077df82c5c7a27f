"""Hypotheses: what they cost, what is dropped, and that one of them alone is not enough."""

import numpy as np
import pytest

from helpers.fixes import noisy
from soundfix.tracking.association import (
    BEGINNING,
    KEPT,
    MOST_TRACKS,
    UNCONFIRMED_S,
    Alternative,
    Reading,
    Window,
    followed,
    settled,
)
from soundfix.tracking.kalman import Fix

SURE = 0.05**2 * np.eye(3)


def heard(*windows, hop_s=0.25, kept=KEPT):
    """Hypotheses after these windows, places each."""
    hypotheses = [BEGINNING]
    for number, places in enumerate(windows):
        fixes = [[Alternative(k, Fix(np.asarray(place, float), SURE))] for k, place in enumerate(places)]
        window = Window(
            time_s=hop_s * number, before_s=hop_s * (number - 1), readings=[Reading(0.0, fixes)],
            first_key=10 * number, log_box=-np.log(100.0),
        )  # fmt: skip
        hypotheses = followed(hypotheses, window, kept)
    return hypotheses


def test_what_agrees_is_one_track_and_what_does_not_is_none(rng):
    places = [[noisy([1, 1, 1], rng)] for _ in range(8)]
    places[4] = [[-2.0, 3.0, 2.0]]
    best = heard(*places)[0]
    assert [len(said.tracks) for said in best.said] == [1, 1, 1, 1, 0, 1, 1, 1]
    assert [track.hits for track in best.tracks] == [7]


def test_two_places_at_once_are_two_tracks_whichever_comes_first(rng):
    windows = [[noisy([1, 1, 1], rng), noisy([-1, 0, 1], rng)][:: 1 if k % 2 else -1] for k in range(6)]
    best = heard(*windows)[0]
    assert sorted(track.hits for track in best.tracks) == [6, 6]
    for said, places in zip(best.said, windows, strict=True):
        assert {number: track.key for number, track in said.tracks.items()}.keys() == {0, 1}
        assert all(np.linalg.norm(track.state.mean[:3] - places[k]) < 0.3 for k, track in said.tracks.items())


def test_scores_fall_and_the_best_is_zero(rng):
    scores = [each.score for each in heard(*[[noisy([1, 1, 1], rng), rng.uniform(-3, 3, 3)] for _ in range(5)])]
    assert scores[0] == 0.0
    assert scores == sorted(scores, reverse=True)
    assert 1 < len(scores) <= KEPT


def test_what_is_settled_is_settled_for_all(rng):
    hypotheses = heard(*[[noisy([1, 1, 1], rng), rng.uniform(-3, 3, 3)] for _ in range(5)])
    said, left = settled(hypotheses)
    assert said is hypotheses[0].said[0]
    assert len(left) < len(hypotheses)
    assert all(len(each.said) == 4 for each in left)


def test_a_few_fixes_are_soon_forgotten_and_many_tracks_as_well(rng):
    silence = [[]] * (int(UNCONFIRMED_S / 0.25) + 1)
    assert heard([[1, 1, 1]], [[1, 1, 1]], *silence)[0].tracks == ()
    crowd = [[noisy([30.0 * k, 0, 1], rng)] for k in range(MOST_TRACKS + 4) for _ in range(6)]
    assert len(heard(*crowd)[0].tracks) == MOST_TRACKS


def test_one_hypothesis_alone_hears_nobody_new(rng):
    """The first fix elsewhere is more often an outlier: only a second one tells, and by then one has to have both."""
    windows = [[noisy([1, 1, 1], rng), *([noisy([-1, 0, 1], rng)] if k > 4 else [])] for k in range(12)]
    assert [len(heard(*windows, kept=kept)[0].tracks) for kept in (1, KEPT)] == [1, 2]


def test_the_same_key_is_the_same_track(rng):
    best = heard(*[[noisy([1, 1, 1], rng)] for _ in range(6)])[0]
    assert {track.key for said in best.said for track in said.tracks.values()} == {0}


@pytest.mark.parametrize("kept", [2, 5])
def test_no_more_are_kept(rng, kept):
    windows = [[rng.uniform(-3, 3, 3) for _ in range(3)] for _ in range(5)]
    assert len(heard(*windows, kept=kept)) == kept


def test_who_falls_silent_at_once_was_less_likely_there():
    assert len(heard([[1, 1, 1]])[0].tracks) == 1
    assert heard([[1, 1, 1]], [])[0].tracks == ()


def test_two_places_are_never_one_track(rng):
    crowded = heard(*[[noisy([1, 1, 1], rng)] for _ in range(6)], [[1, 1, 1], [1.02, 1, 1]])
    for each in crowded:
        keys = [track.key for track in each.said[-1].tracks.values()]
        assert len(keys) == len(set(keys))


def test_hypotheses_that_have_become_alike_are_one(rng):
    """A place that was nobody's, or a track's that is forgotten: it makes no difference any more."""
    later = [[noisy([1, 1, 1], rng)] for _ in range(int(UNCONFIRMED_S / 0.25) + 4)]
    found = heard(*[[noisy([1, 1, 1], rng)] for _ in range(4)], [noisy([1, 1, 1], rng), [-3, -3, 1]], *later)
    alike = [frozenset((track.key, track.time_s, track.hits) for track in each.tracks) for each in found]
    assert len(alike) == len(set(alike))
