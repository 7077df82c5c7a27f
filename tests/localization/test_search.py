"""The search looks beyond the box where the microphones agree on a place outside."""

from dataclasses import replace

import numpy as np
import pytest

import soundfix
from helpers.field_songs import wood_with_songs
from helpers.scenes import anechoic_scene
from soundfix.localization import search
from soundfix.localization.arrival_fit import AIR, TOLD_AIR, Fix, Known, fit_arrivals
from soundfix.localization.evidence import Evidence
from soundfix.search_region import SearchRegion

LOCALIZER = soundfix.load("srp-phat")


def test_a_source_beyond_the_box_is_not_clamped_silently(rng):
    positions = rng.uniform([0.1] * 3, [3.9, 3.9, 2.9], (8, 3))
    estimate = LOCALIZER.locate(
        anechoic_scene(positions, np.array([4.5, 2.0, 1.5]), rng, room=((0.0,) * 3, (4.0, 4.0, 3.0)))
    )
    assert estimate.verdict != "ok"
    assert {"outside_room", "at_border"} & set(estimate.reasons)
    assert np.linalg.norm(estimate.sources[0].position_m - [4.5, 2.0, 1.5]) < 0.1


def test_a_source_beyond_the_wall_is_nobodys_fault():
    positions = np.random.default_rng(3).uniform([0.1] * 3, [3.9, 3.9, 2.9], (8, 3))
    source, room = np.array([4.5, 2.0, 1.5]), ((0.0, 0.0, 0.0), (4.0, 4.0, 3.0))
    estimate = LOCALIZER.locate(anechoic_scene(positions, source, np.random.default_rng(0), room=room))
    assert {report.status for report in estimate.microphones} == {"ok"}
    assert np.linalg.norm(estimate.sources[0].position_m - source) < 0.1


ROOM = ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))
SOURCE = np.array([2.0, 3.0, 1.7])


def located(told=None, height_m=None, *, source=SOURCE, room=None, count=8, localizer=LOCALIZER, seconds=0.5):
    positions = np.random.default_rng(8).uniform([0.1] * 3, [5.9, 4.9, 2.9], (8, 3))[:count]
    scene = anechoic_scene(positions, source, np.random.default_rng(0), room=room, seconds=seconds)
    return localizer.locate(replace(scene, search=SearchRegion.of(told, height_m)))


@pytest.mark.parametrize("name", ["srp-phat", "multilateration", "multilat", "three-stream"])
@pytest.mark.parametrize("told", [{"height_m": 1.7}, {"search": [[0, 0], [6, 0], [6, 5], [0, 5]]}])
def test_every_method_seeks_where_it_is_told(name, told):
    estimate = located(told.get("search"), told.get("height_m"), localizer=soundfix.load(name))
    assert np.linalg.norm(estimate.sources[0].position_m - SOURCE) < 0.05


@pytest.mark.parametrize("height_m", [1.7, (1.68, 1.73)])
def test_three_microphones_are_enough_at_a_known_height(height_m):
    estimate = located(height_m=height_m, count=3)
    nearest = min(np.linalg.norm(source.position_m - SOURCE) for source in estimate.sources)
    assert nearest < 0.06
    assert located(count=3).verdict == "abstain"


def test_a_known_height_is_not_at_the_border():
    for height_m in (1.7, (1.68, 1.73), (1.66, 1.76)):
        assert "at_border" not in located(height_m=height_m).reasons


def test_an_inexact_height_is_uncertain_by_that_and_moves_the_rest():
    exact, thick = (located(height_m=told).sources[0].covariance_m2 for told in (1.705, (1.68, 1.73)))
    assert thick[2, 2] - exact[2, 2] == pytest.approx(0.05**2 / 12, rel=1e-3)
    assert (np.diag(thick)[:2] > [1.5, 1.03] * np.diag(exact)[:2]).all()


def test_the_region_holds_sources_anywhere_in_a_slab():
    """Without noise the height alone is wrong: the error is as the covariance says."""
    for z in (1.68, 1.73):
        found = located(height_m=(1.68, 1.73), source=np.array([2.0, 3.0, z])).sources[0]
        off_m = found.position_m - [2.0, 3.0, z]
        assert off_m @ np.linalg.solve(found.covariance_m2, off_m) < 6.251


def test_no_answer_is_outside_a_polygon():
    """The room's other half is as loud: without the polygon it answers there."""
    elsewhere = [[3, 0], [6, 0], [6, 5], [3, 5]]
    for name in ("srp-phat", "multilateration", "three-stream"):
        estimate = located(elsewhere, height_m=1.7, localizer=soundfix.load(name))
        assert all(source.position_m[0] >= 3 - 1e-9 for source in estimate.sources)


def test_a_peak_a_little_outside_a_polygon_is_one_on_its_edge():
    for region in ([[2.03, 0], [6, 0], [6, 5], [2.03, 5]], ((2.03, 0, 0), (6, 5, 3)), [[2, 0], [6, 0], [6, 5], [2, 5]]):
        estimate = located(region)
        assert estimate.sources[0].position_m == pytest.approx(SOURCE, abs=0.04)
        assert "at_border" in estimate.reasons
        assert any("search region" in note for note in estimate.notes)
        assert {report.status for report in estimate.microphones} == {"ok"}


def test_what_is_agreed_on_outside_the_search_region_is_told_and_no_answer():
    for region in (((3.0, 0, 0), (6, 2, 3)), [[3, 0], [6, 0], [6, 2], [3, 2]]):
        estimate = located(region)
        assert (estimate.verdict, estimate.reasons) == ("abstain", ("outside_search",))
        assert np.linalg.norm(estimate.guess_m[0] - SOURCE) < 0.05


def test_a_polygon_excludes_the_mirror_twin():
    """Microphones on an upright plane: the twin is behind it."""
    positions = np.random.default_rng(3).uniform([0.2] * 3, [5.8, 4.8, 2.8], (8, 3))
    positions[:, 0] = 3.0
    scene = anechoic_scene(positions, SOURCE, np.random.default_rng(0), room=ROOM)
    half = SearchRegion.of([[0, 0], [2.9, 0], [2.9, 5], [0, 5]])
    both, one = (LOCALIZER.locate(each) for each in (scene, replace(scene, search=half)))
    assert "mirror_twin" in both.reasons
    assert (one.verdict, len(one.sources)) == ("ok", 1)


HALL = np.array([(0.0, 0, 3), (0, 0, 14), (17, 9, 3), (17, 9, 14), (1, 19, 3), (1, 19, 14)])
OVERHEAD = np.array([-5.0, 33.0, 145.0])


def test_six_microphones_look_beyond_where_it_stands_out_clearly():
    """It is beyond the smaller of the far boxes too."""
    estimate = LOCALIZER.locate(anechoic_scene(HALL, OVERHEAD, np.random.default_rng(0), snr_db=20.0))
    source = estimate.sources[0]
    off_m, way_m = source.position_m - OVERHEAD, OVERHEAD - HALL.mean(axis=0)
    assert off_m @ np.linalg.solve(source.covariance_m2, off_m) < 6.251
    assert np.linalg.norm(np.cross(off_m, way_m)) / np.linalg.norm(way_m) < 1.0
    assert "several_places" not in estimate.reasons


def test_six_microphones_stay_at_home_where_one_of_them_is_late():
    for seed in range(4):
        rng = np.random.default_rng(seed)
        scene = anechoic_scene(HALL, rng.uniform([1, 1, 4], [14, 16, 12]), rng, snr_db=20.0)
        audio = scene.audio.copy()
        audio[seed] = np.roll(audio[seed], 160)
        estimate = LOCALIZER.locate(replace(scene, audio=audio))
        assert all(np.abs(source.position_m).max() < 40 for source in estimate.sources)


def test_no_box_is_below_the_ground_outdoors():
    positions = np.array([(0.0, 0, 5), (40, 0, 6), (0, 40, 7), (40, 40, 5.5), (20, 15, 6)])
    scene = anechoic_scene(positions, np.array([10.0, 10, 8]), np.random.default_rng(0))
    for times in search.FAR:
        low, high = search._far_box(scene, times)
        assert low[2] == scene.ground_m == 3.0
        assert low[0] == pytest.approx(-20 - 80 * times)
        assert high[2] == pytest.approx(27 + 80 * times)
    indoors = replace(scene, room=((-1.0, -1.0, 0.0), (41.0, 41.0, 9.0)))
    assert search._far_box(indoors, 2.0)[0, 2] < -100


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("axis", range(3))
def test_a_share_of_a_side_from_the_border_is_inside_and_less_is_not(axis, side):
    box = np.array([[0.0, 0, 0], [10, 20, 5]])
    sides, middle = box[1] - box[0], box.mean(axis=0)
    for share, is_inside in ((0.12, True), (0.08, False)):
        place = middle.copy()
        place[axis] = box[side, axis] + (1 - 2 * side) * share * sides[axis]
        assert search._is_inside(place, box, 0.1) == is_inside


def test_of_places_where_pairs_have_peaks_the_one_that_costs_least():
    places = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    fixes = [
        Fix(place, np.eye(3), 0.0, 0.0, np.zeros(4), cost) for place, cost in zip(places, (3.0, 2.0, 1.0), strict=True)
    ]

    pairs = np.array([[0, 1]])
    values = np.interp(np.arange(-30, 31) / 10, [-2, 0, 2], [1.0, 0.9, 0.1])[None].astype(np.float32)
    stand = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])  # the first is heard 2 m sooner, as soon, 2 m later
    broad = Evidence(pairs=pairs, values=values, step_m=0.1, positions=stand)
    assert search._likeliest(fixes, broad).cost == 2.0


@pytest.mark.parametrize(("slower", "times"), [(0.0, 2), (-0.008, 2), (-0.02, 4)])
def test_where_the_air_is_found_to_be_another_one_it_is_believed_for_once(slower, times):
    asked = []

    def fit(place, *, believes=False):
        asked.append((place[0], believes))
        return Fix(place, np.eye(3), 0.0 if believes else slower, 0.0, np.zeros(4), 0.0)

    starts = [np.full(3, 1.0), np.full(3, 2.0)]
    fixes = search._fits(fit, starts, Known(is_declared=True, is_under_sky=True, air=TOLD_AIR))
    assert asked == [(1.0, False), (2.0, False), (1.0, True), (2.0, True)][:times]
    assert len(fixes) == times


def test_air_is_held_to_what_was_told_only_where_it_was(monkeypatch):
    known = []

    def fit(*told, **named):
        known.append(named["known"].air)
        return fit_arrivals(*told, **named)

    monkeypatch.setattr(search, "fit_arrivals", fit)
    (scene, _) = wood_with_songs(songs=1)
    song = replace(scene.part(int(1.5 * scene.sample_rate), int(2.5 * scene.sample_rate)), temperature_c=None)
    for told in ({}, {"temperature_c": 15.0}, {"speed_of_sound_m_s": 340.0}):
        known.clear()
        assert LOCALIZER.locate(replace(song, **told)).sources
        assert set(known) == {TOLD_AIR if told else AIR}


@pytest.mark.parametrize("told", ["a region", "a room"])
def test_beside_recorders_that_are_not_exact_a_place_stays_where_it_was_told_to_be(told):
    """The sound comes from 2 m beyond that: as near to it as may be, not further out along its ray."""
    positions = np.array([(x, y, 1 + (x + 2 * y) / 20 % 3) for x in (0.0, 20, 40) for y in (0.0, 20, 40)])
    scene = anechoic_scene(positions, np.array([56.0, 18.0, 4.0]), np.random.default_rng(0), sigma_m=np.full(9, 0.3))
    box = ((-10.0, -10.0, 0.0), (54.0, 50.0, 10.0))
    scene = replace(scene, room=box) if told == "a room" else replace(scene, search=SearchRegion.of(box))
    places = [source.position_m for source in LOCALIZER.locate(scene).sources]
    assert places
    assert all(place[0] <= 54.0 + 1e-6 for place in places)
    assert min(np.linalg.norm(place - [54.0, 18.0, 4.0]) for place in places) < 2


SMALL = np.random.default_rng(3).uniform(0, 1.6, (10, 3))


def small_array(source, **told):
    rng = np.random.default_rng(1)
    return anechoic_scene(SMALL, np.array(source), rng, sigma_m=np.full(len(SMALL), 0.01), **told)


@pytest.mark.parametrize("source", [[4.5, 1.0, 1.2], [7.0, 1.0, 1.2]])
def test_beyond_the_box_round_a_small_array_a_place_is_found_where_it_is(source):
    """At the border it was said to be, half a metre or three beside, in a region without it."""
    estimate = LOCALIZER.locate(small_array(source))
    assert (estimate.verdict, estimate.direction) == ("ok", None)
    assert np.linalg.norm(estimate.sources[0].position_m - source) < 0.1


def test_where_somebody_told_the_room_its_end_is_an_end():
    room = ((-2.0, -2.0, -2.0), (3.8, 3.8, 3.8))
    estimate = LOCALIZER.locate(small_array([4.5, 1.0, 1.2], room=room))
    assert "outside_room" in estimate.reasons or "at_border" in estimate.reasons
    assert estimate.direction is None


def test_so_far_from_a_small_array_it_is_a_direction():
    source = np.array([24.0, 9.0, 1.0])
    estimate = LOCALIZER.locate(small_array(source))
    assert estimate.verdict == "direction only"
    ray = source - SMALL.mean(axis=0)
    assert estimate.direction.azimuth_deg == pytest.approx(np.degrees(np.arctan2(ray[1], ray[0])), abs=2)
    assert estimate.direction.cone90_deg < 10
