"""Errors of arrivals: declared or usual, in metres of path; evidence as broad as they are; what stands out of chance."""

from dataclasses import replace

import numpy as np
import pytest

from soundfix import physics
from soundfix.localization.arrival_errors import (
    BROAD_M,
    WELSCH,
    above_chance,
    are_large,
    arrival_sigma_m,
    broadened,
    from_middle_m,
    is_declared,
    with_wind_m,
)
from soundfix.localization.evidence import Evidence
from soundfix.microphones import Microphones
from soundfix.scene import Scene

GRID = np.array([(x, y, 1.5 + 0.1 * x % 1) for x in (0.0, 40.0, 80.0) for y in (0.0, 40.0, 80.0)])


def scene(positions=GRID, **told):
    columns = {name: told.pop(name) for name in ("sigma_m", "clock_sigma_s") if name in told}
    microphones = Microphones(positions=positions, **columns)
    return Scene(
        audio=np.zeros((len(positions), 16000), np.float32), sample_rate=16000.0, microphones=microphones, **told
    )


def evidence(peaks_m, step_m=0.02, reach_m=30.0):
    """Three microphones; each pair's curve has one narrow peak of 1 at this range difference."""
    lags = np.arange(-round(reach_m / step_m), round(reach_m / step_m) + 1)
    values = (lags[None] == np.rint(np.array(peaks_m)[:, None] / step_m)).astype(np.float32)
    positions = np.array([(0.0, 0, 0), (10, 0, 0), (0, 10, 0)])
    return Evidence(pairs=physics.pair_indices(3), values=values, step_m=step_m, positions=positions)


def test_positions_and_clocks_add_up_in_metres_of_path():
    sigma_m = arrival_sigma_m(scene(sigma_m=np.full(9, 0.4), clock_sigma_s=np.full(9, 1e-3), speed_of_sound_m_s=300.0))
    assert sigma_m == pytest.approx(0.5)


def test_outdoors_something_is_usual_where_nothing_is_declared():
    usual = arrival_sigma_m(scene())
    assert (usual > BROAD_M).all()
    assert usual == pytest.approx(0.3 + 0.004 * 80 * 2**0.5, rel=1e-6)
    assert not is_declared(scene())
    assert are_large(scene())


def test_outdoors_a_few_centimetres_are_large_among_walls_they_are_not():
    some = {"sigma_m": np.full(9, 0.08), "speed_of_sound_m_s": 340.0}
    assert are_large(scene(**some))
    assert not are_large(scene(**some | {"sigma_m": np.full(9, 0.03)}))
    walls = replace(scene(**some), room=((-100.0, -100.0, 0.0), (100.0, 100.0, 10.0)))
    assert not are_large(walls)


def test_a_wind_may_do_the_more_the_further_from_the_middle():
    told = {"sigma_m": np.full(9, 0.3), "speed_of_sound_m_s": 340.0}
    windy = with_wind_m(scene(**told, wind_m_s=3.4))
    assert windy[4] == pytest.approx(0.3, abs=1e-3)
    assert windy[0] == pytest.approx(np.hypot(0.3, 0.01 * 40 * 2**0.5), rel=1e-3)
    assert with_wind_m(scene(**told)) == pytest.approx(0.3)
    assert are_large(scene(sigma_m=np.full(9, 0.1), wind_m_s=5.0))


def test_in_a_small_array_in_the_wind_errors_are_small_but_some():
    assert arrival_sigma_m(scene(GRID / 10, wind_m_s=3.0)) == pytest.approx(0.03)
    assert not are_large(scene(GRID / 10, wind_m_s=3.0))


def test_where_positions_are_unknown_there_is_no_distance_from_the_middle():
    positions = np.vstack([GRID, np.full(3, np.nan)])
    assert from_middle_m(positions)[-1] == 0
    assert from_middle_m(positions)[:-1] == pytest.approx(from_middle_m(GRID))


def test_in_a_room_nothing_is_usual():
    assert not arrival_sigma_m(scene(GRID / 10)).any()
    assert not arrival_sigma_m(scene(room=((-1.0, -1.0, 0.0), (90.0, 90.0, 20.0)))).any()
    assert not are_large(scene(GRID / 10, sigma_m=np.full(9, 0.15)))


@pytest.mark.parametrize("column", [{"sigma_m": np.full(9, 0.05)}, {"clock_sigma_s": np.full(9, 1e-4)}])
def test_who_declares_errors_is_believed(column):
    assert is_declared(scene(**column))
    assert not are_large(scene(**column))


def test_gaussians_are_as_broad_as_a_robust_fit_wants_them():
    """Welsch's constant for an efficiency of 95 % (2.985) in weights exp(-(r / c)²), over the square root of 2."""
    assert pytest.approx(2.985 / 2**0.5, rel=0.01) == WELSCH


def test_a_peak_counts_beside_as_a_gaussian_does():
    broad = broadened(evidence([5.0, -3.0, 0.0]), np.array([1.0, 1.0, 1.0]))
    reach_m = WELSCH * 2**0.5
    for off_m in (0.0, 1.0, 3.0, 5.0):
        wanted = np.exp(-0.5 * (off_m / reach_m) ** 2)
        assert broad.at(np.array([5.0 + off_m, -3.0 - off_m, off_m])) == pytest.approx(wanted, abs=0.06)
    assert broad.is_broad
    assert broad.errors_hide_waves


def test_pairs_are_as_broad_as_their_own_two_microphones():
    broad = broadened(evidence([5.0, -3.0, 0.0]), np.array([2.0, 0.5, 0.5]))
    off = broad.at(np.array([7.0, -1.0, 2.0]))
    assert off[0] == pytest.approx(off[1], abs=0.05)
    assert off[0] > off[2] + 0.3


def test_what_is_usual_is_zero():
    rng = np.random.default_rng(0)
    noise = replace(evidence([5.0, -3.0, 0.0]), values=rng.standard_normal((3, 3001)).astype(np.float32))
    assert np.median(broadened(noise, np.ones(3)).values, axis=1) == pytest.approx(0.0)


def test_a_place_where_peaks_meet_stands_out_of_all_others():
    positions = np.random.default_rng(1).uniform(0, 80, (6, 3))
    place, pairs = np.array([30.0, 50.0, 20.0]), physics.pair_indices(6)
    expected = physics.range_differences(place, positions, pairs)
    lags = np.arange(-3000, 3001) * 0.05
    noise = 0.1 * np.random.default_rng(2).standard_normal((len(pairs), len(lags)))
    values = (noise + np.exp(-0.5 * ((lags - expected[:, None]) / 0.1) ** 2)).astype(np.float32)
    broad = broadened(Evidence(pairs=pairs, values=values, step_m=0.05, positions=positions), np.full(6, 0.5))
    elsewhere = broad.score(np.random.default_rng(3).uniform(0, 80, (20, 3)))
    assert above_chance(broad, float(broad.score(place[None])[0])) > 15
    assert np.median([above_chance(broad, float(score)) for score in elsewhere]) == pytest.approx(0, abs=1)
