"""Which places explain the cells: taken one by one, exchanged, and what each fills."""

import numpy as np
import pytest

from soundfix.localization.mixture import LEVEL, SHARE, SHARPNESS, mixture_of

PLACES = np.array([[0.0, 0, 0], [2.0, 0, 0], [4.0, 0, 0], [4.1, 0, 0]])
MICROPHONES = np.array([[0.0, 3, 1.5], [4.0, 3, 0.5]])
LOW, HIGH = 0.1, 0.6


def of_cells(*owners, apart_m=0.3, counts=None):
    """A mixture in which each cell is coherent from the places that are named for it, and counts as much as any other."""
    rho = np.full((len(PLACES), len(owners)), LOW)
    for cell, places in enumerate(owners):
        rho[list(places), cell] = HIGH
    counts = np.ones(len(owners)) if counts is None else np.array(counts, dtype=float)
    return mixture_of(rho, counts, PLACES, MICROPHONES, apart_m)


def test_what_a_cell_gains_is_the_log_of_the_mixture():
    fill = SHARE * np.exp(SHARPNESS * (HIGH - LEVEL))
    none = SHARE * np.exp(SHARPNESS * (LOW - LEVEL))
    expected = (np.log1p(fill) + np.log1p(none)) / 2
    assert of_cells([0], [1]).gains([])[0] == pytest.approx(expected, rel=1e-5)


def test_a_cell_gains_as_much_as_it_counts():
    fill, none = (np.log1p(SHARE * np.exp(SHARPNESS * (rho - LEVEL))) for rho in (HIGH, LOW))
    loud_and_quiet = of_cells([0], [1], counts=[1.6, 0.4]).gains([])
    assert loud_and_quiet[:2] == pytest.approx([(1.6 * fill + 0.4 * none) / 2, (0.4 * fill + 1.6 * none) / 2], rel=1e-5)
    assert of_cells([0], [1], [1], counts=[2.4, 0.3, 0.3]).chosen(1) == [0]


def test_the_place_that_explains_most_comes_first():
    assert of_cells([1], [1], [0], [1]).chosen(2) == [1, 0]


def test_cells_that_one_explains_give_nothing_to_another():
    ghost = of_cells([0, 1], [0, 1], [0, 1], [0], [2])  # place 1 shares all its cells with 0
    assert ghost.chosen(2) == [0, 2]
    assert ghost.gains([0])[1] < 0.2 * ghost.gains([0])[2]


def test_no_two_places_that_are_one():
    near = of_cells([2], [2], [3], [0])
    assert near.chosen(4) == [2, 0, 1]
    assert of_cells([2], [2], [3], [0], apart_m=0.05).chosen(4)[1] in (3, 0)


@pytest.mark.parametrize(("below_m", "also_told"), [(-1.2, []), (0.2, [1])])
def test_a_reflection_in_the_floor_is_no_place_beside_its_source(below_m, also_told):
    """Microphones from 0.5 m up: a floor is below these, or what it mirrors is none."""
    places = np.array([[2.0, 2, 1.0], [2.05, 2, below_m], [0.0, 0, 1]])
    rho = np.where(np.eye(3)[:, [0, 0, 0, 1, 1, 2]] > 0, HIGH, LOW)
    mixture = mixture_of(rho, np.ones(6), places, MICROPHONES, 0.3)
    assert mixture.chosen(2) == [0, *(also_told or [2])]


BLURRED = 5 * [[0, 1]] + 5 * [[1, 2]] + [[0], [2]]  # place 1 has nearly all the cells that 0 and 2 have


def test_a_first_choice_that_two_others_explain_better_is_exchanged():
    blurred = of_cells(*BLURRED)
    assert blurred.chosen(2)[0] == 1
    assert set(blurred.exchanged(blurred.chosen(2))) == {0, 2}


def test_where_a_blur_has_cells_of_its_own_it_stays():
    own = of_cells(*BLURRED, *6 * [[1]])
    assert own.exchanged([1, 0]) == [1, 0]


def test_every_place_may_be_exchanged_and_keeps_its_turn():
    three = of_cells(*3 * [[0]], *2 * [[1]], [2])
    assert three.exchanged([0, 2]) == [0, 1]
    assert three.exchanged([2, 1]) == [0, 1]
    assert three.exchanged([0, 2, 1]) == [0, 2, 1]


def test_exchanging_goes_round_again_since_one_exchange_may_call_for_another():
    chain = of_cells(*5 * [[0, 1]], *2 * [[0, 3]], [2], *2 * [[2, 3]], apart_m=0.05)
    assert chain.exchanged([3, 1]) == [2, 0]  # 0 for 1, and then 2 for 3


def test_the_posterior_of_a_cell_is_shared_between_places_and_nobody():
    mixture = of_cells([0], [1], [])
    own = mixture.posterior([0, 1])
    assert own[0, 0] > 0.99
    assert own[1, 1] > 0.99
    assert own[:, 2].sum() < 0.1
    assert (own.sum(axis=0) <= 1).all()


def test_a_cell_counts_only_so_much():
    assert np.isfinite(mixture_of(np.ones((4, 3)), np.ones(3), PLACES, MICROPHONES, 0.3).fills).all()
