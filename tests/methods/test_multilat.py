"""Multilat: RANSAC on correlation peaks finds exact delays among wrong ones, or has no answer."""

import numpy as np
import pytest

from helpers.delays import BOX, geometry
from soundfix import physics
from soundfix.methods.multilat import minimal_solution, ransac


@pytest.mark.parametrize("is_flat", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_ransac_on_exact_delays_gives_the_place_to_a_micrometre(seed, is_flat):
    positions, source, pairs, differences = geometry(seed, is_flat=is_flat)
    point = ransac(differences[:, None], pairs, positions, BOX, rng=np.random.default_rng(0))
    assert point is not None
    if is_flat:
        point[2] = abs(point[2])  # its mirror twin fits as well
    assert np.linalg.norm(point - source) < 1e-6


def test_minimal_solution_has_the_three_differences(rng):
    positions, source = rng.uniform(BOX[0], BOX[1], (4, 3)), np.array([2.0, 3.0, 1.0])
    ranges = physics.distances(source, positions)
    found = minimal_solution(0, np.array([1, 2, 3]), ranges[1:] - ranges[0], positions, BOX)
    assert min(np.linalg.norm(point - source) for point in found) < 1e-9
    for point in found:
        again = physics.distances(point, positions)
        assert np.allclose(again[1:] - again[0], ranges[1:] - ranges[0])


def test_delays_that_no_point_has_are_no_answer(rng):
    positions = rng.uniform(BOX[0], BOX[1], (6, 3))
    pairs = physics.pair_indices(6)
    wrong = rng.uniform(-3, 3, (15, 4))
    assert ransac(wrong[:, :1] * 0 + rng.uniform(20, 30, (15, 1)), pairs, positions, BOX, rng=rng) is None


@pytest.mark.parametrize("count", [2, 3])
def test_ransac_without_four_microphones_has_no_answer_and_does_not_crash(rng, count):
    positions, pairs = rng.uniform(BOX[0], BOX[1], (count, 3)), physics.pair_indices(count)
    differences = physics.range_differences(np.array([2.0, 2, 1]), positions, pairs)
    assert ransac(differences[:, None], pairs, positions, BOX, rng=rng) is None


def test_few_pairs_that_agree_are_an_answer_that_is_not_polished(rng):
    """Of five microphones' ten pairs one is wrong: nine agree, and the point of three of them stands as it is."""
    positions, source = rng.uniform(BOX[0], BOX[1], (5, 3)), np.array([2.0, 3.0, 1.0])
    pairs = physics.pair_indices(5)
    differences = physics.range_differences(source, positions, pairs)
    differences[0] += 1.0
    differences[1:] += rng.normal(0, 0.01, 9)
    found = ransac(differences[:, None], pairs, positions, BOX, rng=np.random.default_rng(0))
    left = np.abs(physics.range_differences(found, positions, pairs) - differences)
    assert np.linalg.norm(found - source) < 0.2
    assert np.sort(left)[2] < 1e-9  # three of them it has exactly


def test_ransac_prefers_the_exact_of_two_points_with_as_many_inliers():
    rng = np.random.default_rng(42)
    positions = rng.uniform(BOX[0], BOX[1], (rng.integers(5, 15), 3))
    source, pairs = rng.uniform(BOX[0] + 0.1, BOX[1] - 0.1), physics.pair_indices(len(positions))
    differences = physics.range_differences(source, positions, pairs)
    found = ransac(differences[:, None], pairs, positions, BOX, rng=np.random.default_rng(0))
    assert np.linalg.norm(found - source) < 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_microphones_draws_the_same_rounds(seed, rng):
    """With three wrong peaks a pair, and what two orders would draw otherwise."""
    positions, _, pairs, differences = geometry(seed)
    differences = np.column_stack([differences, rng.uniform(-3, 3, (len(pairs), 3))])
    order = np.random.default_rng(seed).permutation(len(positions))
    ends = np.argsort(order)[pairs]
    again = np.where((ends[:, 0] > ends[:, 1])[:, None], -differences, differences)
    one, other = (
        ransac(given, numbers, places, BOX, rng=np.random.default_rng(0))
        for given, numbers, places in (
            (differences, pairs, positions),
            (again, np.sort(ends, axis=1), positions[order]),
        )
    )
    assert one is not None
    np.testing.assert_allclose(other, one, atol=1e-9)
