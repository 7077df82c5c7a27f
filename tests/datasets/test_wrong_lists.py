"""Lists that are wrong as a whole: every kind by hand, and a clip whose list changed while its sound did not."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.sets import WORLD, simulated
from soundfix.datasets.wrong_lists import ListError, Relisted, nearest_walls, rms

ROOM = ((1.0, 0.0, 0.0), (7.0, 4.0, 3.0))
PLACES = np.array([[1.2, 2.0, 1.0], [1.1, 3.0, 1.5], [6.8, 2.0, 1.0], [4.0, 0.1, 2.0], [4.0, 3.9, 2.0]])


def off(kind, amount, seed=0):
    return ListError(kind=kind, amount=amount).listed(PLACES, ROOM, np.random.default_rng(seed)) - PLACES


def test_the_nearest_wall():
    assert nearest_walls(PLACES, ROOM).tolist() == [0, 0, 1, 2, 3]


def test_one_wall_moves_along_itself():
    """Two of five are at the wall of the lowest x: they move along y, the others stay."""
    assert off("wall", 0.1) == pytest.approx(np.array([[0, 0.1, 0]] * 2 + [[0, 0, 0]] * 3))
    turned = ListError(kind="wall", amount=0.1).listed(PLACES[3:], ROOM, np.random.default_rng(0)) - PLACES[3:]
    assert turned == pytest.approx(np.array([[0.1, 0, 0], [0, 0, 0]]))  # one at each y wall: the first, along x


def test_a_turn_and_a_scale_keep_the_middle():
    quarter = PLACES + off("turned", np.pi / 2)
    middle = PLACES.mean(axis=0)
    assert quarter.mean(axis=0) == pytest.approx(middle)
    x, y, z = (PLACES - middle).T
    assert quarter - middle == pytest.approx(np.stack([-y, x, z], axis=1))  # anticlockwise
    assert PLACES + off("scaled", 0.02) - middle == pytest.approx(1.02 * (PLACES - middle))


def test_random_errors_have_the_size_that_was_asked_for():
    assert rms(off("random", 0.05)) == pytest.approx(0.05)
    assert not np.allclose(off("random", 0.05), off("random", 0.05, seed=1))
    assert np.array_equal(off("exact", 0.0), np.zeros((5, 3)))
    assert rms(np.array([[3.0, 4.0, 0.0], [0.0, 0.0, 0.0]])) == pytest.approx(np.sqrt(12.5))


@pytest.mark.parametrize("unknown", [0, 2])
def test_the_list_changes_and_the_truth_knows(unknown):
    """Those without a position stay without; of the others the truth says where they stand."""
    exact = {"position_sigma_m": (0.0, 0.0), "share_faulty": 0.0, "microphones": (8, 8)}
    data = simulated(count=3, world=replace(WORLD, unknown_positions=(unknown, unknown), **exact))
    one, same, other = (Relisted(data=data, error=ListError(kind="random", amount=0.1), seed=s)[1] for s in (0, 0, 1))
    plain = data[1]
    assert np.array_equal(one.audio, plain.audio)
    true_m = plain.microphones.border_positions() if plain.truth.positions is None else plain.truth.positions
    assert np.array_equal(one.truth.positions, true_m, equal_nan=True)
    known = plain.microphones.is_known
    assert known.sum() == 8 - unknown
    assert np.array_equal(one.microphones.is_known, known)
    moved = one.microphones.positions[known] - plain.microphones.positions[known]
    assert rms(moved) == pytest.approx(0.1)
    assert np.array_equal(one.microphones.positions, same.microphones.positions)
    assert not np.array_equal(one.microphones.positions, other.microphones.positions)


def test_an_exact_list_stays():
    data = simulated(count=3)
    relisted = Relisted(data=data, error=ListError(kind="exact"))
    assert np.array_equal(relisted[2].microphones.positions, data[2].microphones.positions)
    assert (len(relisted), relisted.name) == (3, "simulated, list exact")
