"""Mirror images: a microphone found on the wrong side of a level walk changes sides; one that may be on either says so."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.walks import ROOM, array, hearing, walk
from soundfix.calibration.bundle import Freedom, Layout, adjust
from soundfix.calibration.calibrate import calibrate
from soundfix.calibration.mirrors import images, reflected, righted
from soundfix.microphones import Microphones
from soundfix.report.calibration import as_dict, lines

SOUGHT, LEVEL_M = 4, 1.2
STILL = np.zeros(11)
FREEDOM = Freedom(positions=np.where(np.arange(11) == SOUGHT, np.inf, 0.0), offset_m=STILL, drift_m_s=STILL)


@pytest.fixture
def places(rng):
    places = array(rng)
    places[SOUGHT, 2] = LEVEL_M + 0.5
    return places


def level(rng, spread_m):
    """A walk about LEVEL_M high, with heights that differ by so much."""
    return walk(rng) * [1, 1, spread_m] + [0, 0, LEVEL_M * (1 - spread_m)]


def solution(places, sources, rng, *, is_mirrored, noise_m=0.003):
    """As downhill ends from either side."""
    arrivals = hearing(places, sources, rng, noise_m=noise_m, wrong=0.0, missing=0.0).arrivals
    start = places.copy()
    if is_mirrored:
        start[SOUGHT] = reflected(places[[SOUGHT]], sources)[0]
    layout = Layout(positions=start, offset_m=STILL, drift_m_s=STILL, sources=sources)
    return arrivals, layout, adjust(arrivals, layout, FREEDOM, scales=(3.0, 1.0))


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_from_either_side_it_ends_on_the_right_one(places, rng, is_mirrored):
    arrivals, layout, found = solution(places, level(rng, 0.4), rng, is_mirrored=is_mirrored)
    if is_mirrored:
        assert np.linalg.norm(found.layout.positions[SOUGHT] - places[SOUGHT]) > 0.5
    right = righted(arrivals, layout, FREEDOM, found, None)
    assert np.linalg.norm(right.layout.positions[SOUGHT] - places[SOUGHT]) < 0.05
    assert images(arrivals, layout, FREEDOM, right, None) == {}


def test_a_walk_that_is_all_level_leaves_both_sides(places, rng):
    arrivals, layout, found = solution(places, level(rng, 0.0), rng, is_mirrored=False)
    ((m, image),) = images(arrivals, layout, FREEDOM, found, None).items()
    assert m == SOUGHT
    assert image.probability == pytest.approx(0.5, abs=0.05)
    assert image.position_m[2] == pytest.approx(LEVEL_M - 0.5, abs=0.1)


def test_nobody_stands_beyond_a_wall_that_is_told(places, rng):
    """The other side of a level walk is below the floor."""
    arrivals, layout, found = solution(places, level(rng, 0.0), rng, is_mirrored=False)
    floor = np.array([[0.0, 0.0, LEVEL_M - 0.3], [7.0, 8.0, 3.0]])
    assert images(arrivals, layout, FREEDOM, found, floor) == {}
    _, _, below = solution(places, level(rng, 0.4), rng, is_mirrored=False)
    assert righted(arrivals, layout, FREEDOM, below, floor) is below


def test_who_heard_nothing_has_no_image(places, rng):
    arrivals, layout, found = solution(places, level(rng, 0.0), rng, is_mirrored=False)
    unheard = replace(arrivals, path_m=np.where(np.arange(11) == SOUGHT, np.nan, arrivals.path_m))
    assert images(unheard, layout, FREEDOM, found, None) == {}


def test_an_answer_with_two_sides_says_so_and_its_error_reaches_the_other(places, rng):
    blank = places.copy()
    blank[SOUGHT] = np.nan
    sound = hearing(places, level(rng, 0.0), rng, wrong=0.0)
    result = calibrate(sound, Microphones(positions=blank), room=ROOM)
    repair = result.repairs[SOUGHT]
    assert {round(float(z), 1) for z in (repair.position_m[2], repair.image_m[2])} == {0.7, 1.7}
    assert np.sqrt(repair.covariance_m2[2, 2]) > 0.4
    assert result.microphones.sigma_m[SOUGHT] > 0.2
    assert any("or at its mirror image" in line for line in lines(result, result.microphones))
    assert as_dict(result)["microphones"][SOUGHT]["image_m"] == repair.image_m.tolist()
    assert as_dict(result)["microphones"][0]["image_m"] is None


def test_a_reflection_by_hand():
    plane = np.array([[0.0, 0.0, 1.0], [4.0, 0.0, 1.0], [0.0, 5.0, 1.0], [3.0, 3.0, 1.0]])
    assert reflected(np.array([[1.0, 2.0, 3.0]]), plane)[0] == pytest.approx([1.0, 2.0, -1.0])
