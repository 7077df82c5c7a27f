import gc
import os
import threading
import time
import weakref

import pytest

from soundfix.files import watched
from soundfix.files.watched import within


@pytest.fixture(autouse=True)
def nobody_is_free():
    watched._FREE.clear()


def test_gives_what_the_work_gives():
    assert within(10.0, lambda: 3) == 3


def test_raises_what_the_work_raises():
    with pytest.raises(ZeroDivisionError):
        within(10.0, lambda: 1 / 0)


def test_a_helper_does_the_next_work_too():
    assert len({within(10.0, threading.get_ident) for _ in range(20)} - {threading.get_ident()}) == 1


def test_work_inside_work_has_a_helper_of_its_own():
    outer, inner = within(10.0, lambda: (threading.get_ident(), within(10.0, threading.get_ident)))
    assert outer != inner


def test_who_is_stuck_is_left_alone_and_ends_with_its_work():
    release, ident = threading.Event(), []

    def stuck():
        ident.append(threading.current_thread())
        release.wait(60)

    with pytest.raises(TimeoutError):
        within(0.05, stuck)
    assert within(10.0, threading.current_thread) is not ident[0]
    release.set()
    ident[0].join(10)
    assert not ident[0].is_alive()


def test_keeps_nothing_of_what_is_done():
    class Thing:
        pass

    thing = Thing()
    seen = weakref.ref(thing)
    within(10.0, lambda thing=thing: thing)
    del thing
    gc.collect()
    assert seen() is None


def test_a_forked_process_has_helpers_of_its_own():
    within(10.0, lambda: None)
    began = time.monotonic()
    child = os.fork()
    if not child:
        os._exit(within(5.0, lambda: 7) == 7 and 7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert time.monotonic() - began < 30
