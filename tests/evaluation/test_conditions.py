"""Windows that are evaluated: nested where they must be, the same for the same key."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.clips import Clips
from soundfix.errors import ConfigError
from soundfix.evaluation.conditions import Condition, Grid, spread, windows_of
from soundfix.microphones import Microphones


@pytest.fixture
def scene():
    return Clips()[0]


KEY = (3, 5)


def windows(scene, **varied):
    return list(windows_of(scene, Grid(**varied), KEY))


@pytest.mark.parametrize("subsets", ["first", "spread", "random"])
def test_fewer_microphones_are_among_more(scene, subsets):
    heard = [set(w.microphones.names) for _, w in windows(scene, microphones=(4, 3, 2), subsets=subsets)]
    assert [len(names) for names in heard] == [4, 3, 2]
    assert heard[0] > heard[1] > heard[2]


def test_all_windows_of_a_clip_have_one_middle(scene):
    found = windows(scene, windows_s=(0.05, 0.1, 0.2), microphones=(4,))
    middles = [w.start_s + w.duration_s / 2 for _, w in found]
    assert middles == pytest.approx([middles[0]] * 3, abs=1e-3)
    assert [w.duration_s for _, w in found] == pytest.approx([0.05, 0.1, 0.2])


def test_what_is_broken_is_broken_in_the_window(scene):
    grid = Grid(microphones=(4,), faults=("nan:2",), windows_s=(0.05,))
    for seed in range(5):
        ((_, window),) = windows_of(scene, grid, (seed, 0))
        assert (~np.isfinite(window.audio).all(axis=1)).sum() == 2


def test_who_comes_late_is_heard_from_before(scene):
    """No silence at the start of the window: the sound before it has come by then."""
    both = windows(scene, microphones=(4,), faults=("none", "late:1"), windows_s=(0.05,))
    clean, late = (window.audio for _, window in both)
    changed = (clean != late).any(axis=1)
    assert changed.sum() == 1
    assert late[changed][0, :16].any()


def test_unknown_positions_and_faults_are_nested(scene):
    found = windows(scene, microphones=(4,), unknown=(0, 1, 2), windows_s=(0.1,))
    hidden = [set(np.flatnonzero(~w.microphones.is_known).tolist()) for _, w in found]
    assert [len(each) for each in hidden] == [0, 1, 2]
    assert hidden[1] < hidden[2]
    faults = [
        set(w.truth.faults)
        for _, w in windows(scene, microphones=(4,), faults=("none", "dead", "dead:3"), windows_s=(0.1,))
    ]
    assert [len(each) for each in faults] == [0, 1, 3]
    assert faults[1] < faults[2]


def test_windows_longer_than_the_clip(scene):
    with pytest.raises(ConfigError, match=r"windows of 2 s from clips of 0.5 s: too long"):
        windows(scene, windows_s=(0.1, 2.0), microphones=(4,))


def test_the_same_key_gives_the_same_windows(scene):
    one, same = (
        [w.audio for _, w in windows(scene, subsets="random", faults=("noisy",), microphones=(3,))] for _ in "ab"
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))


def test_clips_with_too_few_microphones_are_left_out(scene):
    assert [c.microphones for c, _ in windows(scene, microphones=(11, 4))] == [4]


def test_spread_begins_with_the_two_furthest_apart(scene):
    """On a line at 0, 1, 5, 10 and 4: the ends, then 5 or 4, ... worked out by hand; unknown ones come last."""
    places = np.array([[0.0, 0, 0], [1, 0, 0], [5, 0, 0], [10, 0, 0], [4, 0, 0], [np.nan] * 3])
    line = replace(
        scene, audio=np.zeros((6, 8000)), microphones=Microphones(positions=places), is_trusted=np.ones(6, bool)
    )
    assert spread(line, np.random.default_rng(0)).tolist() == [0, 3, 2, 1, 4, 5]


@pytest.mark.parametrize(
    ("varied", "message"),
    [
        ({"microphones": 1}, "wanted two microphones or more"),
        ({"microphones": 3, "unknown": 4}, "4 unknown and 0 none of 3"),
        ({"microphones": 3, "fault": "dead:4"}, "0 unknown and 4 dead of 3"),
        ({"microphones": 3, "fault": "rusty"}, "wanted none, or KIND"),
        ({"microphones": 3, "fault": "dead:x"}, "wanted none, or KIND"),
    ],
)
def test_conditions_that_cannot_be(varied, message):
    with pytest.raises(ConfigError, match=message):
        Condition(window_s=0.5, **varied)


def test_a_source_that_is_told_is_sought_where_it_is(scene):
    (first, plain), (second, told) = windows(scene, microphones=(4,), told=(False, True), windows_s=(0.1,))
    assert (first.told, second.told, plain.search) == (False, True, None)
    assert np.abs(told.search.bounds - told.truth.sources[0]).max() == pytest.approx(0.03)
    unseen = replace(scene, truth=replace(scene.truth, sources=np.full((1, 3), np.nan)))
    assert [w.search for _, w in windows(unseen, microphones=(4,), told=(True,), windows_s=(0.1,))] == [None]


def test_a_source_beyond_a_wall_is_told_at_the_wall(scene):
    place = scene.truth.sources[0]
    low = place[2] + 0.2  # the floor, above the track
    room = ((place[0] - 9, place[1] - 9, low), (place[0] + 9, place[1] + 9, low + 9))
    ((_, told),) = windows(replace(scene, room=room), microphones=(4,), told=(True,), windows_s=(0.1,))
    margins = np.array([[-0.03], [0.03]])
    assert told.search.bounds == pytest.approx(np.add(margins, [*place[:2], low]))
