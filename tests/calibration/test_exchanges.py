"""Whose channel is whose: exchanged cables are found though the list is off, and a list in order stays."""

import numpy as np
import pytest

from helpers.walks import ROOM, array, hearing, walk
from soundfix.calibration.exchanges import order_of

BOX = np.array(ROOM)


def found(rng, order, *, taped_m=0.08, count=8, unknown=()):
    """The order that is found, where channel m hears what stands at row order[m] of a list that is off."""
    places = array(rng, count)
    heard = hearing(places[order], walk(rng), rng).arrivals
    listed = places + taped_m * rng.standard_normal(places.shape)
    listed[list(unknown)] = np.nan
    return order_of(heard, listed, BOX, rng).tolist()


@pytest.mark.parametrize("count", [5, 6, 8, 12])
def test_a_list_in_order_stays(rng, count):
    assert found(rng, np.arange(count), count=count) == list(range(count))


@pytest.mark.parametrize("count", [6, 8, 12])
def test_two_cables(rng, count):
    order = np.arange(count)
    order[[1, 4]] = 4, 1
    assert found(rng, order, count=count) == order.tolist()


@pytest.mark.parametrize("order", [[1, 0, 3, 2, 4, 5, 6, 7], [2, 0, 1, 3, 4, 5, 6, 7], [0, 4, 1, 5, 2, 6, 3, 7]])
def test_pairs_turns_and_what_sound_cards_do(rng, order):
    assert found(rng, np.array(order)) == order


def test_a_row_without_a_position_stays(rng):
    order = [1, 0, 2, 3, 4, 5, 6, 7]
    assert found(rng, np.array(order), unknown=[5]) == order


def test_four_channels_tell_nothing(rng):
    assert found(rng, np.array([1, 0, 2, 3]), count=4) == [0, 1, 2, 3]
