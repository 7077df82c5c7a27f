"""In which unit a list is: feet are told from metres though cables are exchanged, and what fits nothing is left alone."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.calibrations import listed
from helpers.walks import array, hearing, walk
from soundfix.calibration import list_units
from soundfix.calibration.calibrate import calibrate
from soundfix.calibration.list_units import METRES, in_metres, unit_and_order, unit_of
from soundfix.physics import OTHER_UNITS_M
from soundfix.report.calibration import as_dict, lines


def told(rng, unit, order=(0, 1, 2, 3, 4, 5, 6, 7)):
    """The unit that is found of a list in this one, where channel m hears what stands at row order[m]."""
    places = array(rng, 8)
    heard = hearing(places[list(order)], walk(rng), rng).arrivals
    return unit_of(heard, listed(places / OTHER_UNITS_M.get(unit, 1.0)), None, rng)


@pytest.mark.parametrize("unit", [METRES, "feet", "cm", "inches"])
def test_a_list_as_it_is(rng, unit):
    assert told(rng, unit) == unit


def test_feet_with_two_cables_exchanged(rng):
    assert told(rng, "feet", (4, 1, 2, 3, 0, 5, 6, 7)) == "feet"


@pytest.mark.parametrize("order", [(1, 0, 3, 2, 4, 5, 6, 7), (0, 4, 1, 5, 2, 6, 3, 7)])
def test_metres_stay_metres_whatever_the_order(rng, order):
    assert told(rng, METRES, order) == METRES


def test_what_fits_in_no_unit_stays_in_metres(rng):
    heard = hearing(array(rng, 8), walk(rng), rng).arrivals
    chance = replace(heard, path_m=rng.uniform(-8, 8, heard.path_m.shape))
    assert unit_of(chance, listed(array(rng, 8)), None, rng) == METRES


def test_a_unit_in_which_microphones_would_touch_is_not_tried(rng):
    places = np.concatenate([array(rng, 8), [[3.0, 3.0, 1.0], [3.05, 3.0, 1.0]]])
    heard = hearing(np.roll(places, 3, axis=0), walk(rng), rng).arrivals
    assert unit_of(heard, listed(places), None, rng) == METRES


def test_unknown_positions_stay_unknown():
    blank = listed(np.array([[1.0, 2.0, 3.0], [np.nan] * 3, [4.0, 5.0, 6.0]]))
    assert in_metres(blank, "feet").is_known.tolist() == [True, False, True]
    assert in_metres(blank, METRES) is blank


def test_calibration_goes_on_in_the_unit_and_says_so(rng):
    places = array(rng, 8)
    given = listed(places / OTHER_UNITS_M["feet"])
    result = calibrate(hearing(places, walk(rng), rng), given)
    assert (result.unit, result.doubts) == ("feet", ())
    assert np.linalg.norm(result.microphones.positions - places, axis=1).max() < 0.02
    assert "the list fits as feet: taken so, and corrected in metres" in list(lines(result, given))
    assert as_dict(result)["list_unit"] == "feet"


@pytest.mark.parametrize("order", [[1, 0, 3, 2, 4, 5, 6, 7], [0, 4, 1, 5, 2, 6, 3, 7]])
def test_plain_exchanges_come_before_units_though_the_sound_stands_still(order):
    rng = np.random.default_rng(1)
    places = array(rng, 8)
    heard = hearing(places[order], np.repeat(walk(rng)[:1], 6, axis=0), rng).arrivals
    unit, found = unit_and_order(heard, listed(places), None, rng)
    assert (unit, found.tolist()) == (METRES, order)


@pytest.mark.parametrize(("in_feet", "unit"), [(0.4, METRES), (0.2, "feet")])
def test_another_unit_has_to_fit_and_far_better(rng, monkeypatch, in_feet, unit):
    """As metres an arrival costs 0.6: half of that would be far better."""
    places = array(rng, 8)

    def misfit(arrivals, microphones, room, rng):
        is_feet = np.allclose(microphones.border_positions(), places * OTHER_UNITS_M["feet"])
        return in_feet if is_feet else 0.6

    monkeypatch.setattr(list_units, "_misfit", misfit)
    assert unit_of(hearing(places, walk(rng), rng).arrivals, listed(places), None, rng) == unit
