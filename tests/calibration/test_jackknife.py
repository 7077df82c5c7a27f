"""Errors that come in streaks widen the covariance; independent ones hardly do."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.walks import array, hearing, walk
from soundfix.calibration.bundle import Freedom, Layout, adjust
from soundfix.calibration.jackknife import BLOCKS, with_streaks
from soundfix.calibration.self_localization import unbound

STILL, SOUGHT = np.zeros(11), 4
FREEDOM = Freedom(positions=np.where(np.arange(11) == SOUGHT, np.inf, 0.0), offset_m=STILL, drift_m_s=STILL)


def solved(rng, *, streaks_m):
    """A solution of arrivals of one microphone that are off by 1 cm and, over stretches of moments, by so much more."""
    places, sources = array(rng), walk(rng)
    arrivals = hearing(places, sources, rng, noise_m=0.01, wrong=0.0, missing=0.0).arrivals
    path_m = arrivals.path_m.copy()
    path_m[:, SOUGHT] += np.repeat(streaks_m * rng.standard_normal(BLOCKS), len(path_m) // BLOCKS)
    arrivals = replace(arrivals, path_m=path_m)
    layout = Layout(positions=places, offset_m=STILL, drift_m_s=STILL, sources=sources)
    found = adjust(arrivals, layout, FREEDOM, scales=(3.0, 1.0))
    return found, with_streaks(arrivals, layout, FREEDOM, found), found.layout.positions[SOUGHT] - places[SOUGHT]


def squared(off, solution):
    return float(off @ np.linalg.solve(solution.covariance.positions[SOUGHT], off))


@pytest.mark.parametrize(
    ("streaks_m", "plain", "widened"), [(0.0, (1.0, 9.0), (0.5, 5.0)), (0.02, (9.0, 99.0), (1.0, 9.0))]
)
def test_errors_are_as_large_as_said_with_streaks_or_without(rng, streaks_m, plain, widened):
    """3 on average is exact."""
    runs = [solved(np.random.default_rng(k), streaks_m=streaks_m) for k in range(8)]
    assert plain[0] < np.mean([squared(off, found) for found, _, off in runs]) < plain[1]
    assert widened[0] < np.mean([squared(off, wide) for _, wide, off in runs]) < widened[1]


def test_what_is_held_stays_exact_and_the_solution_as_it_is(rng):
    found, wide, _ = solved(rng, streaks_m=0.0)
    assert wide.layout is found.layout
    assert np.flatnonzero(np.einsum("maa->m", wide.covariance.positions)).tolist() == [SOUGHT]
    assert wide.covariance.offset_m.tolist() == [0.0] * 11
    assert wide.covariance.kappa == 0.0


def test_without_any_position_held_the_turn_of_the_whole_does_not_count(rng):
    places, sources = array(rng), walk(rng)
    arrivals = hearing(places, sources, rng, wrong=0.0, missing=0.0).arrivals
    layout = Layout(positions=places, offset_m=STILL, drift_m_s=STILL, sources=sources)
    found = unbound(layout, arrivals, (1.0,))
    free = Freedom(positions=STILL + np.inf, offset_m=STILL, drift_m_s=STILL)
    wide = with_streaks(arrivals, layout, free, found)
    sigma = np.sqrt(np.einsum("maa->m", wide.covariance.positions))
    assert sigma.max() < 3 * np.sqrt(np.einsum("maa->m", found.covariance.positions)).max() + 0.05
