import numpy as np
import pytest

from soundfix import physics
from soundfix.baselines.multilat import minimal_solution, ransac
from soundfix.baselines.multilateration import robust_least_squares

BOX = np.array([[0.0, 0, 0], [6, 5, 3]])


def geometry(seed, *, is_flat=False):
    """A random array, a source and the exact range differences of all pairs."""
    rng = np.random.default_rng(seed)
    positions = rng.uniform(BOX[0], BOX[1], (rng.integers(5, 15), 3))
    source = rng.uniform(BOX[0] + 0.1, BOX[1] - 0.1)
    if is_flat:
        positions[:, 2], source[2] = 0.0, max(source[2], 0.4)
    pairs = physics.pair_indices(len(positions))
    return positions, source, pairs, physics.range_differences(source, positions, pairs)


@pytest.mark.parametrize("is_flat", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_exact_delays_give_the_place_to_a_micrometre(seed, is_flat):
    positions, source, pairs, differences = geometry(seed, is_flat=is_flat)
    assert np.linalg.norm(robust_least_squares(differences, pairs, positions, BOX)[0] - source) < 1e-6


@pytest.mark.parametrize("is_flat", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_ransac_on_exact_delays_gives_the_place_to_a_micrometre(seed, is_flat):
    positions, source, pairs, differences = geometry(seed, is_flat=is_flat)
    point = ransac(differences[:, None], pairs, positions, BOX, rng=np.random.default_rng(0))
    assert point is not None
    if is_flat:
        point[2] = abs(point[2])  # its mirror twin fits as well
    assert np.linalg.norm(point - source) < 1e-6


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


def test_minimal_solution_has_the_three_differences(rng):
    positions, source = rng.uniform(BOX[0], BOX[1], (4, 3)), np.array([2.0, 3.0, 1.0])
    ranges = physics.distances(source, positions)
    found = minimal_solution(0, np.array([1, 2, 3]), ranges[1:] - ranges[0], positions, BOX)
    assert min(np.linalg.norm(point - source) for point in found) < 1e-9
    for point in found:
        again = physics.distances(point, positions)
        assert np.allclose(again[1:] - again[0], ranges[1:] - ranges[0])


def test_too_few_inliers_is_no_answer(rng):
    positions = rng.uniform(BOX[0], BOX[1], (6, 3))
    pairs = physics.pair_indices(6)
    wrong = rng.uniform(-3, 3, (15, 4))
    assert ransac(wrong[:, :1] * 0 + rng.uniform(20, 30, (15, 1)), pairs, positions, BOX, rng=rng) is None
