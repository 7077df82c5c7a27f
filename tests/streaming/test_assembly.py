"""Windows out of blocks: who is waited for, for how long, and what is passed over (test_stream.py has the rest)."""

import numpy as np
import pytest

from soundfix.errors import SceneError
from soundfix.streaming.assembly import Assembly

RATE = 1000.0


def assembly(count=4, **options):
    return Assembly(count, RATE, **{"window_s": 0.1, "hop_s": 0.05, "patience_s": 0.1, **options})


def put(one, rows, first, samples=50, now=0.0):
    one.put(rows, np.ones((samples, len(rows)), np.float32), RATE, first, now)


def spans(one, **how):
    return [(window.start, window.stop) for window in one.due(**how)]


def test_a_window_is_due_when_all_have_delivered():
    one = assembly()
    put(one, [0, 1, 2], 0, 100)
    assert spans(one) == []
    put(one, [3], 0, 99)
    assert spans(one) == []
    put(one, [3], 99, 1)
    assert spans(one) == [(0, 100)]
    assert spans(one) == []


def test_time_is_as_late_as_the_third():
    one = assembly()
    put(one, [0], 0, 500)
    put(one, [1], 0, 300)
    assert one.time == 0
    put(one, [2], 0, 200)
    assert one.time == 200


def test_of_two_microphones_both_are_needed():
    one = assembly(2)
    put(one, [0], 0, 500)
    assert one.time == 0
    put(one, [1], 0, 100)
    assert spans(one) == [(0, 100)]


def test_who_never_came_is_waited_for_once():
    one = assembly()
    put(one, [0, 1, 2], 0, 100)
    assert spans(one) == []
    put(one, [0, 1, 2], 100, 1)
    assert spans(one) == [(0, 100)]
    assert one.is_missing.tolist() == [False, False, False, True]
    put(one, [0, 1, 2], 101, 49)
    assert spans(one) == [(50, 150)]  # at once


def test_lost_blocks_are_waited_for():
    one = assembly()
    put(one, [0, 1, 2], 0, 300)
    put(one, [3], 0, 60)
    put(one, [3], 80, 120)  # 60 to 80 is lost
    assert spans(one) == [(0, 100), (50, 150), (100, 200)]
    one = assembly()
    put(one, [0, 1, 2], 0, 150)
    put(one, [3], 0, 60)
    put(one, [3], 80, 70)
    assert spans(one) == []
    put(one, [3], 60, 20)
    windows = list(one.due())
    assert [(each.start, each.stop) for each in windows] == [(0, 100), (50, 150)]
    assert np.isfinite(one.audio(windows[0])).all()


def test_heard_at_is_when_the_third_had_delivered_the_end():
    one = assembly()
    for m, now in enumerate([1.0, 2.0, 3.0, 4.0]):
        put(one, [m], 0, 100, now)
    assert [window.heard_at for window in one.due()] == [3.0]


def test_the_end_is_that_of_recordings():
    """spans.py: a last window where half of one is left."""
    for samples, last in (
        (149, [(0, 100)]),
        (150, [(0, 100), (50, 150)]),
        (199, [(0, 100), (50, 150)]),
        (30, [(0, 30)]),
    ):
        one = assembly()
        put(one, [0, 1, 2, 3], 0, samples)
        assert spans(one, is_over=True) == last
    one = assembly(hop_s=0.1)
    put(one, [0, 1, 2, 3], 0, 150)
    assert spans(one, is_over=True) == [(0, 100), (100, 150)]


def test_of_nothing_there_is_no_window():
    assert spans(assembly(), is_over=True) == []


def test_windows_that_nobody_asked_for_are_counted():
    one = assembly()
    for start in range(0, 60_000, 1000):
        put(one, [0, 1, 2, 3], start, 1000)
    found = spans(one)
    assert found[-1] == (59_900, 60_000)
    assert found[0][0] >= 60_000 - 2 * 10_200
    assert one.forgotten + len(found) == 1199


def test_company_is_kept():
    one = assembly()
    put(one, [0, 1], 0)
    for rows, rate in (([1], RATE), ([1, 2], RATE), ([0, 1], 2 * RATE)):
        with pytest.raises(SceneError, match="wanted blocks of the same microphones from one sender"):
            one.put(rows, np.ones((5, len(rows)), np.float32), rate, 50, 0.0)


@pytest.mark.parametrize("option", [{"window_s": 0.0}, {"hop_s": 1e-9}, {"patience_s": float("nan")}])
def test_what_cannot_be(option):
    with pytest.raises(SceneError, match=next(iter(option))):
        assembly(**option)
