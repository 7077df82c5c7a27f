"""Where things stand: inside, apart, and walking no faster than asked."""

import numpy as np
import pytest

from soundfix.errors import SceneError
from soundfix.simulation import placement
from soundfix.simulation.placement import (
    MICROPHONE_GAP_M,
    SOURCE_GAP_M,
    SPACING_M,
    WALL_GAP_M,
    random_microphones,
    random_walk,
)

SIZE_M = np.array([5.0, 6.0, 2.6])
NOBODY = np.zeros((0, 3))


def walk(rng, *, avoid=(NOBODY, NOBODY), heights_m=(0.5, 2.0), speed_m_s=None, size_m=SIZE_M, **more):
    return random_walk(size_m, avoid, heights_m=heights_m, speed_m_s=speed_m_s, duration_s=2.3, rng=rng, **more)


def test_rooms_are_of_the_sizes_said(rng):
    sizes = np.array([placement.random_size(rng) for _ in range(500)])
    assert (sizes.min(axis=0) >= [3, 3, 2.2]).all()
    assert (sizes.max(axis=0) <= [12, 12, 4.5]).all()
    assert (np.ptp(sizes, axis=0) > [8.5, 8.5, 2.2]).all()


def test_rooms_are_as_large_as_told(rng):
    sizes = np.array([placement.random_size(rng, (18.0, 14.0, 6.0)) for _ in range(500)])
    assert (sizes.min(axis=0) >= [3, 3, 2.2]).all()
    assert sizes.max(axis=0) == pytest.approx([18, 14, 6], rel=0.02)
    assert (sizes.max(axis=0) <= [18, 14, 6]).all()


def test_a_small_array_takes_up_a_part_of_the_room(rng):
    """2 x 2 x 1.8 m to 0.6 of each side, anywhere on the floor."""
    size_m, middles, spans = np.array([10.0, 8.0, 4.0]), [], []
    for _ in range(200):
        places = placement.small_array(size_m, 8, rng)
        assert places.shape == (8, 3)
        assert ((places > 0) & (places < size_m)).all()
        middles.append(places.mean(axis=0)[:2])
        spans.append(np.ptp(places, axis=0))
    assert (np.max(spans, axis=0) < 0.6 * size_m).all()
    assert (np.max(spans, axis=0)[:2] > 0.45 * size_m[:2]).all()
    assert (np.min(middles, axis=0) < 0.25 * size_m[:2]).all()
    assert (np.max(middles, axis=0) > 0.75 * size_m[:2]).all()


def test_a_small_array_fits_into_a_small_room(rng):
    for size in ((3.0, 3.0, 2.2), (1.9, 1.8, 1.5)):
        places = placement.small_array(np.array(size), 4, rng)
        assert ((places > 0) & (places < size)).all()


@pytest.mark.parametrize("count", [4, 16])
def test_microphones_are_inside_and_apart(rng, count):
    for _ in range(50):
        places = random_microphones(SIZE_M, count, rng)
        gaps = np.linalg.norm(places[:, None] - places[None], axis=-1) + 9 * np.eye(count)
        assert places.shape == (count, 3)
        assert ((places > 0) & (places < SIZE_M)).all()
        assert gaps.min() >= SPACING_M


def test_microphones_hang_and_stand_everywhere(rng):
    places = random_microphones(SIZE_M, 400, rng)
    on_wall = np.isclose(np.minimum(places, SIZE_M - places)[:, :2].min(axis=1), placement.MOUNTED_M)
    on_ceiling = np.isclose(SIZE_M[2] - places[:, 2], placement.MOUNTED_M)
    on_table = ~on_wall & (places[:, 2] < 0.9) & (places[:, 2] > 0.7)
    on_stand = ~on_wall & (places[:, 2] >= 1.0) & (places[:, 2] <= 2.0)
    assert all(60 < kind.sum() < 200 for kind in (on_wall, on_ceiling, on_table, on_stand))
    assert (on_wall | on_ceiling | on_table | on_stand).all()


def test_a_cupboard_holds_no_thousand_microphones(rng):
    with pytest.raises(SceneError, match=r"no place for 1000 microphones 0.1 m apart"):
        random_microphones(np.array([1.0, 1.0, 2.2]), 1000, rng)


def test_sources_keep_their_distance(rng):
    microphones, others = random_microphones(SIZE_M, 12, rng), np.array([[2.5, 3.0, 1.2], [1.0, 1.0, 1.0]])
    places = np.concatenate([walk(rng, avoid=(microphones, others)).places for _ in range(300)])
    assert (np.minimum(places, SIZE_M - places) >= WALL_GAP_M).all()
    assert np.linalg.norm(places[:, None] - microphones, axis=-1).min() >= MICROPHONE_GAP_M
    assert np.linalg.norm(places[:, None] - others, axis=-1).min() >= SOURCE_GAP_M
    assert np.ptp(places, axis=0) == pytest.approx([4.0, 5.0, 1.5], abs=0.2)


def test_no_source_is_further_from_the_microphones_than_told(rng):
    """From the box round them, on the floor; everywhere in the room without."""
    corner, large = (
        np.array([[1.0, 1.0, 1.0], [3.0, 2.0, 1.5], [1.5, 2.5, 2.0], [2.0, 1.2, 1.2]]),
        np.array([15.0, 12, 3]),
    )
    near, anywhere = (
        np.array([walk(rng, avoid=(corner, NOBODY), size_m=large, **more).places[0] for _ in range(200)])
        for more in ({"reach_m": 1.0}, {})
    )
    assert (near[:, :2] <= corner[:, :2].max(axis=0) + 1.0).all()
    assert near[:, :2].max(axis=0) == pytest.approx([4.0, 3.5], abs=0.15)
    assert near[:, :2].min(axis=0) == pytest.approx([0.5, 0.5], abs=0.15)  # half a metre from the walls as ever
    assert anywhere[:, :2].max(axis=0) == pytest.approx([14.5, 11.5], abs=0.3)
    assert np.ptp(near[:, 2]) > 1.3


def test_no_source_is_below_the_floor(rng):
    heights = np.array([walk(rng, heights_m=(0.0, 2.0)).places[0, 2] for _ in range(300)])
    assert placement.FLOOR_GAP_M <= heights.min() < 0.15


def test_walks_are_level_inside_and_as_fast_as_asked(rng):
    for _ in range(100):
        times_s, places = walk(rng, speed_m_s=(0.3, 1.5))
        speeds = np.linalg.norm(np.diff(places, axis=0), axis=1) / np.diff(times_s)
        assert (times_s[0], times_s[-1]) == (0.0, 2.3)
        assert np.diff(times_s).max() <= placement.STEP_S + 1e-9
        assert np.ptp(speeds) < 1e-3 * speeds[0]
        assert 0.299 < speeds[0] < 1.501
        assert np.ptp(places[:, 2]) == 0
        assert (np.minimum(places, SIZE_M - places) >= WALL_GAP_M).all()


def test_half_of_the_walks_are_straight_the_others_arcs_to_both_sides(rng):
    turns = []
    for _ in range(200):
        steps = np.diff(walk(rng, speed_m_s=(1.0, 1.0)).places[:-1, :2], axis=0)
        headings = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        assert np.diff(headings) == pytest.approx(np.diff(headings).mean(), abs=1e-6)
        turns.append(headings[-1] - headings[0])
    is_straight = np.abs(turns) < 1e-6
    assert 60 < is_straight.sum() < 140
    assert (np.array(turns)[~is_straight] > 0).sum() > 20
    assert (np.array(turns)[~is_straight] < 0).sum() > 20


@pytest.mark.parametrize(
    ("size_m", "heights_m", "speed_m_s", "message"),
    [
        ((5.0, 6.0, 2.6), (2.3, 2.5), None, "is the room low?"),
        ((1.2, 1.2, 2.6), (0.5, 2.0), (1.0, 1.0), "no way through a room"),
    ],
)
def test_what_no_room_has_place_for(rng, size_m, heights_m, speed_m_s, message):
    with pytest.raises(SceneError, match=message):
        walk(rng, size_m=np.array(size_m), heights_m=heights_m, speed_m_s=speed_m_s)
