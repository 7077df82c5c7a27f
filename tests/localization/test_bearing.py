"""Far outside a wide array a place is a bearing, nearby it is none."""

import numpy as np
import pytest

from soundfix.localization.bearing import NARROWEST_DEG, bearing

GRID = np.array([(x, y, 1.0) for x in (-40.0, 0.0, 40.0) for y in (-40.0, 0.0, 40.0)])
BOX = np.array([[-1000.0, -1000.0, -5.0], [1000.0, 1000.0, 500.0]])


def found_at(place, along_m, across_m):
    """Its error is so large along the ray, and across it."""
    place = np.array(place)
    unit = (place - GRID.mean(axis=0)) / np.linalg.norm(place - GRID.mean(axis=0))
    covariance = across_m**2 * np.eye(3) + (along_m**2 - across_m**2) * np.outer(unit, unit)
    return place, covariance


def test_where_the_distance_is_told_it_is_no_bearing():
    assert bearing(*found_at([300.0, 0.0, 1.0], 100.0, 2.0), GRID, BOX) is None
    assert bearing(*found_at([20.0, 0.0, 1.0], 100.0, 2.0), GRID, BOX) is None  # among the microphones


def test_where_it_is_not_it_is_from_the_middle_of_the_array():
    found = bearing(*found_at([0.0, 300.0, 1.0], 200.0, 5.0), GRID, BOX)
    assert found is not None
    assert found.azimuth_deg == pytest.approx(90)
    assert found.elevation_deg == pytest.approx(0)
    assert found.from_m == pytest.approx(GRID.mean(axis=0))
    assert found.cone90_deg == pytest.approx(np.degrees(np.arctan(5 * 2.146 / 300)), rel=0.01)


def test_at_the_end_of_what_was_searched_it_may_be_further():
    assert bearing(*found_at([980.0, 0.0, 1.0], 10.0, 2.0), GRID, BOX).cone90_deg == NARROWEST_DEG
    assert bearing(*found_at([0.0, -980.0, 1.0], 10.0, 2.0), GRID, BOX) is not None


def test_at_a_known_height_a_place_stays_one():
    flat = BOX.copy()
    flat[:, 2] = 1.0
    assert bearing(*found_at([0.0, 300.0, 1.0], 200.0, 5.0), GRID, flat) is None
