"""Where a source may be: boxes, heights and polygons; what is no region is refused in a sentence."""

import numpy as np
import pytest

from soundfix.errors import SceneError
from soundfix.search_region import KNOWN_M, SearchRegion, contains, flattened, known_to_m, onto_edge, outside_m

L_SHAPED = np.array([[0.0, 0], [4, 0], [4, 2], [2, 2], [2, 6], [0, 6]])


def test_nothing_told_is_no_region():
    assert SearchRegion.of(None) is None


def test_a_box_is_its_bounds():
    region = SearchRegion.of(((0, 1, 2), (3, 4, 5)))
    assert region.bounds.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert region.corners is None
    assert SearchRegion.of(region) is region


def test_a_height_leaves_the_rest_open():
    assert SearchRegion.of(None, 0.26).bounds.tolist() == [[-np.inf, -np.inf, 0.26], [np.inf, np.inf, 0.26]]
    assert SearchRegion.of(None, (0.2, 0.4)).bounds[:, 2].tolist() == [0.2, 0.4]


def test_a_height_cuts_a_box_and_a_polygon():
    assert SearchRegion.of(((0, 0, 0), (4, 4, 3)), (1, 9)).bounds.tolist() == [[0, 0, 1], [4, 4, 3]]
    region = SearchRegion.of(L_SHAPED, 1.5)
    assert region.bounds.tolist() == [[0, 0, 1.5], [4, 6, 1.5]]
    assert np.array_equal(region.corners, L_SHAPED)


def test_a_polygon_that_ends_where_it_began_has_no_corner_twice():
    assert len(SearchRegion.of(np.concatenate([L_SHAPED, L_SHAPED[:1]])).corners) == 6


@pytest.mark.parametrize(
    ("search", "height_m", "message"),
    [
        ("here", None, "no list of numbers"),
        ([[0, 0], [1, 1]], None, "three or more corners"),
        ([[0, 0], [1, 1], [2, 2.0], [0, 0]], "a", "no list of numbers"),
        ([[0, 0], [1, 0], [2, 0]], None, "without an inside"),
        (((0, 0, 3), (1, 1, 0)), None, "lowest corner first"),
        (((0, 0, 0), (0.01, 0.01, 0.01)), None, "nothing to be found"),
        (((0, 0, np.nan), (1, 1, 1)), None, "wanted \\(\\(x0"),
        (None, (2, 1), "the lowest and the highest"),
        (None, (1, 2, 3), "the lowest and the highest"),
        (((0, 0, 0), (1, 1, 1)), 1.5, "outside the search region"),
    ],
)
def test_what_is_no_region_is_refused(search, height_m, message):
    with pytest.raises(SceneError, match=message):
        SearchRegion.of(search, height_m)


def test_a_polygon_contains_what_a_literal_count_of_crossings_says(rng):
    points = rng.uniform(-1, 7, (500, 2))
    x, y = points.T
    literal = (y > 0) & (x > 0) & (((x < 4) & (y < 2)) | ((x < 2) & (y < 6)))
    assert np.array_equal(contains(L_SHAPED, points), literal)
    assert np.array_equal(contains(L_SHAPED[::-1], points), literal)


def test_distances_from_the_edge_have_a_sign():
    points = np.array([[1.0, 1.0, 9.0], [3.0, 3.0, 9.0], [5.0, 1.0, 9.0], [5.0, -1.0, 9.0]])
    assert outside_m(L_SHAPED, points) == pytest.approx([-1.0, 1.0, 1.0, 2**0.5])
    assert onto_edge(L_SHAPED, points[1]).tolist() in ([2.0, 3.0], [3.0, 2.0])


def test_a_region_holds_what_is_in_its_polygon_and_pulls_in_what_is_not():
    region = SearchRegion.of(L_SHAPED)
    inside, outside = np.array([1.0, 1, 1]), np.array([4.05, 1, 1])
    assert region.may_hold(inside)
    assert not region.may_hold(outside)
    assert region.may_hold(outside, margin_m=0.06)
    assert not region.may_hold(inside, margin_m=-1.01)
    assert region.pulled(inside) is inside
    assert region.pulled(outside) == pytest.approx([4.0, 1, 1])
    assert SearchRegion.of(None, 1.0).may_hold(np.array([[99.0, 99, 99]])).tolist() == [True]


def test_a_few_centimetres_are_a_known_coordinate():
    box = np.array([[0.0, 0, 0.24], [4, 4, 0.24 + KNOWN_M]])
    assert flattened(box)[:, 2] == pytest.approx([0.265, 0.265])
    assert known_to_m(box) == pytest.approx([0, 0, 0.05])
    box[1, 2] += 0.001
    assert np.array_equal(flattened(box), box)
    assert not known_to_m(box).any()
