"""Which places explain the cells: taken one by one, exchanged, and what each fills."""

import numpy as np
import pytest

from soundfix.localization.mixture import LEVEL, SHARE, SHARPNESS, mixture_of

PLACES = np.array([[0.0, 0, 0], [2.0, 0, 0], [4.0, 0, 0], [4.1, 0, 0]])
LOW, HIGH = 0.1, 0.6


def of_cells(*owners, apart_m=0.3):
    """A mixture in which each cell is coherent from the places that are named for it."""
    rho = np.full((len(PLACES), len(owners)), LOW)
    for cell, places in enumerate(owners):
        rho[list(places), cell] = HIGH
    return mixture_of(rho, PLACES, apart_m)


def test_what_a_cell_gains_is_the_log_of_the_mixture():
    fill = SHARE * np.exp(SHARPNESS * (HIGH - LEVEL))
    none = SHARE * np.exp(SHARPNESS * (LOW - LEVEL))
    expected = (np.log1p(fill) + np.log1p(none)) / 2
    assert of_cells([0], [1]).gains([])[0] == pytest.approx(expected, rel=1e-5)


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


def test_a_first_choice_that_two_others_explain_better_is_exchanged():
    compromise = of_cells([1, 0], [1, 0], [1, 2], [1, 2], [0], [2], [1])
    assert compromise.chosen(2)[0] == 1
    better = of_cells([1, 0], [1, 0], [1, 2], [1, 2], [0], [2], [0], [2], [1], [1], [1])
    assert set(better.exchanged([1, 0])) >= {0} or set(better.exchanged([1, 0])) >= {2}
    pair = of_cells([1, 0], [1, 0], [1, 2], [1, 2], [0], [2])
    assert set(pair.exchanged([1, 0])) == {0, 2}


def test_exchanging_goes_on_until_nobody_is_better():
    settled = of_cells([0], [0], [1], [2])
    assert settled.exchanged([0, 1]) in ([0, 1], [0, 2])


def test_the_posterior_of_a_cell_is_shared_between_places_and_nobody():
    mixture = of_cells([0], [1], [])
    own = mixture.posterior([0, 1])
    assert own[0, 0] > 0.99
    assert own[1, 1] > 0.99
    assert own[:, 2].sum() < 0.1
    assert (own.sum(axis=0) <= 1).all()


def test_a_cell_counts_only_so_much():
    assert np.isfinite(mixture_of(np.ones((4, 3)), PLACES, 0.3).fills).all()
