import numpy as np
import pytest

from helpers import reference
from soundfix import physics

BOX = np.array([[0.0, 0, 0], [6, 5, 3]])


def test_speed_of_sound_at_20_degrees():
    assert physics.speed_of_sound(20.0) == pytest.approx(343.2, abs=0.1)
    assert physics.speed_of_sound(0.0) == pytest.approx(331.3)


def test_range_difference_is_positive_where_the_first_microphone_is_farther():
    positions = np.array([[3.0, 0, 0], [0, 0, 0]])
    assert physics.range_differences(np.zeros(3), positions, np.array([[0, 1]]))[0] == pytest.approx(3.0)


def test_fisher_information_equals_numerical_differentiation(rng):
    positions, point = rng.uniform(0, 5, (7, 3)), rng.uniform(0, 5, 3)
    sigma = rng.uniform(0.01, 0.1, 7)
    fast = physics.fisher_information(point, positions, sigma)
    assert np.allclose(fast, reference.fisher_information(point, positions, sigma), rtol=1e-5)


def test_cramer_rao_of_a_cube_is_the_same_in_all_directions():
    corners = np.array([[x, y, z] for x in (-1.0, 1) for y in (-1.0, 1) for z in (-1.0, 1)])
    covariance = physics.cramer_rao(np.zeros(3), corners, 0.01, np.array([[-1e3] * 3, [1e3] * 3]))
    assert np.allclose(covariance, 0.01**2 / (8 / 3) * np.eye(3), rtol=1e-4)


def test_cramer_rao_knows_a_thin_room_and_is_finite_where_the_array_is_blind():
    line = np.array([[x, 0.0, 1.0] for x in range(5)])
    covariance = physics.cramer_rao(np.array([2.0, 2.0, 1.0]), line, 0.01, BOX)
    assert np.isfinite(covariance).all()
    assert np.sqrt(covariance[2, 2]) == pytest.approx(3 / np.sqrt(12), rel=0.05)
    thin = physics.cramer_rao(np.array([2.0, 2.0, 1.0]), line, 0.01, np.array([[0.0, 0, 1], [6, 5, 1]]))
    assert np.sqrt(thin[2, 2]) < 1e-3


@pytest.mark.parametrize(
    ("spread", "expected"), [((1.0, 1, 1), 2.5003), ((1.0, 1e-6, 1e-6), 1.6449), ((1.0, 1, 1e-6), 2.1460)]
)
def test_radius90_of_sphere_line_and_disc(spread, expected):
    assert physics.radius90(np.diag(np.square(spread))) == pytest.approx(expected, rel=1e-3)


def test_radius90_holds_nine_tenths(rng):
    covariance = np.diag([0.04, 0.01, 0.0025])
    points = rng.multivariate_normal(np.zeros(3), covariance, 200_000)
    assert np.mean(np.linalg.norm(points, axis=1) < physics.radius90(covariance)) == pytest.approx(0.9, abs=0.01)


def test_shape_rank_and_twins(rng):
    room, flat, line = rng.uniform(0, 3, (6, 3)), rng.uniform(0, 3, (6, 3)), np.outer(np.arange(5.0), [1, 2, 0.5])
    flat[:, 2] = 1.2
    assert [physics.shape_rank(p) for p in (room, flat, line, line[:1])] == [3, 2, 1, 0]
    point = np.array([1.0, 2.0, 2.0])
    assert len(physics.twins(point, room)) == 0
    assert np.allclose(physics.twins(point, flat), [[1.0, 2.0, 0.4]])
    assert len(physics.twins(point, line)) == 7


TETRAHEDRON = 0.02 * np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
LEVEL, UPRIGHT = (
    0.05 * np.array([[1.0, 0, 0], [0, 1, 0], [-1, 0, 0]]),
    0.05 * np.array([[1.0, 0, 0], [0, 0, 1], [-1, 0, 0]]),
)


@pytest.mark.parametrize(
    ("boards", "rank"),
    [((TETRAHEDRON, TETRAHEDRON), 3), ((LEVEL, LEVEL), 2), ((LEVEL, UPRIGHT), 3), ((TETRAHEDRON, TETRAHEDRON[:2]), 1)],
)
def test_small_boards_far_apart_have_the_axes_of_each(boards, rank, rng):
    """However little they are against the distance between them; without a whole board the list is one array."""
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    positions = np.concatenate([boards[0], boards[1] + [4.0, 0, 0]]) @ turn
    assert physics.shape_rank(positions) == rank
    if rank == 2:
        (twin,) = physics.twins(np.array([1.0, 1.0, 0.7]) @ turn, positions)
        assert np.allclose(twin, np.array([1.0, 1.0, -0.7]) @ turn)


def test_stations_a_few_metres_apart_are_no_board(rng):
    """Their heights are as exact as GPS: two groups of three, 500 m apart."""
    level = np.concatenate([20 * LEVEL, 20 * LEVEL + [500.0, 0, 0]])
    assert physics.shape_rank(level + 0.3 * rng.standard_normal((6, 3))) == 1


def test_a_flat_row_of_neighbours_is_no_board(rng):
    """A wall with a microphone every 4 % of its length, exact to a few millimetres, has no depth."""
    wall = np.stack([np.linspace(0, 5, 26), np.tile([0.0, 0.08], 13), 0.003 * rng.standard_normal(26)], axis=1)
    assert physics.shape_rank(wall) == 1


def test_of_twins_the_one_beside_a_place(rng):
    room, flat, line = rng.uniform(0, 3, (6, 3)), rng.uniform(0, 3, (6, 3)), np.outer(np.arange(5.0), [1, 0, 0])
    flat[:, 2] = 1.2
    points = np.array([[1.0, 2.0, 2.0], [1.0, 2.0, 0.4]])
    assert physics.beside(points, points[0], room) is points
    assert np.allclose(physics.beside(points, np.array([3.0, 0.0, 1.3]), flat), [[1.0, 2.0, 2.0]] * 2)
    assert np.allclose(physics.beside(points, np.array([3.0, 0.0, 1.1]), flat), [[1.0, 2.0, 0.4]] * 2)
    beside = physics.beside(np.array([[1.0, 3.0, 4.0]]), np.array([7.0, 0.0, -2.0]), line)
    assert np.allclose(beside, [[1.0, 0.0, -5.0]])


@pytest.mark.parametrize(
    ("point", "is_image"),
    [
        ([2.0, 1.0, -1.0], True),  # in a floor at 0
        ([2.2, 0.9, -1.0], True),
        ([2.26, 1.0, -1.0], False),
        ([2.0, 1.0, 0.3], False),  # in none that is below the lowest microphone
        ([2.0, 1.0, 4.4], True),  # in a ceiling
        ([2.0, 1.0, 3.4], False),
    ],
)
def test_what_a_floor_or_a_ceiling_mirrors(point, is_image):
    positions = np.array([[0.0, 0, 0.5], [3, 0, 2.5], [0, 3, 1.2]])
    places = np.array([[2.0, 1.0, 1.0], [0.5, 0.5, 1.0]])
    assert physics.level_images(np.array(point), places, positions).tolist() == [is_image, False]
    assert physics.level_images(np.array([point, places[0]]), places, positions).shape == (2, 2)


@pytest.mark.parametrize("shape", ["flat", "line"])
def test_no_delay_tells_twins_apart(rng, shape):
    positions = rng.uniform(0, 3, (6, 3))
    positions = positions * [1, 1, 0] if shape == "flat" else np.outer(positions[:, 0], [1, 2, 0.5]) + 1
    point, pairs = rng.uniform(0, 3, 3), physics.pair_indices(6)
    for twin in physics.twins(point, positions):
        assert np.allclose(
            physics.range_differences(twin, positions, pairs), physics.range_differences(point, positions, pairs)
        )


@pytest.mark.parametrize("seed", range(5))
def test_cramer_rao_equals_the_curvature_of_the_likelihood(seed):
    rng = np.random.default_rng(seed)
    positions, point = rng.uniform(BOX[0], BOX[1], (6, 3)), rng.uniform(BOX[0] + 1, BOX[1] - 1)
    sigma = rng.uniform(0.01, 0.1, 6)
    slow = reference.cramer_rao(point, positions, sigma, BOX)
    assert np.allclose(physics.cramer_rao(point, positions, sigma, BOX), slow, rtol=2e-3, atol=1e-7)


def test_cramer_rao_is_what_least_squares_scatters_by(rng):
    """2000 noisy recordings, each solved by linearized weighted least squares for x and t0."""
    positions, point, sigma = rng.uniform(BOX[0], BOX[1], (8, 3)), np.array([2.0, 2.0, 1.0]), np.full(8, 0.02)
    slopes = np.column_stack([physics.directions(point, positions), np.ones(8)])
    errors = (np.linalg.pinv(slopes) @ (sigma[:, None] * rng.standard_normal((8, 2000))))[:3]
    bound = physics.cramer_rao(point, positions, sigma, np.array([[-1e3] * 3, [1e3] * 3]))
    assert np.allclose(np.cov(errors), bound, atol=0.1 * np.diag(bound).max())


def test_a_microphone_with_a_large_error_tells_as_little_as_none(rng):
    positions, point = rng.uniform(BOX[0], BOX[1], (7, 3)), np.array([2.0, 2.0, 1.0])
    sigma = np.array([0.02] * 6 + [1e6])
    with_it = physics.fisher_information(point, positions, sigma)
    assert np.allclose(with_it, physics.fisher_information(point, positions[:6], sigma[:6]))


def test_a_microphone_at_the_source_gives_finite_numbers(rng):
    positions = rng.uniform(BOX[0], BOX[1], (5, 3))
    assert np.isfinite(physics.cramer_rao(positions[0], positions, 0.01, BOX)).all()


def test_turning_and_moving_everything_turns_the_information(rng):
    positions, point = rng.uniform(BOX[0], BOX[1], (6, 3)), rng.uniform(BOX[0], BOX[1])
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    moved = physics.fisher_information(turn @ point + 7.0, positions @ turn.T + 7.0, 0.05)
    assert np.allclose(moved, turn @ physics.fisher_information(point, positions, 0.05) @ turn.T)


@pytest.mark.parametrize("count", range(2, 8))
def test_every_pair_once_the_smaller_number_first(count):
    expected = [[i, j] for i in range(count) for j in range(i + 1, count)]
    assert physics.pair_indices(count).tolist() == expected


def test_range_differences_equal_the_definition_whatever_the_leading_axes(rng):
    positions, points, pairs = rng.uniform(0, 5, (4, 3)), rng.uniform(0, 5, (2, 3, 3)), physics.pair_indices(4)
    for at in np.ndindex(2, 3):
        slow = [np.linalg.norm(points[at] - positions[i]) - np.linalg.norm(points[at] - positions[j]) for i, j in pairs]
        assert np.allclose(physics.range_differences(points, positions, pairs)[at], slow)


@pytest.mark.parametrize(("thickness", "rank"), [(0.0, 2), (0.05, 2), (0.5, 3)])
def test_a_plane_may_lie_any_way_and_be_a_little_thick(rng, thickness, rank):
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    corners = np.array([[x, y, 0.0] for x in (0.0, 5) for y in (0.0, 5)] + [[2.5, 2.5, thickness]])
    assert physics.shape_rank(corners @ turn.T + 3.0) == rank


def test_a_region_holds_what_is_nearer_than_its_border():
    covariance_m2 = np.diag([1.0, 4.0, 0.25])
    border_m = np.sqrt(physics.REGION_90 * np.diag(covariance_m2))
    for axis in np.eye(3):
        assert physics.is_in_region(0.99 * border_m * axis, covariance_m2)
        assert not physics.is_in_region(1.01 * border_m * axis, covariance_m2)
