"""What shows that a solution is wrong: each sign alone, in words; and none in a right one."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.calibrations import listed
from helpers.walks import ROOM, SPEED_M_S, array, walk
from soundfix.calibration.bundle import Arrivals, Covariance, Freedom, Layout, Solution
from soundfix.calibration.doubts import leaps_of, reasons, spots_of
from soundfix.calibration.outcome import Outcome


@pytest.fixture
def right(rng):
    """Eight microphones where the list has them, and a walk that they heard to the millimetre."""
    places, sources, still = array(rng, 8), walk(rng), np.zeros(8)
    path_m = np.linalg.norm(sources[:, None] - places, axis=-1)
    layout = Layout(positions=places, offset_m=still, drift_m_s=still, sources=sources)
    return Outcome(
        solution=Solution(
            layout=layout,
            residual_m=np.full(path_m.shape, 0.001),
            cost=0.1 * path_m.size,
            covariance=Covariance(positions=np.zeros((8, 3, 3)), offset_m=still, drift_m_s=still, kappa=0.0),
        ),
        freedom=Freedom(positions=still + 0.08, offset_m=still, drift_m_s=still),
        arrivals=Arrivals(path_m=path_m, sigma_m=np.full(path_m.shape, 0.01), times_s=np.arange(len(path_m)) / 2),
        listed=layout,
        order=np.arange(8),
        unit="metres",
        microphones=listed(places),
        speed_m_s=SPEED_M_S,
        images={},
        has_free_clocks=False,
    )


def changed(outcome, **layout):
    return replace(outcome, solution=replace(outcome.solution, layout=replace(outcome.solution.layout, **layout)))


def test_a_right_solution_is_not_doubted(right):
    assert reasons(right, ROOM) == ()


@pytest.mark.parametrize(("kappa", "is_told"), [(0.91, True), (0.97, False), (1.03, False), (1.05, True)])
def test_air_that_there_is_not(right, kappa, is_told):
    told = reasons(changed(right, kappa=kappa), ROOM)
    assert bool(told) == is_told
    if is_told:
        assert told[0].startswith(f"a speed of sound of {343 * kappa:.0f} m/s fits best, 343 was told")


def test_moments_without_a_place(right):
    residual_m = right.solution.residual_m.copy()
    for moment in range(40):
        residual_m[moment, (moment + np.arange(4)) % 8] = 0.5
    told = reasons(replace(right, solution=replace(right.solution, residual_m=residual_m)), ROOM)
    assert told[0] == "only 20 of 60 moments have a place on which enough microphones agree"


def test_a_misfit_that_does_not_fall(right):
    residual_m = np.full(right.solution.residual_m.shape, 0.0152)  # half of log(1 + 1.52²) is 0.6
    told = reasons(replace(right, solution=replace(right.solution, residual_m=residual_m)), ROOM)
    assert told == ("nothing fits all that was heard well: misfit 0.60, wanted 0.45 or less",)


def test_one_that_hears_chance_makes_nobody_else_doubtful(right, rng):
    residual_m = right.solution.residual_m.copy()
    residual_m[:, 3] = rng.uniform(1, 8, len(residual_m))
    assert reasons(replace(right, solution=replace(right.solution, residual_m=residual_m)), ROOM) == ()


def test_a_list_of_which_little_is_left(right):
    place, late = np.where(np.arange(8) < 2, np.inf, 0.08), np.where(np.arange(8) > 5, np.inf, 0.0)
    told = reasons(replace(right, freedom=replace(right.freedom, positions=place, offset_m=late)), ROOM)
    assert told == ("only 4 of 8 listed microphones are near where the list has them and on time",)
    free = replace(right, freedom=replace(right.freedom, offset_m=late + np.inf), has_free_clocks=True)
    assert reasons(free, ROOM) == ()


def test_a_track_that_leaps(right):
    sources = right.solution.layout.sources.copy()
    sources[5:55:10] = 7.0 - sources[5:55:10]
    told = reasons(changed(right, sources=sources), None)
    assert told == ("the track leaps to and fro by metres, at 5 % of the moments",)  # 3 of 58


def test_sounds_that_jump_from_place_to_place_do_not_leap_back(rng):
    places = np.repeat(rng.uniform(0, 7, (15, 3)), 4, axis=0)
    assert leaps_of(places, np.arange(60) / 2) == (0, 58)


def test_two_moments_heard_wrongly_are_no_leaping_track(right):
    sources = np.linspace([1.0, 1.0, 0.8], [6.0, 7.0, 1.8], 60)
    sources[[15, 35]] += 3.0
    assert leaps_of(sources, np.arange(60) / 2) == (2, 58)
    assert reasons(changed(right, sources=sources), None) == ()


def test_who_is_away_for_long_does_not_leap(rng):
    places = np.zeros((60, 3))
    places[::2, 0] = 3.0
    assert leaps_of(places, 2.0 * np.arange(60)) == (0, 0)


def test_a_track_that_leaves_the_room(right):
    sources = right.solution.layout.sources + np.where(np.arange(60) < 12, 9.0, 0.0)[:, None]
    told = reasons(changed(right, sources=sources), ROOM)
    assert told == ("the track leaves the room at 20 % of the moments",)
    assert reasons(changed(right, sources=sources), None) == ()


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize(("beyond_m", "is_told"), [(0.25, False), (0.35, True)])
@pytest.mark.parametrize("side", [0, 1])
def test_walls_are_known_to_30_cm(right, axis, side, beyond_m, is_told):
    sources = right.solution.layout.sources.copy()
    sources[::5, axis] = ROOM[side][axis] + (2 * side - 1) * beyond_m
    told = reasons(changed(right, sources=sources), ROOM)
    assert ("the track leaves the room at 20 % of the moments" in told) == is_told


@pytest.mark.parametrize(("apart", "is_told"), [(0.04, True), (0.07, False)])
def test_places_a_twentieth_of_the_array_s_width_apart_are_several(right, apart, is_told):
    width_m = np.linalg.norm(np.ptp(right.solution.layout.positions, axis=0))
    line = right.solution.layout.sources[0] + np.outer(np.arange(60) // 6, [apart * width_m, 0, 0])
    told = reasons(changed(right, sources=line), None)
    assert any("places only" in each for each in told) == is_told


@pytest.mark.parametrize(("spots", "is_told"), [(1, True), (5, True), (7, False)])
def test_a_sound_that_stays_where_it_is(right, spots, is_told):
    """So few places leave each microphone something to be wrong by."""
    places = right.solution.layout.sources
    few = places[np.linspace(0, len(places) - 1, spots).astype(int)][np.arange(len(places)) * spots // len(places)]
    told = reasons(changed(right, sources=few), ROOM)
    assert any("places only, wanted 6 or more" in each for each in told) == is_told


def test_places_near_each_other_are_one():
    places = np.array([(0.0, 0, 0), (0.1, 0, 0), (1, 0, 0), (1.05, 0.1, 0), (0, 2, 0)])
    assert spots_of(places, 0.3) == 3
    assert spots_of(places[:0], 0.3) == 0


@pytest.mark.parametrize(("times", "is_told"), [(1.0, False), (8.0, True)])
def test_an_array_wider_than_what_this_was_made_for(right, times, is_told):
    layout = right.solution.layout
    told = reasons(changed(right, positions=times * layout.positions, sources=times * layout.sources), None)
    assert any("m apart, and this was made for arrays of 25 m at most" in each for each in told) == is_told


@pytest.mark.parametrize(("times", "is_told"), [(1.0, False), (4.0, True)])
def test_a_shape_too_large_to_have_been_crossed(right, times, is_told):
    """Of which no position was known, so that it may as well be 40 m away."""
    shape = replace(right, freedom=replace(right.freedom, positions=np.full(8, np.inf)))
    layout = right.solution.layout
    told = reasons(changed(shape, positions=times * layout.positions + 40, sources=times * layout.sources + 40), None)
    assert ("the sound never crossed the array, as large as it came out" in told) == is_told
