"""A turned and moved array has the same answer at the turned and moved place, and everything that is said of it."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.compact import SQUARE, compact_scene, unit
from helpers.scenes import anechoic_scene
from soundfix.estimate import Estimate, Finding, Source
from soundfix.localization.boxes import CorrelationBoxes
from soundfix.localization.own_frame import own_frame
from soundfix.localization.pipeline import estimate_window
from soundfix.resample import resampled
from soundfix.search_region import SearchRegion
from soundfix.simulation.soundbank import BuiltInSounds
from soundfix.simulation.worlds import draw_world, world_named

SHIFT_M = np.array([3.0, -7.0, 0.0])
ARRAY = np.array(
    [(0.2, 0.1, 1), (5.8, 0.3, 2.2), (5.5, 4.6, 0.8), (0.4, 4.9, 1.9), (2.9, 0.1, 2.6), (3.1, 4.8, 2.4), (1.5, 2, 0.5)]
)
SOURCE = np.array([2.2, 1.7, 1.3])


def turn(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def turned(scene, axes):
    positions = scene.microphones.border_positions() @ axes.T + SHIFT_M
    return replace(scene, microphones=replace(scene.microphones, positions=positions))


def answer(scene):
    return estimate_window(scene, CorrelationBoxes(), method="srp-phat").estimate


def open_scene(positions=ARRAY, **options):
    return anechoic_scene(positions, SOURCE, np.random.default_rng(1), snr_db=0.0, **options)


@pytest.mark.parametrize("degrees", [17, 45, 90, 211])
def test_the_answer_turns_with_the_array(degrees):
    axes, scene = turn(degrees), open_scene()
    one, other = answer(scene), answer(turned(scene, axes))
    assert one.verdict == other.verdict
    assert np.linalg.norm(one.sources[0].position_m - SOURCE) < 0.1
    for here, there in zip(one.sources, other.sources, strict=True):
        np.testing.assert_allclose(there.position_m, axes @ here.position_m + SHIFT_M, atol=1e-9)
        np.testing.assert_allclose(there.covariance_m2, axes @ here.covariance_m2 @ axes.T, atol=1e-9)


def test_an_array_that_is_askew_already_has_its_answer_where_the_source_is():
    axes = turn(30)
    scene = turned(open_scene(), axes)
    assert np.linalg.norm(answer(scene).sources[0].position_m - axes @ SOURCE - SHIFT_M) < 0.1


def test_who_is_listed_stands_where_it_is_listed_and_the_shell_of_who_is_not_turns():
    positions, axes = ARRAY.copy(), turn(40)
    positions[6] = np.nan
    scene = replace(open_scene(), microphones=replace(open_scene().microphones, positions=positions))
    one, other = answer(scene).microphones, answer(turned(scene, axes)).microphones
    for report, listed in zip(other[:6], positions @ axes.T + SHIFT_M, strict=False):
        np.testing.assert_array_equal(report.position_m, listed)
    assert other[6].position_m is None
    for name in ("centre_m", "place_m"):
        here, there = getattr(one[6].shell, name), getattr(other[6].shell, name)
        np.testing.assert_allclose(there, axes @ here + SHIFT_M, atol=1e-6)
    assert np.linalg.norm(one[6].shell.centre_m - SOURCE) < 0.1


def test_the_guess_of_an_abstention_turns():
    axes = turn(25)
    scene = open_scene()
    noise = np.random.default_rng(5).standard_normal(scene.audio.shape).astype(np.float32)
    one, other = (answer(replace(each, audio=noise)) for each in (scene, turned(scene, axes)))
    assert one.verdict == other.verdict == "abstain"
    np.testing.assert_allclose(other.guess_m, one.guess_m @ axes.T + SHIFT_M, atol=1e-6)


def test_a_direction_and_its_mirror_turn():
    axes, scene = turn(50), compact_scene(SQUARE, towards=unit(20, 14))
    one, other = answer(scene).direction, answer(turned(scene, axes)).direction
    for here, there in ((one, other), (one.mirror, other.mirror)):
        np.testing.assert_allclose(there.unit, axes @ here.unit, atol=1e-6)
        np.testing.assert_allclose(there.from_m, axes @ here.from_m + SHIFT_M, atol=1e-9)


def test_an_axis_that_is_named_is_one_of_the_list():
    scene = turned(open_scene(), turn(90))
    frame = own_frame(scene)
    long = Source(position_m=SOURCE, covariance_m2=np.diag([1e-4, 0.25, 1e-4]), radius90_m=1.0, score=0.5)
    said = (Finding("poor_y", "y is poorly determined", degrades=False), Finding("moves", "it moves", degrades=False))
    found = Estimate(method="m", start_s=0.0, end_s=0.5, verdict="ok", findings=said, sources=(long,))
    back = frame.estimate(found, scene)
    worst = int(np.diag(back.sources[0].covariance_m2).argmax())
    assert [finding.code for finding in back.findings] == [f"poor_{'xyz'[worst]}", "moves"]
    assert worst == (1 if abs(frame.axes[1, 1]) > 0.5 else 0)


def test_where_walls_or_a_search_region_are_told_nothing_is_turned():
    assert own_frame(open_scene(room=((0.0, 0.0, 0.0), (6.0, 5.0, 3.0)))) is None
    assert own_frame(replace(open_scene(), search=SearchRegion(bounds=np.array([(0, 0, 0), (6.0, 5, 3)])))) is None


@pytest.mark.parametrize("degrees", [0, 33])
def test_the_first_axis_is_along_the_longer_side_of_the_smallest_rectangle(degrees):
    axes = turn(degrees)
    frame = own_frame(turned(open_scene(), axes))
    along = axes @ np.array([1.0, 0, 0])
    assert abs(frame.axes[0] @ along) > 0.99
    np.testing.assert_allclose(frame.axes @ frame.axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(frame.axes) == pytest.approx(1)


def test_microphones_on_a_line_and_on_one_spot_of_the_map_have_a_frame_too():
    line = np.array([[0.6 * k + 1, 0.8 * k + 2, 0.5] for k in range(5)])
    assert abs(own_frame(open_scene(line)).axes[0] @ [0.6, 0.8, 0]) == pytest.approx(1)
    upright = np.array([[1.0, 2, z] for z in range(4)])
    frame = own_frame(open_scene(upright))
    np.testing.assert_array_equal(frame.inside(upright)[:, 2], upright[:, 2])
    np.testing.assert_allclose(frame.outside(frame.inside(upright)), upright, atol=1e-12)


@pytest.mark.parametrize("number", [8, 23, 107])
def test_another_sample_rate_moves_no_answer(number):
    """What a filter against aliases has left at the top of the band is noise, which PHAT weighs as it does the sound."""
    world = replace(world_named("luvira-twin"), duration_s=0.5)
    scene = replace(draw_world(world, BuiltInSounds(), np.random.default_rng([9, number])), room=None)
    higher = replace(scene, audio=resampled(scene.audio, scene.sample_rate, 44_100), sample_rate=44_100.0)
    one, other = (answer(each).sources[0].position_m for each in (scene, higher))
    assert np.linalg.norm(one - other) < 5e-4
