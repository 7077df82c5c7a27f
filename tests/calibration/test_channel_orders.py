"""Plain orders of channels are found though the sound stands still, and a list that is right stays."""

import numpy as np
import pytest

from helpers.walks import ROOM, array, hearing, walk
from soundfix.calibration import channel_orders
from soundfix.calibration.channel_orders import distinct, misfit, orders, plain_order, sound_cards

BOX = np.array(ROOM)
PLAIN = ([1, 0, 3, 2, 4, 5, 6, 7], [0, 4, 1, 5, 2, 6, 3, 7], [1, 0, 2, 3, 4, 5, 6, 7], [7, 0, 1, 2, 3, 4, 5, 6])


def found(seed, order, *, taped_m=0.02, unknown=(), stands=1):
    """The order that is found of channels that hear a sound at one place (or some), a list that is taped by hand."""
    rng = np.random.default_rng(seed)
    places = array(rng, len(order))
    stand = np.repeat(walk(rng)[:: 60 // stands][:stands], 6, axis=0)
    heard = hearing(places[order], stand, rng).arrivals.path_m
    listed = places + taped_m * rng.standard_normal(places.shape)
    listed[list(unknown)] = np.nan
    return plain_order(heard, listed, BOX, rng)


@pytest.mark.parametrize("order", PLAIN)
def test_plain_orders_of_a_sound_that_stands_still(order):
    assert [found(seed, order).tolist() for seed in (1, 3, 5, 6)] == 4 * [list(order)]


def test_two_that_hear_the_sound_from_the_same_distance_are_not_told_apart():
    assert found(2, PLAIN[2]) is None


@pytest.mark.parametrize("count", [7, 8, 11])
def test_a_list_that_is_right_stays_and_so_does_one_that_fits_no_plain_order(count):
    odd = np.random.default_rng(3).permutation(count)
    assert [found(seed, np.arange(count)) for seed in range(6)] == 6 * [None]
    assert [found(seed, odd) for seed in range(6)] == 6 * [None]


def test_six_channels_tell_too_little_of_one_place_and_enough_of_three():
    order = [1, 0, 2, 3, 4, 5]
    assert found(1, order) is None
    assert found(1, order, stands=3).tolist() == order


def test_a_row_without_a_position_stays():
    order = [1, 0, 2, 3, 4, 5, 6, 7, 8]
    assert found(2, order, unknown=[5]).tolist() == order


def test_orders_are_plain_ones_each_once_as_listed_first():
    every = [tuple(order.tolist()) for order in orders(8)]
    assert every[0] == tuple(range(8))
    assert len(set(every)) == len(every) == 1 + 15 + 3 + 7 + 24  # pairs, cards, all one further, exchanges of two
    assert every.index((1, 0, 3, 2, 5, 4, 7, 6)) < every.index((2, 1, 0, 3, 4, 5, 6, 7))


def test_orders_of_sound_cards():
    turned, odd_first, back, backwards = (order.tolist() for order in sound_cards(5))
    assert turned == [1, 0, 3, 2, 4]
    assert odd_first == [0, 2, 4, 1, 3]
    assert np.array(odd_first)[back].tolist() == [0, 1, 2, 3, 4]
    assert backwards == [4, 3, 2, 1, 0]


def test_moments_of_one_place_are_one_and_a_wrong_arrival_among_them_does_not_count(rng):
    one, other = rng.uniform(-3, 3, (2, 8))
    heard = np.array([one, one + 0.7, other, one])
    heard[1, 3] += 2.0
    heard[3, 5] = np.nan
    told = distinct(heard)
    assert told.shape == (2, 8)
    assert np.allclose(told[0] - told[0].mean(), one - one.mean(), atol=0.01)


def test_misfit_is_nothing_where_all_is_as_listed(rng):
    places, source = array(rng, 8), np.array([3.0, 4.0, 1.5])
    heard = np.linalg.norm(source - places, axis=1)[None]
    looked = rng.uniform(BOX[0], BOX[1], (3000, 3))
    assert misfit(heard, places, looked) < 1e-6
    assert misfit(heard + 5.0, places, looked) < 1e-6  # when it sounded does not matter
    off = heard + np.where(np.arange(8) == 2, 0.05, 0.0)
    assert 0.001 < misfit(off, places, looked) < np.log(2) / 8


@pytest.mark.parametrize(("apart_m", "places"), [(0.08, 1), (0.13, 2)])
def test_moments_that_differ_by_a_decimetre_are_of_two_places(apart_m, places):
    moment = np.array([0.0, 1, 2, 3, 4, 5, 6, 7])
    other = moment + apart_m * np.array([1, -1, 1, -1, 1, -1, 1, -1])
    assert len(distinct(np.array([moment, other]))) == places


@pytest.mark.parametrize(("more", "first"), [(0.03, [1, 0, 3, 2, 5, 4]), (0.07, [5, 4, 3, 2, 1, 0])])
def test_of_orders_that_fit_about_as_well_the_likeliest_is_taken(monkeypatch, more, first):
    """Pairs turned are likelier than all backwards, which here fit best: by little, or clearly."""
    costs = {(1, 0, 3, 2, 5, 4): 0.2 + more, (5, 4, 3, 2, 1, 0): 0.2}
    monkeypatch.setattr(channel_orders, "misfit", lambda _, rows, __: costs.get(tuple(rows[:, 0].tolist()), 2.0))
    rows = np.repeat(np.arange(6)[:, None], 3, axis=1)
    assert channel_orders._first_that_fits(np.zeros((1, 6)), rows, np.zeros((1, 3))).tolist() == first


@pytest.mark.parametrize(
    ("listed", "cost", "is_believed"), [(2.0, 0.5, True), (2.0, 0.6, False), (1.0, 0.35, True), (1.0, 0.45, False)]
)
def test_an_order_must_fit_by_itself_and_far_better_than_the_list(monkeypatch, listed, cost, is_believed):
    costs = {(1, 0, 3, 2, 5, 4): cost}
    monkeypatch.setattr(channel_orders, "misfit", lambda _, rows, __: costs.get(tuple(rows[:, 0].tolist()), listed))
    rows = np.repeat(np.arange(6)[:, None], 3, axis=1)
    order = channel_orders._first_that_fits(np.zeros((1, 6)), rows, np.zeros((1, 3)))
    assert (order is not None) == is_believed
