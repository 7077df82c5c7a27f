"""Multilateration: exact delays give the place, and a few wrong ones cost little."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import reference
from helpers.delays import BOX, geometry
from helpers.scenes import planted_evidence
from soundfix import physics
from soundfix.methods.multilat import peak_differences, ransac
from soundfix.methods.multilateration import CAUCHY_SCALE_M, _cauchy, best_differences, robust_least_squares


@pytest.mark.parametrize("is_flat", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_exact_delays_give_the_place_to_a_micrometre(seed, is_flat):
    positions, source, pairs, differences = geometry(seed, is_flat=is_flat)
    assert np.linalg.norm(robust_least_squares(differences, pairs, positions, BOX)[0] - source) < 1e-6


def test_five_wrong_of_fifty_five_cost_little():
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(20):
        positions, source = rng.uniform(BOX[0], BOX[1], (11, 3)), rng.uniform(BOX[0] + 0.3, BOX[1] - 0.3)
        pairs = physics.pair_indices(11)
        differences = physics.range_differences(source, positions, pairs) + 0.01 * rng.standard_normal(55)
        differences[rng.choice(55, 5, replace=False)] += rng.uniform(1, 3, 5)
        errors.append(np.linalg.norm(robust_least_squares(differences, pairs, positions, BOX)[0] - source))
    assert np.median(errors) < 0.02
    assert max(errors) < 0.06


def test_the_loss_equals_the_literal_sum(rng):
    positions, _, pairs, differences = geometry(3)
    points, wrong = rng.uniform(BOX[0], BOX[1], (9, 3)), differences + rng.normal(0, 0.2, len(pairs))
    slow = [reference.cauchy_loss(point, wrong, pairs, positions, 0.07) for point in points]
    assert np.allclose(_cauchy(points, wrong, pairs, positions, 0.07), slow)


def test_no_point_nearby_has_a_smaller_loss(rng):
    positions, _, pairs, differences = geometry(5)
    noisy = differences + rng.normal(0, 0.02, len(pairs))
    best = robust_least_squares(noisy, pairs, positions, BOX)[0]
    least = reference.cauchy_loss(best, noisy, pairs, positions, CAUCHY_SCALE_M)
    for offset in rng.normal(0, 0.01, (200, 3)):
        assert reference.cauchy_loss(best + offset, noisy, pairs, positions, CAUCHY_SCALE_M) > least


@pytest.mark.parametrize("seed", range(20))
def test_five_wrong_and_fifty_exact_are_within_five_centimetres(seed):
    rng = np.random.default_rng(seed)
    positions, source = rng.uniform(BOX[0], BOX[1], (11, 3)), rng.uniform(BOX[0] + 0.3, BOX[1] - 0.3)
    pairs = physics.pair_indices(11)
    differences = physics.range_differences(source, positions, pairs)
    differences[rng.choice(55, 5, replace=False)] += rng.uniform(1, 3, 5) * rng.choice([-1, 1], 5)
    assert np.linalg.norm(robust_least_squares(differences, pairs, positions, BOX)[0] - source) < 0.05
    found = ransac(differences[:, None], pairs, positions, BOX, rng=rng)
    assert np.linalg.norm(found - source) < 0.05


def test_the_scale_says_what_counts_as_wrong():
    """A sixth of the pairs off by 30 cm: outliers at a scale of 5 cm, honest noise at 10 m."""
    positions, source, pairs, differences = geometry(8)
    differences = differences + 0.3 * (np.arange(len(pairs)) % 6 == 0)
    strict, mild = (robust_least_squares(differences, pairs, positions, BOX, scale_m=s)[0] for s in (0.05, 10.0))
    assert np.linalg.norm(strict - source) < 0.5 * np.linalg.norm(mild - source)


@pytest.mark.parametrize("method", ["least squares", "ransac"])
def test_moving_everything_moves_the_place(method):
    positions, _, pairs, differences = geometry(4)
    shift = np.array([100.0, -50.0, 7.0])

    def place(by):
        if method == "ransac":
            found = ransac(differences[:, None], pairs, positions + by, BOX + by, rng=np.random.default_rng(0))
            assert found is not None
            return found
        return robust_least_squares(differences, pairs, positions + by, BOX + by)[0]

    assert np.allclose(place(shift) - shift, place(np.zeros(3)), atol=1e-6)


def test_a_thin_room_keeps_its_height_exactly():
    positions, source, pairs, _ = geometry(6)
    box = BOX.copy()
    box[:, 2] = source[2]
    differences = physics.range_differences(source, positions, pairs)
    assert np.allclose(robust_least_squares(differences, pairs, positions, box)[0], source, atol=1e-6)


def test_peaks_are_read_off_to_a_fraction_of_a_lag(rng):
    """A smooth bump between two lags: the parabola finds it, each pair within its own spacing."""
    positions, source = rng.uniform(BOX[0], BOX[1], (6, 3)), np.array([2.2, 3.1, 1.2])
    evidence = planted_evidence(positions, source, width_m=0.02)
    exact = physics.range_differences(source, positions, evidence.pairs)
    assert np.allclose(best_differences(evidence), exact, atol=3e-4)
    assert np.allclose(peak_differences(evidence)[:, 0], exact, atol=3e-4)


def test_a_higher_peak_beyond_the_spacing_is_impossible_and_ignored():
    positions, source = np.array([[0.0, 0, 0], [2, 0, 0]]), np.array([0.5, 1.0, 0.0])
    evidence = planted_evidence(positions, source, width_m=0.02)
    impossible = planted_evidence(np.array([[0.0, 0, 0], [4, 0, 0]]), np.array([-1.0, 0.0, 0.0]), width_m=0.02)
    both = replace(evidence, values=evidence.values + 2 * impossible.values)
    expected = physics.range_differences(source[None], positions, evidence.pairs)[0]
    assert best_differences(both) == pytest.approx(expected, abs=1e-3)
