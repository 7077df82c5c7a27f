"""Calibration: unknown and wrong positions, late and drifting clocks, exchanged channels, shapes; and what it admits."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.calibrations import listed
from helpers.walks import ROOM, hearing, walk
from soundfix.calibration import self_localization
from soundfix.calibration.calibrate import calibrate
from soundfix.calibration.initial_guess import procrustes
from soundfix.errors import SceneError
from soundfix.report.calibration import lines
from soundfix.simulation.worlds import LUVIRA_TWIN

STUDIO = np.array(LUVIRA_TWIN.positions_m)


def found_m(result):
    return np.array([repair.position_m for repair in result.repairs])


def findings(result):
    return [repair.finding for repair in result.repairs]


def test_a_list_that_is_right_is_left_as_it_is(places, sources, rng):
    result = calibrate(hearing(places, sources, rng), listed(places), room=ROOM)
    assert findings(result) == ["good"] * 11
    assert np.linalg.norm(result.microphones.positions - places, axis=1).max() < 0.01
    assert result.microphones.sigma_m.min() > 0
    assert result.microphones.sigma_m.max() < 0.02
    assert result.doubts == ()
    assert np.median(np.linalg.norm(result.sources - sources[: len(result.sources)], axis=1)) < 1.0
    assert result.stand_m is None
    assert result.speed_m_s == pytest.approx(343.0, abs=3 * result.speed_sigma_m_s + 0.2)


def test_four_unknown_positions_are_found_as_well_as_said(places, sources, rng):
    blank = places.copy()
    blank[[1, 4, 5, 9]] = np.nan
    result = calibrate(hearing(places, sources, rng), listed(blank), room=ROOM)
    assert [findings(result)[m] for m in (1, 4, 5, 9)] == ["placed"] * 4
    off = found_m(result) - places
    assert np.linalg.norm(off, axis=1).max() < 0.05
    squared = [off[m] @ np.linalg.solve(result.repairs[m].covariance_m2, off[m]) for m in (1, 4, 5, 9)]
    assert np.mean(squared) < 9.0  # 3 on average
    assert result.microphones.sigma_m[1] > 0


def test_a_list_in_utm(places, sources, rng):
    """A list near its origin and one far from it differ by rounding, and the search for places by what that makes of it."""
    utm = np.array([691_000.0, 5_330_000.0, 510.0])
    low, high = (np.array(ROOM) + utm).tolist()
    blank = places.copy()
    blank[[1, 4]] = np.nan
    result = calibrate(hearing(places, sources, rng), listed(blank + utm), room=(tuple(low), tuple(high)))
    assert [findings(result)[m] for m in (1, 4)] == ["placed"] * 2
    assert np.linalg.norm(found_m(result) - utm - places, axis=1).max() < 0.05
    assert result.doubts == ()


@pytest.mark.slow
def test_wrong_positions_and_late_clocks_are_told_apart(places, sources, rng):
    wrong = places.copy()
    wrong[2] += [0.6, -0.6, 0.4]
    offset_s, drift_ppm = np.zeros(11), np.zeros(11)
    offset_s[6], drift_ppm[8] = 0.006, 80.0
    sound = hearing(places, sources, rng, offset_s=offset_s, drift_ppm=drift_ppm, wrong=0.02)
    result = calibrate(sound, listed(wrong), room=ROOM)
    told = findings(result)
    assert (told[2], told[6], told[8]) == ("misplaced", "late", "drifting")
    assert told.count("good") == 8
    assert np.linalg.norm(found_m(result)[2] - places[2]) < 0.05
    assert result.repairs[6].offset_s == pytest.approx(0.006, abs=50e-6)
    assert result.repairs[8].drift_ppm == pytest.approx(80.0, abs=15.0)
    assert result.repairs[2].before_m > 0.2 > 0.02 > result.repairs[2].after_m
    assert result.microphones.offset_s[6] == pytest.approx(0.006, abs=50e-6)


def test_exchanged_channels_are_proposed_as_a_permutation(places, sources, rng):
    wrong = places.copy()
    wrong[[3, 7]] = wrong[[7, 3]]
    result = calibrate(hearing(places, sources, rng), listed(wrong), room=ROOM)
    assert [(r.name, r.other) for r in result.repairs if r.finding == "swapped"] == [("mic4", "mic8"), ("mic8", "mic4")]
    assert findings(result).count("good") == 9
    assert np.linalg.norm(found_m(result) - places, axis=1).max() < 0.05


def test_clocks_that_all_run_freely(places, sources, rng):
    offset_s = rng.uniform(-0.02, 0.02, 11)
    sound = hearing(places, sources, rng, offset_s=offset_s)
    steps = []
    result = calibrate(sound, listed(places), room=ROOM, clocks="free", watch=steps.append)
    assert (steps[0], steps[-1], len(set(steps))) == ("clocks, start 1 of 8", "how sure that is", 9)
    off_s = np.array([r.offset_s + 1e-6 * r.drift_ppm * 15 for r in result.repairs]) - (offset_s - offset_s[0])
    assert np.median(np.abs(off_s)) < 50e-6
    assert result.has_free_clocks
    assert any("clocks run by that of mic1" in line for line in lines(result, listed(places)))


@pytest.mark.slow
def test_a_shape_without_any_position(rng, monkeypatch):
    monkeypatch.setattr(self_localization, "STARTS", 2)
    places = STUDIO
    sound = hearing(places, walk(rng), rng, wrong=0.0)
    result = calibrate(sound, listed(np.full((11, 3), np.nan)))
    assert result.is_relative
    off = np.linalg.norm(procrustes(shape_of(result), places).positions - places, axis=1)
    assert off.max() < 0.15
    said = list(lines(result, result.microphones))
    assert any("but for a turn" in line for line in said)
    assert not result.is_doubtful
    assert not any("may be wrong" in line for line in said)


@pytest.mark.slow
def test_a_shape_that_fits_badly_is_doubted(rng, monkeypatch):
    monkeypatch.setattr(self_localization, "STARTS", 1)
    sound = hearing(STUDIO, walk(rng), rng, wrong=0.4)
    result = calibrate(sound, listed(np.full((11, 3), np.nan)))
    assert result.is_doubtful
    assert any("the layout may be wrong" in line for line in lines(result, result.microphones))


@pytest.mark.slow
def test_four_known_positions_fix_the_shape_in_space(rng, monkeypatch):
    monkeypatch.setattr(self_localization, "STARTS", 2)
    places = STUDIO
    few = places.copy()
    few[4:] = np.nan
    result = calibrate(hearing(places, walk(rng), rng, wrong=0.0), listed(few), room=ROOM)
    assert not result.is_relative
    assert np.median(np.linalg.norm(found_m(result) - places, axis=1)) < 0.15


def shape_of(result):
    from soundfix.calibration.bundle import Layout

    blank = np.zeros(len(result.repairs))
    return Layout(positions=found_m(result), offset_m=blank, drift_m_s=blank, sources=result.sources)


def test_one_place_is_not_enough_motion_and_it_says_where_to_stand(places, rng):
    blank = places.copy()
    blank[0] = np.nan
    still = np.array([3.5, 4.0, 1.2]) + 0.02 * rng.standard_normal((40, 3))
    result = calibrate(hearing(places, still, rng, wrong=0.0), listed(blank), room=ROOM)
    assert result.stand_for == "mic1"
    assert any(
        line.startswith("not enough motion yet for mic1: next, stand near (") for line in lines(result, listed(blank))
    )


def test_a_microphone_that_hears_nothing_stays_as_listed(places, sources, rng):
    sound = hearing(places, sources, rng)
    path_m = sound.arrivals.path_m.copy()
    path_m[:, 5] = np.nan
    sound = replace(
        sound, arrivals=replace(sound.arrivals, path_m=path_m), partners=np.where(np.isfinite(path_m), 10, 0)
    )
    result = calibrate(sound, listed(places), room=ROOM)
    assert result.repairs[5].finding == "unheard"
    assert np.array_equal(result.microphones.positions[5], places[5])
    assert result.microphones.sigma_m[5] == 0


@pytest.mark.slow
def test_chance_is_no_place(places, sources, rng):
    """A microphone whose arrivals are noise is not given a position."""
    sound = hearing(places, sources, rng)
    path_m = sound.arrivals.path_m.copy()
    path_m[:, 5] = rng.uniform(-8, 8, len(path_m))
    result = calibrate(replace(sound, arrivals=replace(sound.arrivals, path_m=path_m)), listed(places), room=ROOM)
    assert findings(result) == ["good"] * 5 + ["unsure"] + ["good"] * 5
    assert np.array_equal(result.microphones.positions[5], places[5])


def test_too_few_moments(places, sources, rng):
    with pytest.raises(SceneError, match="3 moments at which enough microphones hear the same, wanted 8 or more"):
        calibrate(hearing(places, sources[:3], rng, missing=0.0), listed(places), room=ROOM)
