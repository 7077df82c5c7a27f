"""Bundle adjustment: derivatives, what is known stays, what is not is found, and how well."""

from dataclasses import replace

import numpy as np
import pytest

from soundfix.bundle import Delays, Freedom, Layout, _Problem, adjust, misfit

ROOM = np.array([7.0, 8.0, 2.8])
MICROPHONES, MOMENTS = 8, 30


def world(rng, *, microphones=MICROPHONES, moments=MOMENTS):
    return Layout(
        positions=rng.random((microphones, 3)) * ROOM,
        offset_m=np.zeros(microphones),
        drift_m_s=np.zeros(microphones),
        sources=rng.random((moments, 3)) * ROOM,
    )


def heard(layout, rng, *, noise_m=0.0, kappa=1.0):
    """All pairs at all moments, as a nominal speed of sound shows them."""
    count, moments = len(layout.positions), len(layout.sources)
    i, j = np.triu_indices(count, 1)
    empty = np.zeros(moments * len(i))
    delays = Delays(
        moment=np.repeat(np.arange(moments), len(i)), first=np.tile(i, moments), second=np.tile(j, moments),
        path_m=empty, sigma_m=np.full(len(empty), 0.01), times_s=np.linspace(0, 30, moments),
    )  # fmt: skip
    path_m = -misfit(delays, replace(layout, kappa=0.0)) / kappa
    return replace(delays, path_m=path_m + noise_m * rng.standard_normal(len(empty)))


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


def test_derivatives_by_hand_are_those_by_differences(rng):
    layout = world(rng, microphones=5, moments=3)
    delays = heard(layout, rng, noise_m=0.1)
    free = replace(
        freedom(5, moved=(1, 3), late=(0, 3), drifting=(2,), kappa=0.01), positions=np.array([0, 0.1, 0, np.inf, 0])
    )
    problem = _Problem(delays, layout, free)
    x = problem.vector(layout) + 0.1 * rng.standard_normal(len(problem.vector(layout)))
    by_hand = problem.jacobian(x).toarray()
    for k in range(len(x)):
        step = np.zeros(len(x))
        step[k] = 1e-6
        by_differences = (problem.residuals(x + step) - problem.residuals(x - step)) / 2e-6
        assert np.allclose(by_hand[:, k], by_differences, atol=1e-4)


def test_unknown_positions_clocks_and_speed_of_sound_are_found_exactly_without_noise(rng):
    truth = world(rng)
    truth.offset_m[2], truth.drift_m_s[5] = 3.0, 0.01
    delays = heard(truth, rng, kappa=1.01)
    start = replace(disturbed(truth, rng, moved=(0, 2)), offset_m=np.zeros(8), drift_m_s=np.zeros(8))
    found = adjust(delays, start, freedom(moved=(0, 2), late=(2,), drifting=(5,), kappa=np.inf)).layout
    assert np.allclose(found.positions, truth.positions, atol=1e-4)
    assert np.allclose(found.sources, truth.sources, atol=1e-4)
    assert found.offset_m[2] == pytest.approx(3.0, abs=1e-4)
    assert found.drift_m_s[5] == pytest.approx(0.01, abs=1e-5)
    assert found.kappa == pytest.approx(1.01, abs=1e-5)


def test_wrong_delays_hardly_matter(rng):
    truth = world(rng)
    delays = heard(truth, rng, noise_m=0.01)
    is_wrong = rng.random(len(delays.path_m)) < 0.1
    wild = replace(delays, path_m=np.where(is_wrong, rng.uniform(-5, 5, len(is_wrong)), delays.path_m))
    found = adjust(wild, disturbed(truth, rng, moved=(0,)), freedom(moved=(0,)))
    assert np.linalg.norm(found.layout.positions[0] - truth.positions[0]) < 0.02
    assert np.median(np.abs(found.residual_m[is_wrong])) > 0.5


def test_what_is_listed_with_an_error_moves_no_further_than_the_sound_says(rng):
    truth = world(rng)
    delays = heard(truth, rng, noise_m=0.01)
    start = disturbed(truth, rng, moved=(0,), by_m=0.05)
    free, held = (replace(freedom(), positions=np.where(np.arange(8) == 0, sigma, 0.0)) for sigma in (1.0, 1e-4))
    moved, kept = (adjust(delays, start, each).layout.positions for each in (free, held))
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
