"""Turns: where they begin and end, where they were, and who came back."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.fixes import noisy, window
from soundfix.tracking.tracker import tracked
from soundfix.tracking.turns import LONGEST_PAUSE_S, turns

A, B = [-1.0, 0.5, 1.2], [1.2, 0.2, 1.25]


def said(time_s, place, track, level_dbfs=None, codes=()):
    estimate = window(time_s, place, codes=codes)
    return replace(estimate, sources=(replace(estimate.sources[0], track=track, level_dbfs=level_dbfs),))


def test_windows_in_turn_are_a_turn_and_a_pause_ends_it():
    times = [0.25, 0.75, 1.25, 4.25, 4.75]
    found = turns(said(t, A, 1) for t in times)
    assert [(turn.start_s, turn.end_s, turn.windows) for turn in found] == [(0.0, 1.5, 3), (4.0, 5.0, 2)]


@pytest.mark.parametrize(("pause_s", "count"), [(LONGEST_PAUSE_S - 0.01, 1), (LONGEST_PAUSE_S + 0.01, 2)])
def test_a_short_pause_does_not(pause_s, count):
    ends_s = 0.75 + 0.5
    assert len(turns(said(t, A, 1) for t in (0.25, 0.75, 1.25, ends_s + 0.5 + pause_s))) == count


def test_a_window_stands_for_its_hop():
    found = turns([*(said(0.25 + 0.1 * k, A, 1) for k in range(10)), *(said(1.25 + 0.1 * k, B, 2) for k in range(5))])
    assert [(turn.track, round(turn.start_s, 6), round(turn.end_s, 6)) for turn in found] == [
        (1, 0.2, 1.2),
        (2, 1.2, 1.7),
    ]


def test_two_at_once_are_two_turns_in_order_of_their_beginnings():
    both = window(0.75, A, B)
    both = replace(both, sources=tuple(replace(s, track=t) for s, t in zip(both.sources, (2, 1), strict=True)))
    found = turns([said(0.25, A, 2), both, said(1.25, B, 1)])
    assert [(turn.track, turn.start_s, turn.end_s) for turn in found] == [(2, 0.0, 1.0), (1, 0.5, 1.5)]


def test_the_place_is_the_median_and_the_region_holds_the_way():
    still = turns(said(0.25 + 0.5 * k, A if k != 2 else [3, 3, 1], 1) for k in range(7))[0]
    assert still.position_m == pytest.approx(A)
    walk = turns(said(0.25 + 0.5 * k, [0.5 * k, 0, 1.5], 1) for k in range(7))[0]
    assert walk.position_m == pytest.approx([1.5, 0, 1.5])
    assert walk.moved_m == pytest.approx(3.0)
    assert walk.radius90_m > 1.5
    assert turns([said(0.25, A, 1)])[0].radius90_m == pytest.approx(0.05 * 2.5003, rel=1e-3)


def test_levels_are_averaged_as_power_where_they_are_known():
    assert turns([said(0.25, A, 1, -20.0), said(0.75, A, 1, -10.0)])[0].level_dbfs == pytest.approx(-12.596, abs=1e-3)
    assert turns([said(0.25, A, 1)])[0].level_dbfs is None


def test_who_comes_back_says_so_and_whom_nobody_follows_has_no_turn(rng):
    times = [*np.arange(0.25, 3, 0.25), *np.arange(9.25, 12, 0.25)]
    found = turns(tracked(window(t, noisy(A, rng)) for t in times))
    assert [(turn.track, turn.returned) for turn in found] == [(1, False), (1, True)]
    assert turns([window(0.25, A), window(0.75)]) == []
