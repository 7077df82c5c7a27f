"""The fit of a place to arrivals: as exact as theory allows, with the speed of sound, and regions that hold."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from soundfix import physics
from soundfix.localization.arrival_fit import (
    ABOVE_M,
    AIR,
    HEIGHT_M,
    TOLD_AIR,
    Arrivals,
    Known,
    _outwards,
    _within,
    air_of,
    fit_arrivals,
    refit,
)
from soundfix.localization.evidence import Evidence
from soundfix.physics import REGION_90

GRID = np.array([(x, y, 3.0 * ((x + 2 * y) / 40 % 3)) for x in (0.0, 40.0, 80.0) for y in (0.0, 40.0, 80.0)])
BOX = np.array([[-40.0, -40.0, -2.0], [120.0, 120.0, 60.0]])
STEP_M = 0.02


def evidence(place, errors_m, *, slower=0.0, positions=GRID, extra=()):
    """Curves with a peak 3 cm wide where each pair hears the place; extra: (pair, range difference) of higher ones."""
    pairs = physics.pair_indices(len(positions))
    heard_m = (1 + slower) * physics.distances(place, positions) + errors_m
    peaks_m = heard_m[pairs[:, 0]] - heard_m[pairs[:, 1]]
    lags = np.arange(-7000, 7001) * STEP_M
    values = np.exp(-0.5 * ((lags - peaks_m[:, None]) / 0.03) ** 2)
    for pair, at_m in extra:
        values[pair] += 2 * np.exp(-0.5 * ((lags - at_m) / 0.03) ** 2)
    return Evidence(pairs=pairs, values=values.astype(np.float32), step_m=STEP_M, positions=positions)


def fitted(heard, place, sigma_m=1.0, *, is_declared=True, is_under_sky=False, wind=0.0, air=AIR):
    start, sigma = place + np.array([0.5, -0.4, 0.3]), np.full(len(heard.positions), sigma_m)
    return fit_arrivals(heard, sigma, start, BOX, Known(is_declared, is_under_sky, wind, air))


def test_exact_arrivals_give_the_exact_place_though_a_metre_was_allowed():
    place = np.array([33.0, 21.0, 9.0])
    fix = fitted(evidence(place, np.zeros(9)), place, is_declared=False)
    assert np.linalg.norm(fix.position_m - place) < 0.01
    assert physics.radius90(fix.covariance_m2) < 0.35
    assert np.abs(fix.errors_m).max() < 0.02


def test_what_somebody_declares_makes_the_region_wider_than_what_is_seen():
    place = np.array([33.0, 21.0, 9.0])
    declared, usual = (
        fitted(evidence(place, np.zeros(9)), place, is_declared=is_declared) for is_declared in (True, False)
    )
    assert physics.radius90(declared.covariance_m2) > 5 * physics.radius90(usual.covariance_m2)


@pytest.mark.parametrize(("sigma_m", "is_declared"), [(0.5, True), (0.05, False)])
def test_regions_hold_nine_of_ten_and_errors_are_as_small_as_theory_allows(sigma_m, is_declared):
    rng, held, squared, bound = np.random.default_rng(4), [], [], []
    for _ in range(80):
        place = np.append(rng.uniform(5, 75, 2), rng.uniform(8, 20))
        errors_m = sigma_m * rng.standard_normal(9)
        fix = fitted(evidence(place, errors_m), place, sigma_m if is_declared else 0.6, is_declared=is_declared)
        off = place - fix.position_m
        held.append(off @ np.linalg.solve(fix.covariance_m2, off) <= REGION_90)
        squared.append(off[:2] @ off[:2])
        bound.append(np.trace(physics.cramer_rao(place, GRID, sigma_m, BOX)[:2, :2]))
    assert 0.83 <= np.mean(held) <= 0.97
    assert np.mean(squared) < 1.5 * np.mean(bound)


@pytest.mark.parametrize("slower", [-0.03, 0.02])
def test_the_speed_of_sound_is_found_and_costs_the_place_nothing(slower):
    place = np.array([47.0, 20.0, 12.0])
    errors_m = 0.02 * np.random.default_rng(5).standard_normal(9)
    fix = fitted(evidence(place, errors_m, slower=slower), place, is_declared=False)
    assert np.linalg.norm(fix.position_m[:2] - place[:2]) < 0.05
    assert fix.slower == pytest.approx(slower, abs=0.002)
    assert abs(fix.slower - slower) < 3 * fix.slower_sigma
    air = air_of(fix, 340.0)
    assert air.speed_m_s == pytest.approx(340 / (1 + slower), abs=0.7)
    assert air.sigma_m_s == pytest.approx(air.speed_m_s * fix.slower_sigma)


def test_air_that_was_told_is_less_free_and_places_are_exacter():
    rng, off_m, slower = np.random.default_rng(3), {AIR: [], TOLD_AIR: []}, {AIR: [], TOLD_AIR: []}
    for _ in range(30):
        place, errors_m = np.array([*rng.uniform(5, 75, 2), 9.0]), 0.7 * rng.standard_normal(9)
        heard = evidence(place, errors_m)
        for air in off_m:
            fix = fitted(heard, place, 0.7, air=air)
            off_m[air].append(np.linalg.norm((fix.position_m - place)[:2]))
            slower[air].append(abs(fix.slower))
    assert np.mean(off_m[TOLD_AIR]) < 0.99 * np.mean(off_m[AIR])
    assert np.mean(slower[TOLD_AIR]) < 0.6 * np.mean(slower[AIR])


@pytest.mark.parametrize("slower", [-0.03, 0.02])
def test_air_that_was_told_wrong_is_found_all_the_same(slower):
    place = np.array([47.0, 20.0, 12.0])
    errors_m = 0.02 * np.random.default_rng(5).standard_normal(9)
    fix = fitted(evidence(place, errors_m, slower=slower), place, is_declared=False, air=TOLD_AIR)
    assert fix.slower == pytest.approx(slower, abs=0.002)


def test_who_believes_what_was_told_of_the_air_stays_with_it():
    place = np.array([47.0, 20.0, 12.0])
    heard = evidence(place, 0.02 * np.random.default_rng(5).standard_normal(9), slower=-0.03)
    known = Known(is_declared=False, is_under_sky=False, air=TOLD_AIR)
    doubting, believing = (
        fit_arrivals(heard, np.ones(9), place, BOX, known, believes=believes) for believes in (False, True)
    )
    assert doubting.doubts_air(known)
    assert not believing.doubts_air(known)
    assert doubting.cost < believing.cost


def test_the_error_of_each_microphone_is_told():
    place, errors_m = np.array([30.0, 42.0, 15.0]), 0.3 * np.random.default_rng(8).standard_normal(9)
    heard = evidence(place, errors_m)
    fix, (i, j) = fitted(heard, place), heard.pairs.T
    ranges_m = physics.distances(place, GRID) + errors_m - (1 + fix.slower) * physics.distances(fix.position_m, GRID)
    assert fix.errors_m[i] - fix.errors_m[j] == pytest.approx(ranges_m[i] - ranges_m[j], abs=0.02)
    assert fix.errors_m.mean() == pytest.approx(0, abs=1e-6)


def test_peaks_out_of_reach_do_not_count():
    place = np.array([30.0, 50.0, 15.0])
    fix = fitted(evidence(place, np.zeros(9), extra=[(0, 20.0), (7, -15.0)]), place, is_declared=False)
    assert np.linalg.norm(fix.position_m - place) < 0.02


def test_under_the_sky_heights_are_what_they_usually_are():
    """In a flat array, above nobody in particular, arrivals say next to nothing of the height."""
    flat = GRID * [1, 1, 0]
    place = np.array([20.0, 60.0, 3.0])
    errors_m = 0.5 * np.random.default_rng(0).standard_normal(9)
    sky, open_ = (
        fitted(evidence(place, errors_m, positions=flat), place, 0.5, is_under_sky=is_sky) for is_sky in (True, False)
    )
    assert sky.covariance_m2[2, 2] < open_.covariance_m2[2, 2]
    assert abs(sky.position_m[2] - 5) < abs(open_.position_m[2] - 5)
    assert sky.covariance_m2[2, 2] < 3 * HEIGHT_M**2
    assert 0 < sky.position_m[2] < 12


def test_the_place_costs_least_of_all_errors_and_what_is_known_beforehand_together():
    """Of the sum that the module begins with, by another way down."""
    place, sigma_m = np.array([33.0, 21.0, 30.0]), np.full(9, 0.5)
    errors_m = 0.5 * np.random.default_rng(8).standard_normal(9)
    heard_m, known = 1.01 * physics.distances(place, GRID) + errors_m, Known(True, True)

    def cost(x):
        off_m = heard_m - (1 + x[3] / 100) * physics.distances(x[:3], GRID)
        above_m = x[2] - GRID[:, 2].mean() - ABOVE_M
        beforehand = np.log1p((x[3] / 100 / AIR) ** 2) + np.log1p((above_m / HEIGHT_M) ** 2)
        return np.square((off_m - off_m.mean()) / sigma_m).sum() + 2 * beforehand

    start = fitted(evidence(place, errors_m, slower=0.01), place, 0.5, is_under_sky=True)
    fix = refit(Arrivals(GRID, heard_m, sigma_m), start, BOX, known)
    best = minimize(cost, np.append(place, 1.0), method="Nelder-Mead", options={"xatol": 1e-5, "maxiter": 4000}).x
    np.testing.assert_allclose(fix.position_m, best[:3], atol=0.002)
    assert fix.slower == pytest.approx(best[3] / 100, abs=1e-5)
    assert np.linalg.norm(start.position_m - fix.position_m) < 0.2


def test_a_known_height_stays():
    place, box = np.array([30.0, 50.0, 15.0]), BOX.copy()
    box[:, 2] = 15.0
    fix = fit_arrivals(
        evidence(place, np.zeros(9)),
        np.ones(9),
        place + np.array([1.0, 1.0, 0.0]),
        box,
        Known(is_declared=True, is_under_sky=True),
    )
    assert fix.position_m[2] == 15.0
    assert np.linalg.norm(fix.position_m - place) < 0.02


def test_a_region_can_be_made_to_reach_another_place():
    place = np.array([30.0, 50.0, 15.0])
    fix, other = fitted(evidence(place, np.zeros(9)), place, is_declared=False), place + np.array([0.0, 0.0, 8.0])
    off = other - fix.position_m
    assert off @ np.linalg.solve(fix.covariance_m2, off) > REGION_90
    assert off @ np.linalg.solve(fix.reaching([other]).covariance_m2, off) <= REGION_90 + 1e-6


def test_errors_that_are_larger_than_declared_make_the_region_larger():
    place, errors_m = np.array([33.0, 21.0, 9.0]), np.random.default_rng(9).standard_normal(9)
    as_said, worse = (fitted(evidence(place, size * errors_m), place, 0.3) for size in (0.3, 0.9))
    assert physics.radius90(worse.covariance_m2) > 1.3 * physics.radius90(as_said.covariance_m2)


def test_of_a_height_of_which_nothing_is_heard_the_usual_is_said():
    """Five metres above the recorders; in no other place than before."""
    place = np.array([30.0, 50.0, 25.0])
    silence = replace(evidence(place, np.zeros(9)), values=np.zeros((36, 14001), dtype=np.float32))
    fix = fit_arrivals(silence, np.full(9, 20.0), place, BOX, Known(is_declared=True, is_under_sky=True))
    assert fix.position_m == pytest.approx([30.0, 50.0, GRID[:, 2].mean() + 5.0], abs=0.01)


def test_no_place_is_outside_the_box():
    place, box = np.array([30.0, 50.0, 15.0]), BOX.copy()
    box[1, 0] = 29.5
    fix = fit_arrivals(
        evidence(place, np.zeros(9)), np.ones(9), place - [1, 0, 0], box, Known(is_declared=True, is_under_sky=False)
    )
    assert fix.position_m[0] <= 29.5


def windy(place, wind, positions=GRID):
    """What each microphone hears (m) beside its distance, in a wind of this share of the speed of sound."""
    return physics.distances(place, positions) ** 2 / (
        physics.distances(place, positions) + (positions - place) @ wind
    ) - physics.distances(place, positions)


def test_a_wind_that_is_told_of_is_found_and_the_place_less_carried_away():
    place, wind = np.array([20.0, 60.0, 9.0]), np.array([0.02, -0.01, 0.0])
    heard = evidence(place, windy(place, wind))
    still, told = (fitted(heard, place, 0.05, wind=share)[:2] for share in (0.0, 0.02))
    assert np.linalg.norm((told[0] - place)[:2]) < 0.2 * np.linalg.norm((still[0] - place)[:2])
    assert np.trace(told[1][:2, :2]) > 2 * np.trace(still[1][:2, :2])


def test_regions_hold_nine_of_ten_in_any_wind_and_without_it_told_do_not():
    rng, held = np.random.default_rng(3), {0.0: [], 0.01: []}
    for _ in range(60):
        place = np.append(rng.uniform(5, 75, 2), rng.uniform(8, 20))
        wind = np.append(0.01 * rng.standard_normal(2), 0.0)
        heard = evidence(place, windy(place, wind) + 0.1 * rng.standard_normal(9))
        for share, count in held.items():
            fix = fitted(heard, place, 0.1, wind=share)
            off = (place - fix.position_m)[:2]
            count.append(off @ np.linalg.solve(fix.covariance_m2[:2, :2], off) <= 4.605)
    assert 0.83 <= np.mean(held[0.01]) <= 0.99
    assert np.mean(held[0.0]) < np.mean(held[0.01]) - 0.15


@pytest.mark.parametrize(("away_m", "start"), [(150.0, 1.6), (300.0, 0.6), (600.0, 0.7)])
def test_far_outside_regions_reach_as_far_as_the_source_may_be(away_m, start):
    rng, middle, held = np.random.default_rng(1), GRID.mean(axis=0), []
    box = np.stack([GRID.min(axis=0) - 1300, GRID.max(axis=0) + 1300])
    for _ in range(40):
        angle = rng.uniform(0, 2 * np.pi)
        place = np.append(middle[:2] + away_m * np.array([np.cos(angle), np.sin(angle)]), 6.0)
        heard = evidence(place, 0.3 * rng.standard_normal(9))
        fix = fit_arrivals(heard, np.full(9, 0.3), middle + start * (place - middle), box, Known(True, True))
        off = (place - fix.position_m)[:2]
        held.append(off @ np.linalg.solve(fix.covariance_m2[:2, :2], off) <= 4.605)
    assert np.mean(held) >= 0.83


def test_within_the_array_regions_are_those_of_theory():
    covariance = np.diag([1.0, 2.0, 3.0])
    assert np.array_equal(_outwards(covariance, np.array([30.0, 30.0, 5.0]), GRID), covariance)
    beyond = GRID.mean(axis=0) + np.array([100.0, 0, 0])
    far = _outwards(np.diag([400.0, 2.0, 3.0]), beyond, GRID)
    assert far[0, 0] == pytest.approx(400 / (1 - 1.645 * 0.2) ** 2)
    assert far[1, 1] == 2.0
    nowhere = _outwards(np.diag([1e4, 2.0, 3.0]), beyond, GRID)
    assert nowhere[0, 0] == pytest.approx(36e4)


def test_at_the_end_of_the_box_the_direction_stays():
    middle, box = GRID.mean(axis=0), np.stack([GRID.min(axis=0) - 500, GRID.max(axis=0) + 500])
    beyond = middle + np.array([3000.0, 1500.0, 4.0])
    last = _within(beyond, box, GRID)
    assert last[0] == box[1, 0]
    assert (last - middle)[1] / (last - middle)[0] == pytest.approx(0.5)
    assert _within(middle + np.array([3000.0, 0, -5000.0]), box, GRID)[2] == box[0, 2]
    inside = middle + np.array([300.0, 200.0, 4.0])
    assert np.array_equal(_within(inside, box, GRID), inside)
