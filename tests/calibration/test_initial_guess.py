"""First guesses: near enough for bundle adjustment, whatever a few wrong arrivals say."""

import numpy as np
import pytest

from helpers.walks import ROOM
from soundfix.calibration.bundle import Layout
from soundfix.calibration.initial_guess import APART_M, GUESSES, around, places_from, procrustes, sample_box

BOX = np.array(ROOM)


def layout(positions, sources):
    still = np.zeros(len(positions))
    return Layout(positions=positions, offset_m=still, drift_m_s=still, sources=sources)


def test_a_layout_turned_mirrored_and_moved_comes_back(places, sources, rng):
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    turn[0] *= -np.sign(np.linalg.det(turn))  # a mirror image
    moved = layout(places @ turn + [3.0, -1.0, 2.0], sources @ turn + [3.0, -1.0, 2.0])
    known = places.copy()
    known[2] = np.nan
    back = procrustes(moved, known)
    assert back.positions == pytest.approx(places, abs=1e-9)
    assert back.sources == pytest.approx(sources, abs=1e-9)


def test_a_microphone_is_found_from_ranges_of_which_a_few_are_wrong(places, sources, rng):
    ranges = np.linalg.norm(sources - places[4], axis=1)
    ranges[::7] += 2.5
    guesses = places_from(ranges, sources, BOX, rng, is_late=False)
    assert np.linalg.norm(guesses[0][0] - places[4]) < 0.5
    assert guesses[0][1] == 0.0


def test_a_late_microphone_has_its_offset_and_guesses_are_apart(places, sources, rng):
    ranges = np.linalg.norm(sources - places[4], axis=1) + 4.0
    guesses = places_from(ranges, sources, BOX, rng, is_late=True)
    assert np.linalg.norm(guesses[0][0] - places[4]) < 0.5
    assert guesses[0][1] == pytest.approx(4.0, abs=0.5)
    found = np.array([place for place, _ in guesses])
    apart = np.linalg.norm(found[:, None] - found, axis=-1)[np.triu_indices(len(found), 1)]
    assert len(found) == GUESSES
    assert apart.min() > APART_M


def test_boxes(places, rng):
    drawn = sample_box(BOX, 2000, rng)
    assert (drawn >= BOX[0]).all()
    assert (drawn <= BOX[1]).all()
    assert drawn.mean(axis=0) == pytest.approx(BOX.mean(axis=0), abs=0.2)
    assert around(places) == pytest.approx(np.stack([places.min(axis=0) - 0.5, places.max(axis=0) + 0.5]))
