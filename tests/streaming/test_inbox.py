"""Sources never wait but for the pipe, memory is bounded, nothing is lost without being counted."""

from threading import Thread

import numpy as np
import pytest

from soundfix.errors import ConfigError
from soundfix.streaming.inbox import Block, Inbox


def block(value, samples=10):
    return Block(np.full((samples, 1), value, np.float32), 16_000.0)


def values(blocks):
    return [float(each.sound[0, 0]) for each in blocks]


def test_what_was_put_is_taken_once_and_stamped():
    times = iter([3.0, 4.0])
    inbox = Inbox(clock=lambda: next(times))
    inbox.put(block(1))
    inbox.put(block(2))
    taken = inbox.take(0.0)
    assert values(taken) == [1, 2]
    assert [each.heard_at for each in taken] == [3.0, 4.0]
    assert inbox.take(0.0) == []
    assert inbox.dropped == 0


def test_the_oldest_is_dropped():
    inbox = Inbox(most=35)
    for value in range(10):
        inbox.put(block(value))
    assert values(inbox.take(0.0)) == [7, 8, 9]
    assert inbox.dropped == 7
    assert inbox.sentences() == ["sound is lost: it comes faster than it is answered"]


def test_a_pipe_waits():
    inbox = Inbox(most=35)
    thread = Thread(target=lambda: [inbox.put(block(value), waits=True) for value in range(10)], daemon=True)
    thread.start()
    taken = []
    while len(taken) < 10:
        taken += values(inbox.take(1.0))
    thread.join(60)
    assert taken == list(range(10))
    assert inbox.dropped == 0


def test_a_pipe_that_waits_is_let_go_at_the_end():
    inbox = Inbox(most=5)
    inbox.put(block(0))
    thread = Thread(target=lambda: inbox.put(block(1), waits=True), daemon=True)
    thread.start()
    inbox.close()
    thread.join(60)
    assert not thread.is_alive()


def test_the_end_is_when_all_is_taken():
    inbox = Inbox()
    inbox.put(block(1))
    inbox.close()
    assert not inbox.is_over
    inbox.take(0.0)
    assert inbox.is_over


def test_an_error_comes_after_what_came_before_it():
    inbox = Inbox()
    inbox.put(block(1))
    inbox.close(ConfigError("broken"))
    assert values(inbox.take(0.0)) == [1]
    with pytest.raises(ConfigError, match="broken"):
        inbox.take(0.0)


def test_sentences_are_told_once():
    inbox = Inbox()
    inbox.say("it is back")
    assert inbox.sentences() == ["it is back"]
    assert inbox.sentences() == []
