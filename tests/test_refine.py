import numpy as np
import pytest

import reference
from scenes import planted_evidence
from soundfix.refine import find_modes, polish

BOX = np.array([[0.0, 0, 0], [6, 5, 3]])


@pytest.mark.parametrize("seed", range(8))
def test_finds_the_planted_place_to_a_millimetre(seed):
    rng = np.random.default_rng(seed)
    positions, source = rng.uniform(BOX[0], BOX[1], (7, 3)), rng.uniform(BOX[0] + 0.2, BOX[1] - 0.2)
    best = find_modes(planted_evidence(positions, source), positions, BOX)[0]
    assert np.linalg.norm(best.position - source) < 1e-3
    assert best.score > 0.97  # curves are linear between lags


def test_score_equals_the_literal_sum(rng):
    positions, points = rng.uniform(BOX[0], BOX[1], (6, 3)), rng.uniform(BOX[0], BOX[1], (20, 3))
    evidence = planted_evidence(positions, points[0], width_m=0.5)
    slow = [reference.steered_power(evidence, point, positions) for point in points]
    assert np.allclose(evidence.score(points, positions), slow, atol=1e-5)


def test_equals_brute_force_on_a_small_box(rng):
    positions = rng.uniform(BOX[0], BOX[1], (5, 3))
    evidence = planted_evidence(positions, np.array([2.0, 2, 1]), width_m=0.2, noise=0.3, rng=rng)
    box = np.array([[1.7, 1.7, 0.7], [2.3, 2.3, 1.3]])
    axes = [np.arange(low, high, 0.02) for low, high in box.T]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    assert find_modes(evidence, positions, box)[0].score >= evidence.score(points, positions).max() * 0.99


def test_a_thin_room_keeps_its_height(rng):
    positions, source = rng.uniform(BOX[0], BOX[1], (6, 3)), np.array([2.5, 1.5, 1.1])
    box = np.array([[0.0, 0, 1.1], [6, 5, 1.1]])
    best = find_modes(planted_evidence(positions, source), positions, box)[0]
    assert np.allclose(best.position, source, atol=1e-3)


def test_a_source_outside_ends_at_the_border(rng):
    positions = rng.uniform(BOX[0], BOX[1], (7, 3))
    evidence = planted_evidence(positions, np.array([6.4, 2.5, 1.5]), width_m=0.2)
    assert find_modes(evidence, positions, BOX)[0].position[0] == pytest.approx(6.0, abs=0.02)


def test_two_places_give_two_modes(rng):
    positions = rng.uniform(BOX[0], BOX[1], (8, 3))
    first, second = np.array([1.0, 1, 1]), np.array([5.0, 4, 2])
    one, two = planted_evidence(positions, first), planted_evidence(positions, second)
    both = type(one)(pairs=one.pairs, values=one.values + 0.9 * two.values, step_m=one.step_m)
    modes = find_modes(both, positions, BOX)
    assert np.linalg.norm(modes[0].position - first) < 0.01
    assert np.linalg.norm(modes[1].position - second) < 0.01


def test_a_place_of_a_hundred_metres(rng):
    positions = rng.uniform([0, 0, 0], [100, 100, 5], (10, 3))
    source, box = np.array([61.0, 33.0, 2.0]), np.array([[-20.0, -20, -5], [120, 120, 15]])
    evidence = planted_evidence(positions, source, width_m=0.05, reach_m=160.0)
    assert np.linalg.norm(find_modes(evidence, positions, box)[0].position - source) < 0.05


def test_polish_climbs_from_nearby(rng):
    positions, source = rng.uniform(BOX[0], BOX[1], (7, 3)), np.array([3.0, 2.0, 1.0])
    evidence = planted_evidence(positions, source, width_m=0.02)
    assert np.linalg.norm(polish(evidence, positions, source[None] + 0.01, BOX)[0].position - source) < 1e-3
