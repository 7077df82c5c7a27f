"""What an array promises, in words and numbers: kept or not, how many may be lost, and what decided it."""

from math import inf

import pytest

from soundfix.report.requirement import promise_dict, promise_lines
from soundfix.survey.requirement import MOST_LOSSES, Case, Promise, parse_requirement

CONTRACT = parse_requirement("20cm 95% minus 1")


def promised(worst_m, can_lose, *, lost=("mic3",), whole_m=0.1, is_greedy=False):
    whole = Case((), whole_m)
    return Promise(contract=CONTRACT, worst=Case(lost, worst_m), whole=whole, can_lose=can_lose, is_greedy=is_greedy)


def test_a_promise_that_is_kept():
    first, second = promise_lines(promised(0.15, 2))
    assert first.endswith(": kept")
    assert "mic3" in second
    assert second.endswith("; at most 2 may be lost")


@pytest.mark.parametrize(
    ("promise", "end"),
    [
        (promised(0.3, 0), "; none may be lost"),
        (promised(0.15, MOST_LOSSES), f"; at least {MOST_LOSSES} may be lost"),
        (promised(inf, None, lost=(), whole_m=inf), "; more microphones are needed"),
    ],
)
def test_how_many_may_be_lost(promise, end):
    assert list(promise_lines(promise))[1].endswith(end)


def test_one_that_is_broken_says_so_and_what_was_not_tried():
    first, second = promise_lines(promised(0.3, 0, is_greedy=True))
    assert first.endswith(": NOT kept")
    assert "(the worst found; not all choices were tried)" in second


def test_numbers_in_si_units_and_null_where_there_is_no_place():
    said = promise_dict(promised(0.3, 0))
    assert (said["radius_m"], said["share"], said["losses"]) == (0.2, 0.95, 1)
    assert (said["is_kept"], said["worst_loss"], said["reached_m"], said["can_lose"]) == (False, ["mic3"], 0.3, 0)
    assert promise_dict(promised(inf, 0))["reached_m"] is None
