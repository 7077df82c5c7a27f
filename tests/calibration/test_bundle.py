"""Bundle adjustment: derivatives, what is known stays, what is not is found, and how well."""

from dataclasses import replace

import numpy as np
import pytest

from soundfix.calibration import bundle
from soundfix.calibration.bundle import (
    SCALES,
    Arrivals,
    Freedom,
    Layout,
    _Normal,
    _Problem,
    _State,
    adjust,
    misfit,
    with_moment,
)
from soundfix.calibration.initial_guess import procrustes

ROOM = np.array([7.0, 8.0, 2.8])
MICROPHONES, MOMENTS = 8, 30


def world(rng, *, microphones=MICROPHONES, moments=MOMENTS):
    return Layout(
        positions=rng.random((microphones, 3)) * ROOM,
        offset_m=np.zeros(microphones),
        drift_m_s=np.zeros(microphones),
        sources=rng.random((moments, 3)) * ROOM,
    )


def heard(layout, rng, *, noise_m=0.0, kappa=1.0, missing=0.0):
    """All microphones at all moments, as a nominal speed of sound shows them; each moment at a time of its own."""
    times_s = np.linspace(0, 30, len(layout.sources))
    ranges = np.linalg.norm(layout.sources[:, None] - layout.positions, axis=-1)
    exact = ranges + layout.offset_m + layout.drift_m_s * times_s[:, None] + rng.uniform(-5, 5, (len(ranges), 1))
    path_m = (exact + noise_m * rng.standard_normal(ranges.shape)) / kappa
    path_m[rng.random(ranges.shape) < missing] = np.nan
    return Arrivals(path_m=path_m, sigma_m=np.full(ranges.shape, 0.01), times_s=times_s)


def freedom(count=MICROPHONES, *, moved=(), late=(), drifting=(), kappa=0.0):
    def unknown(which):
        return np.where(np.isin(np.arange(count), which), np.inf, 0.0)

    return Freedom(positions=unknown(moved), offset_m=unknown(late), drift_m_s=unknown(drifting), kappa=kappa)


def disturbed(layout, rng, *, moved=(), by_m=0.5):
    positions = layout.positions.copy()
    positions[list(moved)] += by_m * rng.standard_normal((len(moved), 3))
    return replace(
        layout, positions=positions, sources=layout.sources + 0.1 * rng.standard_normal(layout.sources.shape)
    )


def test_normal_equations_are_those_of_differences(rng):
    """The gradient of the cost by central differences, moments and unknowns alike, with priors and a robust loss."""
    layout = world(rng, microphones=5, moments=3)
    free = replace(
        freedom(5, moved=(1, 3), late=(0, 3), drifting=(2,), kappa=0.01), positions=np.array([0, 0.1, 0, np.inf, 0])
    )
    problem = _Problem(heard(layout, rng, noise_m=0.1, missing=0.1), layout, free)
    state, scale = problem.state(disturbed(layout, rng, moved=(1, 3))), 3.0
    system = _Normal(problem, state, scale)

    def cost(part, index, step):
        values = {"moments": state.moments.copy(), "microphones": state.microphones.copy()}
        values[part].ravel()[index] += step
        return problem.cost(_State(**values, kappa=state.kappa), scale)

    for part, gradient in (("moments", system.pull.ravel()), ("microphones", system.draw[:-1])):
        for k in range(len(gradient)):
            if part == "moments" or problem.is_free[k]:
                slope = (cost(part, k, 1e-6) - cost(part, k, -1e-6)) / 2e-6
                assert -gradient[k] == pytest.approx(slope, rel=1e-3, abs=1e-2)


def test_unknown_positions_clocks_and_speed_of_sound_are_found_exactly_without_noise(rng):
    truth = world(rng)
    truth.offset_m[2], truth.drift_m_s[5] = 3.0, 0.01
    arrivals = heard(truth, rng, kappa=1.01)
    start = replace(disturbed(truth, rng, moved=(0, 2)), offset_m=np.zeros(8), drift_m_s=np.zeros(8))
    found = adjust(arrivals, start, freedom(moved=(0, 2), late=(2,), drifting=(5,), kappa=np.inf)).layout
    assert np.allclose(found.positions, truth.positions, atol=1e-4)
    assert np.allclose(found.sources, truth.sources, atol=1e-4)
    assert found.offset_m[2] == pytest.approx(3.0, abs=1e-4)
    assert found.drift_m_s[5] == pytest.approx(0.01, abs=1e-5)
    assert found.kappa == pytest.approx(1.01, abs=1e-5)
    assert np.abs(misfit(arrivals, found)).max() < 1e-4


def test_the_speed_of_sound_is_never_far_from_what_is_listed(rng):
    """Arrivals that are all wrong fit best in air without any speed, where all sounds come from one spot."""
    truth = world(rng)
    arrivals = heard(truth, rng)
    arrivals = replace(arrivals, path_m=rng.uniform(-4, 4, arrivals.path_m.shape))
    found = adjust(arrivals, truth, freedom(moved=(0, 2), kappa=0.03)).layout
    assert 0.91 - 1e-9 <= found.kappa <= 1.09 + 1e-9


def test_wrong_and_missing_arrivals_hardly_matter(rng):
    truth = world(rng)
    arrivals = heard(truth, rng, noise_m=0.01, missing=0.1)
    is_wrong = rng.random(arrivals.path_m.shape) < 0.1
    wild = replace(arrivals, path_m=np.where(is_wrong, rng.uniform(-5, 5, is_wrong.shape), arrivals.path_m))
    found = adjust(wild, disturbed(truth, rng, moved=(0,)), freedom(moved=(0,)))
    assert np.linalg.norm(found.layout.positions[0] - truth.positions[0]) < 0.02
    assert np.median(np.abs(found.residual_m[is_wrong & np.isfinite(wild.path_m)])) > 0.5


def test_what_is_listed_with_an_error_moves_no_further_than_the_sound_says(rng):
    truth = world(rng)
    arrivals = heard(truth, rng, noise_m=0.01)
    start = disturbed(truth, rng, moved=(0,), by_m=0.05)
    free, held = (replace(freedom(), positions=np.where(np.arange(8) == 0, sigma, 0.0)) for sigma in (1.0, 1e-4))
    moved, kept = (adjust(arrivals, start, each).layout.positions for each in (free, held))
    assert np.linalg.norm(moved[0] - truth.positions[0]) < 0.02
    assert np.linalg.norm(kept[0] - start.positions[0]) < 0.01
    assert np.array_equal(moved[1:], truth.positions[1:])


def test_errors_are_as_large_as_the_covariance_says(rng):
    """Squared Mahalanobis distances of 60 solutions: 3 on average."""
    squared = []
    for _ in range(60):
        truth = world(rng, moments=12)
        found = adjust(
            heard(truth, rng, noise_m=0.01), disturbed(truth, rng, moved=(0,), by_m=0.1), freedom(moved=(0,))
        )
        off = found.layout.positions[0] - truth.positions[0]
        squared.append(off @ np.linalg.solve(found.covariance.positions[0], off))
    assert 1.5 < np.mean(squared) < 6.0
    assert not found.covariance.positions[1:].any()


def test_one_more_sound_tells_most_from_where_nobody_sounded(rng):
    """Sources in a corner say little of a far microphone's height; one beside it does."""
    truth = world(rng, moments=8)
    truth.sources[:] = rng.random((8, 3)) * [1.0, 1.0, 0.1] + [0.5, 0.5, 1.0]
    truth.positions[0] = [6.0, 7.0, 2.5]
    free = freedom(moved=(0,))
    arrivals = heard(truth, rng)
    now = np.sqrt(np.trace(adjust(arrivals, truth, free, scales=SCALES[-1:]).covariance.positions[0]))
    beside, again = (
        with_moment(arrivals, truth, free, np.array(place))[0] for place in ([6.0, 6.0, 1.2], [1.0, 1.0, 1.0])
    )
    assert beside < again < now + 1e-9


def test_where_nobody_is_held_errors_are_those_of_the_shape(rng):
    """Not of where it is or how it is turned: the deviations say how far off the aligned positions are."""
    layout = world(rng)
    free = freedom(moved=range(MICROPHONES))
    solution = adjust(heard(layout, rng, noise_m=0.01), layout, free, scales=(1.0,))
    off = procrustes(solution.layout, layout.positions).positions - layout.positions
    assert solution.covariance.sigma_m.max() < 0.2
    ratio = np.linalg.norm(off, axis=1) / solution.covariance.sigma_m
    assert 0.2 < np.sqrt(np.mean(ratio**2)) < 2.0


def test_a_variance_is_never_negative():
    """Where the information has negative eigenvalues, as that of a layout that has not settled, they tell nothing."""
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
    found = bundle._positive_part((turn * [3.0, 1.0, -1e-3, -2.0]) @ turn.T)
    assert np.linalg.eigvalsh(found) == pytest.approx([0, 0, 1, 3], abs=1e-12)
    assert np.diag(found).min() >= 0


def test_what_one_more_sound_would_tell_is_what_it_tells_when_it_is_heard(rng):
    truth = replace(world(rng, moments=9), kappa=1.02)
    truth.offset_m[2], truth.drift_m_s[2] = 3.0, 0.05
    free, before = freedom(moved=(0,), late=(2,)), replace(truth, sources=truth.sources[:8])
    expected = with_moment(heard(before, rng, kappa=1.02), before, free, truth.sources[8])
    told = adjust(heard(truth, rng, kappa=1.02), truth, free, scales=SCALES[-1:]).covariance.sigma_m
    assert expected == pytest.approx(told, rel=1e-3)
