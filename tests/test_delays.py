"""Delays are checked once; which microphones they are of; when pairs are arrivals."""

import numpy as np
import pytest

from soundfix.delays import Delays, arrivals
from soundfix.errors import SceneError


def pairs(first, second, delay_s, **more):
    return Delays(label="a", first=np.array(first), second=np.array(second), delay_s=np.array(delay_s), **more)


def test_incidence_by_hand():
    assert pairs([0, 2], [1, 0], [0.1, 0.2]).incidence(4).tolist() == [[1, -1, 0, 0], [-1, 0, 1, 0]]
    assert Delays(label="a", first=np.array([2]), delay_s=np.array([0.1])).incidence(3).tolist() == [[0, 0, 1]]


def test_pairs_that_share_a_microphone_are_arrivals_from_when_it_heard():
    """1 hears 0.1 s after 0, 2 hears 0.2 s before it, 0 hears when it hears."""
    found = pairs([1, 0], [0, 2], [0.1, 0.2], sigma_s=np.array([0.01, 0.02])).as_arrivals()
    assert found.second is None
    assert dict(zip(found.first.tolist(), found.delay_s.tolist(), strict=True)) == {1: 0.1, 2: -0.2, 0: 0.0}
    assert found.sigma_s.tolist() == [0.01, 0.02, 0.01]


def test_other_pairs_stay_pairs():
    told = pairs([0, 1, 0], [1, 2, 2], [0.1, 0.2, 0.3])
    assert told.as_arrivals() is told


def test_a_table_of_arrivals_leaves_out_what_was_not_heard():
    one, two = arrivals(np.array([[0.1, np.nan, 0.3], [0.4, 0.5, np.nan]]))
    assert (one.label, one.first.tolist(), one.delay_s.tolist()) == ("event1", [0, 2], [0.1, 0.3])
    assert (two.label, two.first.tolist()) == ("event2", [0, 1])
    assert repr(one) == "Delays(event1: 2 arrivals)"


def test_reversed_is_the_other_sign():
    assert pairs([0], [1], [0.1]).reversed().delay_s.tolist() == [-0.1]


@pytest.mark.parametrize(
    ("first", "second", "delay_s", "sigma_s", "message"),
    [
        ([0, 1], [1, 0], [0.1, -0.1], [], "there twice"),
        ([0], [0], [0.1], [], "with itself"),
        ([0], [1], [np.nan], [], "not finite"),
        ([0], [1], [0.1], [-1.0], "below 0"),
        ([0, 1], [1, 2], [0.1], [], "as many in each"),
    ],
)
def test_what_cannot_be_is_refused(first, second, delay_s, sigma_s, message):
    with pytest.raises(SceneError, match=message):
        pairs(first, second, delay_s, sigma_s=np.array(sigma_s, dtype=float))
