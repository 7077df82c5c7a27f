"""The simplest explanation that fits: as listed, late, drifting, elsewhere, or late elsewhere."""

import numpy as np
import pytest

from helpers.walks import ROOM
from soundfix.calibration.hypotheses import FaultHypothesis, PullHistory, simplest_fit

BOX = np.array(ROOM)
HERE = np.array([1.0, 2.0, 1.5])


def explained(sources, rng, *, place=HERE, listed=HERE, late_m=0.0, drift_m_s=0.0, wrong=0):
    """What is said of a microphone that stands at `place` and is listed at `listed`."""
    times_s = np.arange(len(sources)) / 2
    range_m = np.linalg.norm(sources - place, axis=1) + late_m + drift_m_s * times_s
    range_m += 0.01 * rng.standard_normal(len(sources))
    range_m[:wrong] += 3.0
    heard = PullHistory(range_m=range_m, places=sources, times_s=times_s)
    return simplest_fit(heard, FaultHypothesis(position_m=listed), BOX, rng)


def faults(found):
    return found.is_elsewhere, found.is_late, found.drifts


def test_as_listed(sources, rng):
    found = explained(sources, rng, wrong=5)
    assert faults(found) == (False, False, False)
    assert np.array_equal(found.position_m, HERE)
    assert found.share > 0.85


def test_a_late_clock(sources, rng):
    found = explained(sources, rng, late_m=2.5, wrong=5)
    assert faults(found) == (False, True, False)
    assert found.offset_m == pytest.approx(2.5, abs=0.05)


def test_a_clock_that_drifts(sources, rng):
    found = explained(sources, rng, late_m=0.5, drift_m_s=0.1)
    assert faults(found) == (False, True, True)
    assert found.drift_m_s == pytest.approx(0.1, abs=0.01)


def test_another_place(sources, rng):
    there = np.array([5.0, 6.0, 0.8])
    found = explained(sources, rng, place=there, wrong=5)
    assert faults(found) == (True, False, False)
    assert found.position_m == pytest.approx(there, abs=0.1)


def test_another_place_and_a_late_clock(sources, rng):
    there = np.array([5.0, 6.0, 0.8])
    found = explained(sources, rng, place=there, late_m=-2.0)
    assert faults(found) == (True, True, False)
    assert found.position_m == pytest.approx(there, abs=0.15)
    assert found.offset_m == pytest.approx(-2.0, abs=0.15)


def test_a_position_that_no_list_tells(sources, rng):
    found = explained(sources, rng, listed=np.full(3, np.nan))
    assert found.position_m == pytest.approx(HERE, abs=0.1)
