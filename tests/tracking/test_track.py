"""One source: how it walks, stands and comes back."""

import numpy as np
import pytest

from helpers.fixes import noisy
from soundfix.tracking.kalman import Fix
from soundfix.tracking.track import LEAST_WALKS, SPEED_M_S, WALKS, born, wandering

SURE = 0.03**2 * np.eye(3)


def heard(places, hop_s=0.25):
    track = born(0, 0.0, Fix(np.asarray(places[0], float), SURE))
    for number, place in enumerate(places[1:], 1):
        fix = Fix(np.asarray(place, float), SURE)
        track = track.with_fix(hop_s * number, fix, track.best_way(hop_s * number, fix)[1])
    return track


def seated(rng, count=20):
    return heard([noisy([1.0, 2.0, 1.2], rng, 0.03) for _ in range(count)])


def walker(rng, count=20, speed_m_s=1.0):
    return heard([noisy([speed_m_s * 0.25 * k, 0.0, 1.6], rng, 0.03) for k in range(count)])


def test_two_moves_in_turn_are_one_of_both_times():
    (first, noise), (second, more) = wandering(0.7), wandering(1.1)
    whole, all_noise = wandering(1.8)
    assert second @ first == pytest.approx(whole)
    assert second @ noise @ second.T + more == pytest.approx(all_noise)


def test_after_long_the_velocity_is_that_of_people():
    assert np.diag(wandering(1000.0)[1])[3:] == pytest.approx(SPEED_M_S**2)


def test_who_walks_is_expected_ahead(rng):
    track = walker(rng)
    ahead = track.ways(track.time_s + 0.5)[0].state.mean
    assert ahead[:3] == pytest.approx(track.state.mean[:3] + np.array([0.45, 0, 0]), abs=0.1)


def test_who_sat_for_long_stands_and_who_walked_walks(rng):
    assert seated(rng).walks == LEAST_WALKS
    assert walker(rng).walks == WALKS


@pytest.mark.parametrize("pause_s", [2.0, 10.0, 100.0])
def test_who_sat_is_expected_where_they_were(rng, pause_s):
    track = seated(rng)
    _, way = track.best_way(track.time_s + pause_s, Fix(np.array([1.0, 2.05, 1.2]), SURE))
    assert way.way == "stood"
    assert way.state.mean[:3] == pytest.approx([1, 2, 1.2], abs=0.05)


def test_who_walked_in_silence_is_likelier_somewhere_than_who_sat(rng):
    somewhere = np.array([3.0, 1.0, 1.4])
    found = [each.best_way(each.time_s + 5.0, Fix(somewhere, SURE))[0] for each in (walker(rng), seated(rng))]
    assert found[0] > found[1] + 3


def test_a_walk_in_silence_keeps_its_height(rng):
    track = walker(rng)
    same, other = (track.best_way(track.time_s + 5, Fix(np.array([6.0, 0, z]), SURE))[0] for z in (1.6, 1.0))
    assert same > other + 5


def test_a_sharp_turn_is_one(rng):
    track = walker(rng, speed_m_s=2.0)
    behind = Fix(track.state.mean[:3] - [0.6, 0, 0], SURE)
    score, way = track.best_way(track.time_s + 0.5, behind)
    assert way.way == "turned"
    assert score > -8


def test_a_walk_of_long_ago_is_hardly_taken_up_again(rng):
    track = walker(rng)
    fix = Fix(track.state.mean[:3], SURE)
    soon, late = (track.ways(track.time_s + pause_s)[0].log_share for pause_s in (10.0, 40.0))
    assert soon - late == pytest.approx(1.0)
    assert track.best_way(track.time_s + 10.0, fix)[1].way == "stood"


def test_turns_are_counted(rng):
    track = seated(rng)
    fix = Fix(np.array([1.0, 2.0, 1.2]), SURE)
    for pause_s, turns in ((0.5, 1), (5.0, 2)):
        later = track.with_fix(track.time_s + pause_s, fix, track.best_way(track.time_s + pause_s, fix)[1])
        assert (later.turns, later.has_paused) == (turns, turns == 2)
