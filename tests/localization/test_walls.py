"""Walls answer where they stand: right ones are heard where they were told, wrong ones elsewhere, none in the open."""

import numpy as np
import pytest

from helpers.echoes import echoing_scene
from soundfix import physics
from soundfix.localization.correlate import Correlator
from soundfix.localization.walls import FEWEST_WINDOWS, KNOWN_M, MARGIN, MOST_OFF_M, SHIFTS_M, WallSums, heard_walls

ROOM = ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))
OUTWARDS = np.array([[-1.0] * 3, [1.0] * 3])


def told(off_m):
    """The room with walls so much further out."""
    low, high = (np.array(ROOM) + OUTWARDS * off_m).tolist()
    return tuple(low), tuple(high)


def heard(told_room, rng, *, source=None, echo=0.6, count=8, windows=1):
    """The walls of so many windows."""
    sums, positions = WallSums(), rng.uniform([0.3] * 3, [5.7, 4.7, 2.7], (count, 3))
    for _ in range(windows):
        place = rng.uniform([1, 1, 0.8], [5, 4, 2.2]) if source is None else source
        scene = echoing_scene(positions, place, ROOM, rng, echo=echo)
        evidence = Correlator()(scene.audio.copy(), scene, physics.pair_indices(count))
        walls = heard_walls(evidence, np.ones(count, dtype=bool), place, told_room)
        sums.add(walls)
    return sums, walls


def test_each_wall_is_heard_where_it_stands(rng):
    """Told half a metre too far out, further in; and the other way round."""
    for off_m in (0.0, 0.52, -0.12):
        _, walls = heard(told(off_m), rng)
        nearest = np.abs(SHIFTS_M + off_m).argmin()
        assert (walls[nearest] > 3).sum() >= 5
        assert np.abs(SHIFTS_M[np.nanargmax(np.where(np.isfinite(walls), walls, -9), axis=0)] + off_m).min() < 0.05


def test_right_walls_are_not_contradicted_and_wrong_ones_are(rng):
    for off_m, is_wrong in ((0.0, False), (0.05, False), (0.5, True), (1.0, True)):
        sums, _ = heard(told(off_m), rng, windows=4)
        told_z, others = sums.standing()
        assert sums.are_contradicted() == is_wrong
        assert (others > told_z + MARGIN) == is_wrong


def test_without_echoes_nothing_is_said(rng):
    for off_m in (0.0, 0.5):
        sums, _ = heard(told(off_m), rng, windows=4, echo=0.0)
        assert not sums.are_contradicted()


def test_one_window_convicts_no_wall(rng):
    source = np.array([2.0, 3.0, 1.2])
    once, _ = heard(told(0.5), np.random.default_rng(0), source=source)
    again, _ = heard(told(0.5), np.random.default_rng(0), source=source, windows=FEWEST_WINDOWS)
    assert (once.are_contradicted(), again.are_contradicted()) == (False, True)


def test_a_wall_that_would_cut_the_room_is_none(rng):
    """Microphones reach to 0.3 m from the walls, or nearer: no wall stands far within."""
    _, walls = heard(ROOM, rng)
    assert np.isnan(walls[np.abs(SHIFTS_M + MOST_OFF_M).argmin()]).all()
    assert np.isfinite(walls[np.abs(SHIFTS_M).argmin()]).all()


def test_a_known_coordinate_has_no_walls(rng):
    _, walls = heard(((0.0, 0.0, 1.2), (6.0, 5.0, 1.2)), rng, source=np.array([2.0, 3.0, 1.2]))
    assert np.isnan(walls[:, 4:]).all()
    assert np.isfinite(walls[np.abs(SHIFTS_M).argmin(), :4]).all()


def test_too_few_microphones_hear_no_wall(rng):
    _, walls = heard(ROOM, rng, count=2)
    assert np.isnan(walls).all()


def test_a_repeated_sound_is_no_echo(rng):
    """Sent again after 8 ms it is heard as if 2.7 m further away, and as much nearer: both halves of the profile have it."""
    positions = rng.uniform([0.3] * 3, [5.7, 4.7, 2.7], (8, 3))
    place = np.array([2.0, 3.0, 1.2])
    scene = echoing_scene(positions, place, ROOM, rng, echo=0.0, repeats_s=0.008)
    evidence = Correlator()(scene.audio.copy(), scene, physics.pair_indices(8))
    walls = heard_walls(evidence, np.ones(8, dtype=bool), place, ROOM)
    assert np.nanmax(walls) < 6


def test_silence_is_finite():
    sums = WallSums()
    sums.add(np.full((len(SHIFTS_M), 6), np.nan))
    assert sums.standing() == (0.0, 0.0)
    assert not sums.are_contradicted()


@pytest.mark.parametrize("windows", [1, 3])
def test_sums_grow_with_the_root_of_the_windows(windows):
    sums = WallSums()
    for _ in range(windows):
        sums.add(np.ones((len(SHIFTS_M), 6)))
    assert sums.standing() == pytest.approx([6**0.5 * windows**0.5] * 2)


@pytest.mark.parametrize(
    ("lead", "windows", "is_confirmed"), [(MARGIN + 0.1, 2, True), (MARGIN - 0.1, 2, False), (MARGIN + 0.1, 1, False)]
)
def test_walls_are_confirmed_by_as_much_as_others_would_contradict_them(lead, windows, is_confirmed):
    """One wall answers where it was told, so much better than anywhere else."""
    sums, z = WallSums(), np.full((len(SHIFTS_M), 6), np.nan)
    z[:, 0] = np.where(np.abs(SHIFTS_M) < KNOWN_M, 1 + lead, 1.0)
    for _ in range(windows):
        sums.add(z / windows**0.5)
    assert sums.are_confirmed() == is_confirmed
    assert not sums.are_contradicted()


@pytest.mark.parametrize(("off_m", "is_another"), [(0.16, False), (0.24, True)])
def test_a_wall_that_is_heard_two_decimetres_off_is_another(off_m, is_another):
    """Nearer to where it was told it may be the same one."""
    sums = WallSums()
    for _ in range(FEWEST_WINDOWS):
        sums.add(np.where(np.abs(SHIFTS_M - off_m) < 0.01, 2 * MARGIN, 0.0)[:, None] * np.ones(6))
    assert sums.are_contradicted() == is_another
