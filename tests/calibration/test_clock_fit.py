"""One fit of clocks, positions, sounds and air, on arrivals made by formula."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import check_grad

from helpers.field import field_arrivals
from soundfix.calibration.bundle import Arrivals
from soundfix.calibration.clock_fit import Prior, _Fit, fit_clocks, refit

SPEED_M_S = 340.0
LATE_S = np.array([0.0, 0.03, 0.0, 0.0, -0.02, 0.0, 0.0, 0.0, 0.0])


def prior(listed_m, *, sigma_m=0.5, is_sparse=True):
    count = len(listed_m)
    offset_m = np.full(count, 1e-3 * SPEED_M_S if is_sparse else 0.1 * SPEED_M_S)
    offset_m[0] = offset_m[0] if is_sparse else 1e-3
    return Prior(
        positions=listed_m,
        sigma_m=np.full(count, sigma_m),
        offset_m=offset_m,
        drift_m_s=np.full(count, 1e-6),
        is_sparse=np.full(count, is_sparse),
    )


@pytest.mark.parametrize("is_sparse", [True, False])
def test_exact_arrivals_at_exact_positions_tell_clocks_exactly(is_sparse):
    arrivals, places, _ = field_arrivals(0, LATE_S, sounds=5, noise_m=0.0)
    found = fit_clocks(arrivals, prior(places, sigma_m=1e-4, is_sparse=is_sparse), np.random.default_rng(0))
    assert found.offset_m / SPEED_M_S == pytest.approx(LATE_S, abs=1.5e-4)
    assert found.faster == pytest.approx(0, abs=1e-3)


def test_errors_are_as_large_as_they_are_said_to_be():
    shares = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        late_s = np.append(0, rng.uniform(-0.05, 0.05, 8))
        arrivals, places, _ = field_arrivals(seed, late_s, sounds=4)
        listed = places + 0.5 * rng.standard_normal(places.shape)
        found = fit_clocks(arrivals, prior(listed, is_sparse=False), rng)
        shares.append(((found.offset_m - SPEED_M_S * late_s) / found.offset_sigma_m)[1:])
    assert 0.3 < np.sqrt(np.mean(np.square(shares))) < 1.5


def test_the_clocks_of_a_few_are_found_from_any_side():
    """From narrow errors of clocks alone the search would end in a minimum nearby, of ten times the cost."""
    for seed in range(4):
        arrivals, places, rng = field_arrivals(seed, LATE_S, sounds=3)
        found = fit_clocks(arrivals, prior(places + 0.3 * rng.standard_normal(places.shape)), rng)
        assert found.offset_m / SPEED_M_S == pytest.approx(LATE_S, abs=4e-3)


def test_a_drift_is_told_from_an_offset():
    arrivals, places, _ = field_arrivals(
        0, LATE_S, sounds=6, noise_m=0.0, drift_ppm=np.array([0, 0, 0, 50.0, *[0] * 5])
    )
    free = replace(
        prior(places, sigma_m=1e-3, is_sparse=False), drift_m_s=np.append(1e-6, np.full(8, 20e-6 * SPEED_M_S))
    )
    found = fit_clocks(arrivals, free, np.random.default_rng(0))
    assert 1e6 * found.drift_m_s / SPEED_M_S == pytest.approx([0, 0, 0, 50, *[0] * 5], abs=8)


def test_slopes_are_those_of_the_residuals():
    arrivals, places, rng = field_arrivals(0, LATE_S, sounds=3)
    fit = _Fit(arrivals, prior(places))
    state = fit.start(rng.uniform(0, 80, (3, 3))) + 0.01 * rng.standard_normal(len(fit.expected))
    for row in (0, 13, 30, len(fit.is_soft) - 1):
        at = (lambda x, row=row: fit._residuals(x, (1.0, 3.0))[row], lambda x, row=row: fit._slopes(x, (1.0, 3.0))[row])
        scale = max(1.0, float(np.abs(at[1](state)).max()))
        assert check_grad(*at, state) / scale < 1e-4


def test_a_refit_stays_near_and_heeds_its_prior():
    arrivals, places, rng = field_arrivals(0, LATE_S, sounds=5)
    best = fit_clocks(arrivals, prior(places), rng)
    held = refit(arrivals, prior(places).with_clock(1, 1e-3), best)
    assert abs(held.offset_m[1]) < 0.5 < abs(best.offset_m[1])
    assert held.cost > best.cost + 3
    moved = refit(arrivals, prior(places).with_place(1, 50.0).with_clock(1, 1e-3), best)
    assert np.linalg.norm(moved.positions[1] - places[1]) > 1


def test_from_the_right_places_all_that_was_heard_is_as_expected(rng):
    """Exact arrivals, and clocks on time: sounds were made when they must have been."""
    places, sources = rng.uniform(0, 80, (6, 3)), rng.uniform(0, 80, (4, 3))
    path_m = np.linalg.norm(sources[:, None] - places, axis=2) + rng.uniform(-9, 9, (4, 1))
    arrivals = Arrivals(path_m=path_m, sigma_m=np.full((4, 6), 0.05), times_s=np.arange(4.0))
    fit = _Fit(arrivals, prior(places))
    assert fit._residuals(fit.start(sources), (1.0, 3.0))[:24] == pytest.approx(np.zeros(24), abs=1e-9)
