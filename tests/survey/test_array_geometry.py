"""What an array can tell: mirror images, the bound on errors, and what a loss costs."""

import numpy as np
import pytest

from helpers.surveys import CORNERS, ROOM, only
from soundfix import physics
from soundfix.microphones import Microphones
from soundfix.report.survey import survey_lines
from soundfix.survey.array_geometry import Array, lattice, losses, predict
from soundfix.survey.survey import survey

CEILING = np.array([[1.0, 1, 3], [5, 1, 3], [1, 5, 3], [5, 5, 3], [3, 3, 3]])


def test_a_flat_array_sees_the_mirror_image():
    flat = CEILING - [0, 0, 1.5]
    geometry = only(flat).geometry
    assert (geometry.rank, geometry.grade) == (2, "fair")
    assert any("z = 1.50 m" in limit and "mirror image" in limit for limit in geometry.limits)


def test_the_ceiling_of_a_room_excludes_the_mirror_image():
    assert only(CEILING).geometry.rank == 2
    assert not any("mirror" in limit for limit in only(CEILING).geometry.limits)
    assert any("mirror" in limit for limit in only(CEILING, room=None).geometry.limits)


def test_a_slanted_flat_array_is_called_so():
    slanted = [[1.0, 1, 0.5], [5, 1, 0.5], [1, 5, 2.5], [5, 5, 2.5], [3, 3, 1.5]]
    assert any("slanted plane" in limit for limit in only(slanted).geometry.limits)


def test_a_line_tells_only_along_and_from_it():
    geometry = only([[x, 3.0, 1.5] for x in (0.5, 1.5, 3.0, 4.0, 5.5)]).geometry
    assert (geometry.rank, geometry.grade) == (1, "poor")
    assert any("round its line" in limit for limit in geometry.limits)


@pytest.mark.parametrize(
    ("count", "limit", "integrity"),
    [
        (3, "any position: 4 microphones are needed", "unnoticed"),
        (4, "whether a microphone is wrong", "unnoticed"),
        (5, "which microphone is wrong", "not whose"),
        (6, None, "up to 1 wrong microphone can"),
        (8, None, "up to 3 wrong microphones can"),
    ],
)
def test_the_number_of_microphones_says_which_faults_are_found(count, limit, integrity):
    geometry = only(CORNERS[[0, 3, 5, 6, 1, 7, 2, 4][:count]]).geometry
    assert integrity in geometry.integrity
    assert (limit is None) == (geometry.limits == ())
    assert limit is None or geometry.limits[0].startswith(limit)
    assert geometry.grade == ("poor" if count < 4 else "fair" if limit else "good")


def test_at_a_known_height_three_microphones_do():
    floor = ((0.0, 0.0, 1.0), (6.0, 6.0, 1.0))
    report = only([[0.5, 0.5, 1], [5.5, 0.5, 1], [3, 5.5, 1]], room=floor)
    assert [limit for limit in report.geometry.limits if "mirror" in limit or "needed" in limit] == []
    assert report.prediction.axes_m[2] < 0.001
    assert [part.normal for part in report.prediction.slices] == ["z"]


def test_a_low_wide_array_is_poor_at_height():
    low = CORNERS * [1, 1, 0.05] + [0, 0, 1.4]
    limits = only(low).geometry.limits
    assert any(limit.startswith("the height") for limit in limits)
    assert not any(limit.startswith("the height") for limit in only(CORNERS * [0.5, 0.5, 1]).geometry.limits)


def test_how_many_can_be_lost():
    assert only(CORNERS[:4]).geometry.can_lose == 0
    assert only(CORNERS).geometry.can_lose == 3  # four on the ceiling remain, or four on the floor: flat
    assert only(np.concatenate([CEILING, [[3.0, 3, 1]]])).geometry.can_lose == 0  # one microphone alone gives the depth


def test_the_middle_of_a_cross_has_the_bound_solved_by_hand():
    """Six microphones 2 m off along the axes: the information is 2 / sigma² on each, so the error is sigma sqrt(3/2)."""
    cross = np.concatenate([2 * np.eye(3), -2 * np.eye(3)])
    array = Array(Microphones(positions=cross), 0.01, np.array([[-1e3] * 3, [1e3] * 3]))
    assert array.errors(np.zeros((1, 3))) == pytest.approx([0.01 * np.sqrt(1.5)], rel=1e-6)


def test_errors_of_positions_add_to_the_timing_error():
    exact, vague = Microphones(positions=CORNERS), Microphones(positions=CORNERS, sigma_m=np.full(8, 0.03))
    medians = [survey(m, room=ROOM, windows=[]).prediction.median_m for m in (exact, vague)]
    assert medians[1] / medians[0] == pytest.approx(np.hypot(1, 3), rel=0.01)
    assert only(CORNERS, sigma_m=0.02).prediction.median_m == pytest.approx(2 * medians[0], rel=0.01)


def test_a_symmetrical_array_has_a_symmetrical_map():
    horizontal, ear, upright = only(CORNERS * [1, 1, 0.5]).prediction.slices
    assert (horizontal.normal, ear.normal, upright.normal) == ("z", "z", "y")
    assert (horizontal.at_m, ear.at_m, upright.at_m) == pytest.approx((0.75, 1.5, 3.0))
    np.testing.assert_allclose(horizontal.error_m, horizontal.error_m.T, rtol=1e-9)
    np.testing.assert_allclose(horizontal.error_m, horizontal.error_m[::-1], rtol=1e-9)
    np.testing.assert_allclose(upright.error_m, upright.error_m[:, ::-1], rtol=1e-9)


def test_a_map_holds_the_bound_at_its_own_places():
    part = only(CORNERS).prediction.slices[-1]
    for row, column in ((0, 0), (2, 5), (-1, 7)):
        point = np.array([part.across_m[column], part.at_m, part.up_m[row]])
        bound = physics.cramer_rao(point, CORNERS, 0.01, np.array(ROOM))
        assert part.error_m[row, column] == pytest.approx(np.sqrt(np.trace(bound)), rel=1e-9)


def test_the_summary_is_in_order():
    prediction = only(CORNERS).prediction
    assert 0 < prediction.median_m < prediction.p90_m < prediction.worst_m
    assert np.linalg.norm(prediction.axes_m) == pytest.approx(prediction.median_m, rel=0.2)


def test_points_fill_the_box_evenly():
    points = lattice(np.array([[0.0, 0, 0], [8, 4, 2]]))
    assert 100 < len(points) < 400
    np.testing.assert_allclose(points.mean(axis=0), [4, 2, 1])
    assert (points > 0).all()


def test_the_only_high_microphone_hurts_most():
    high = np.concatenate([CORNERS[::2], [[3.0, 3, 0.32], [1.0, 3, 0.28], [3.0, 3, 2.8]]])
    worst, *others = only(high).losses
    assert worst.name == "mic7"
    assert worst.error_m > 2 * others[0].error_m
    assert [loss.error_m for loss in others] == sorted((loss.error_m for loss in others), reverse=True)


def test_a_loss_is_the_prediction_of_the_rest():
    array = Array(Microphones(positions=CORNERS), 0.01, np.array(ROOM))
    points = lattice(array.box)
    first = losses(array, points)[0]
    rest = array.without(array.microphones.names.index(first.name))
    assert first.error_m == pytest.approx(predict(rest, points).median_m)
    assert first.error_m > predict(array, points).median_m


def test_without_one_of_four_there_is_no_position():
    report = only(CORNERS[[0, 3, 5, 6]])
    assert {loss.error_m for loss in report.losses} == {None}
    assert any("no position" in line for line in survey_lines(report))
