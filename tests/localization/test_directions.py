"""From evidence to a direction: on which side of a plane, how wide the cone, how far the room lets it be."""

import numpy as np
import pytest

from helpers.compact import CENTRE, SPEED, SQUARE, TETRAHEDRON, angle_deg, compact_scene, unit
from soundfix.localization import directions as module
from soundfix.localization.directions import Belief, believed, directions, shape_of, source, spans, sphere
from soundfix.localization.steering import listen
from soundfix.scene import search_box

WIDE = np.array([CENTRE - 4, CENTRE + 4])
NONE = np.zeros(4)


def belief_of(scene):
    shape = shape_of(scene.microphones.positions, scene.microphones.sigma_m)
    cells = listen(scene.audio, shape.offsets_m, sample_rate=scene.sample_rate, speed_m_s=SPEED, slack_m=shape.slack_m)
    return believed(cells, shape), shape


def test_the_plane_of_a_flat_array_is_found_although_its_list_is_not_exact(rng):
    rough = CENTRE + SQUARE + 0.0015 * rng.standard_normal((4, 3))
    shape = shape_of(rough, NONE)
    assert angle_deg(shape.normal, np.array([0, 0, 1.0])) < 5
    np.testing.assert_allclose(shape.offsets_m @ shape.normal, 0, atol=1e-12)
    assert shape.width_m == pytest.approx(0.065 * 2**0.5, rel=0.1)
    assert shape_of(CENTRE + TETRAHEDRON, NONE).normal is None
    assert shape_of(CENTRE - SQUARE, NONE).normal[2] > 0  # always the same side


def test_declared_errors_of_positions_count():
    assert shape_of(CENTRE + SQUARE, NONE).slack_m == pytest.approx(0.003)
    assert shape_of(CENTRE + SQUARE, np.full(4, 0.004)).slack_m == pytest.approx(0.005)
    assert shape_of(CENTRE + SQUARE / 10, NONE).slack_m == pytest.approx(0.05 * 0.0065 * 2**0.5)


@pytest.mark.parametrize("towards", [unit(30, 20), unit(-120, -40)])
def test_a_direction_in_the_open_is_exact_and_its_cone_narrow(towards):
    belief, shape = belief_of(compact_scene(towards=towards))
    (found,) = directions(belief, shape, WIDE, is_bounded=False)
    assert angle_deg(found.unit, towards) < 1.5
    assert found.cone90_deg < 8
    assert found.range_m is None
    assert belief.shares.sum() == pytest.approx(1)


def test_more_noise_means_a_wider_cone():
    cones = []
    for snr_db in (20, 0, -6):
        belief, shape = belief_of(compact_scene(towards=unit(30, 20), snr_db=snr_db))
        cones.append(directions(belief, shape, WIDE, is_bounded=False)[0].cone90_deg)
    assert cones[0] < cones[1] < cones[2]


def test_a_flat_array_has_two_sides_and_a_room_may_exclude_one():
    belief, shape = belief_of(compact_scene(SQUARE, towards=unit(30, 40)))
    up, down = directions(belief, shape, WIDE, is_bounded=True)
    assert up.elevation_deg == pytest.approx(-down.elevation_deg)
    assert up.azimuth_deg == pytest.approx(down.azimuth_deg)
    assert up.elevation_deg == pytest.approx(40, abs=3)
    on_the_floor = CENTRE + np.array([[-4, -4, -0.01], [4, 4, 4]])
    (only,) = directions(belief, shape, on_the_floor, is_bounded=True)
    assert only.elevation_deg == pytest.approx(40, abs=3)
    ceiling = CENTRE + np.array([[-4, -4, -4], [4, 4, 0.01]])
    (other,) = directions(belief, shape, ceiling, is_bounded=True)
    assert other.elevation_deg == pytest.approx(-40, abs=3)


def test_a_low_sound_over_an_array_on_the_floor_has_one_side():
    belief, shape = belief_of(compact_scene(SQUARE, towards=unit(30, 8)))
    assert len(directions(belief, shape, CENTRE + np.array([[-4, -4, -0.02], [4, 4, 2]]), is_bounded=True)) == 1
    assert len(directions(belief, shape, CENTRE + np.array([[-4, -4, -0.8], [4, 4, 2]]), is_bounded=True)) == 2


def test_a_box_that_cannot_be_is_not_heeded():
    belief, shape = belief_of(compact_scene(SQUARE, towards=unit(30, 40)))
    elsewhere = CENTRE + np.array([[-9, -9, -9], [-8, -8, -8]])
    assert len(directions(belief, shape, elsewhere, is_bounded=True)) == 2


def test_a_known_height_says_how_far():
    belief, shape = belief_of(compact_scene(SQUARE, towards=unit(30, 40), range_m=2.0))
    height = CENTRE[2] + 2 * np.sin(np.radians(40))
    thin = np.array([[-4, -4, height], [9, 9, height]])
    (found,) = directions(belief, shape, thin, is_bounded=True)
    assert found.range_m[0] < 2 < found.range_m[1]
    assert found.range_m[1] < 1.6 * found.range_m[0]


def test_spans_are_where_rays_are_in_the_box():
    box = np.array([[-1.0, -2, -3], [1.0, 2, 3]])
    found = spans(np.zeros(3), np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, -1], [1 / 2**0.5, 1 / 2**0.5, 0]]), box)
    np.testing.assert_allclose(found[:, 0], 0.3)
    np.testing.assert_allclose(found[:, 1], [1.15, 2.15, 3.15, 1.15 * 2**0.5])
    ((nearest_m, furthest_m), (_, misses_m)) = spans(np.array([-5.0, 0, 0]), np.array([[1.0, 0, 0], [-1, 0, 0]]), box)
    assert (nearest_m, furthest_m) == pytest.approx((3.85, 6.15))
    assert misses_m < 0


@pytest.mark.parametrize(
    ("array", "factor"),
    [
        (TETRAHEDRON, "FACTOR_DEEP"),
        (SQUARE, "FACTOR_FLAT_FEW"),
        (np.concatenate([SQUARE, 0.5 * SQUARE]), "FACTOR_FLAT"),
    ],
)
def test_the_cone_holds_nine_tenths_of_what_is_believed(array, factor):
    """A ring of directions 10 degrees round the middle: half the opening is 10 degrees, times a factor."""
    ring = [unit(azimuth, 80) for azimuth in range(0, 360, 10)]
    belief = Belief(units=np.array(ring), shares=np.full(36, 1 / 36), strength=1.0)
    found, *_ = directions(belief, shape_of(CENTRE + array, np.zeros(len(array))), WIDE, is_bounded=False)
    assert found.elevation_deg == pytest.approx(90, abs=0.01)
    assert found.cone90_deg == pytest.approx(10 * getattr(module, factor), rel=0.01)


def test_a_source_stands_for_the_whole_ray():
    belief, shape = belief_of(compact_scene(towards=unit(0, 0)))
    box = search_box(compact_scene(towards=unit(0, 0)).microphones, None)
    (found,) = directions(belief, shape, box, is_bounded=False)
    placed = source(found, box, 0.5)
    off = placed.position_m - CENTRE
    assert angle_deg(off / np.linalg.norm(off), found.unit) < 1e-6
    along = float(np.sqrt(found.unit @ placed.covariance_m2 @ found.unit))
    assert along == pytest.approx((np.linalg.norm(off) - 0.3) * 2 / 12**0.5, rel=1e-6)
    for range_m in (0.5, 1.0, 2.0):
        gap = CENTRE + range_m * unit(0, 0) - placed.position_m
        assert gap @ np.linalg.solve(placed.covariance_m2, gap) < 6.251


def test_directions_are_spread_evenly():
    units = sphere(1000)
    np.testing.assert_allclose(np.linalg.norm(units, axis=1), 1)
    np.testing.assert_allclose(units.T @ units / 1000, np.eye(3) / 3, atol=2e-3)


def test_the_more_microphones_and_the_more_depth_the_narrower_the_cone_of_the_same_belief():
    """A square, a plane of eight, and an array with depth."""
    ring = [unit(azimuth, 80) for azimuth in range(0, 360, 10)]
    belief = Belief(units=np.array(ring), shares=np.full(36, 1 / 36), strength=1.0)
    shapes = [shape_of(CENTRE + each, np.zeros(len(each))) for each in (
        SQUARE, np.concatenate([SQUARE, 0.5 * SQUARE]), TETRAHEDRON,
    )]  # fmt: skip
    few, flat, deep = (directions(belief, shape, WIDE, is_bounded=False)[0].cone90_deg for shape in shapes)
    assert few > flat > deep


def test_no_cone_is_narrower_than_a_degree():
    belief = Belief(units=unit(30, 20)[None], shares=np.ones(1), strength=1.0)
    (found,) = directions(belief, shape_of(CENTRE + TETRAHEDRON, NONE), WIDE, is_bounded=False)
    assert found.cone90_deg == 1.0
