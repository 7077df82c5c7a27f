"""Turns: where they begin and end, where they were, and who came back."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.fixes import noisy, window
from soundfix.errors import ConfigError
from soundfix.estimate import KINDS
from soundfix.tracking.tracker import tracked
from soundfix.tracking.turns import LONGEST_PAUSE_S, checked_kinds, of_kinds, turns

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


def kind_said(time_s, place, track, *probabilities):
    estimate = said(time_s, place, track)
    kinds = dict(zip(KINDS, probabilities, strict=True)) if probabilities else None
    return replace(estimate, sources=(replace(estimate.sources[0], kinds=kinds),))


def test_a_turn_is_of_the_kind_that_its_windows_say_together():
    """Means of logarithms: sqrt(0.8 * 0.2) = 0.4 for speech, sqrt(0.1 * 0.6) = 0.245 for music, 0.1 for the others."""
    windows = [kind_said(0.25, A, 1, 0.8, 0.1, 0.05, 0.05), kind_said(0.75, A, 1, 0.2, 0.6, 0.1, 0.1)]
    (turn,) = turns(windows)
    rest = 2 * np.sqrt(0.05 * 0.1)
    assert turn.kind == "speech"
    assert turn.kind_probability == pytest.approx(0.4 / (0.4 + np.sqrt(0.06) + rest))
    assert turns([*windows, kind_said(1.25, A, 1)])[0].kind_probability == turn.kind_probability


def test_one_window_rules_no_kind_out():
    sure, mistaken = (0.94, 0.02, 0.02, 0.02), (0.0, 1.0, 0.0, 0.0)
    (turn,) = turns([*(kind_said(0.25 + 0.5 * k, A, 1, *sure) for k in range(4)), kind_said(2.25, A, 1, *mistaken)])
    assert turn.kind == "speech"
    assert turn.kind_probability > 0.5


def test_where_windows_say_no_kind_a_turn_has_none():
    (turn,) = turns([kind_said(0.25, A, 1)])
    assert (turn.kind, turn.kind_probability) == (None, None)
    assert of_kinds([turn], ["other"]) == []
    assert of_kinds([turn], []) == [turn]


def test_only_some_kinds_are_kept_in_order():
    kinds = [(0.9, 0.1, 0.0, 0.0), (0.1, 0.9, 0.0, 0.0), (0.0, 0.1, 0.9, 0.0), (0.0, 0.0, 0.1, 0.9)]
    found = turns(kind_said(0.25 + 5 * k, A, k, *each) for k, each in enumerate(kinds))
    assert [turn.kind for turn in found] == list(KINDS)
    assert [turn.kind for turn in of_kinds(found, ["other", "speech"])] == ["speech", "other"]
    assert [turn.kind for turn in of_kinds(found, "music")] == ["music"]
    assert of_kinds(found, ()) == found


def test_what_is_no_kind_is_refused_with_what_there_is():
    assert checked_kinds(["none", "music"]) == ("none", "music")
    with pytest.raises(ConfigError, match=r"'voice': no kind .* wanted speech, music, other or none; is it spelt"):
        of_kinds([], ["speech", "voice"])
