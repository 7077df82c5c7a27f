"""What a sender says of its sound; that it arrives is asked in test_receiver.py."""

import numpy as np
import pytest

from soundfix.errors import ConfigError
from soundfix.streaming import sender as sending
from soundfix.streaming.inbox import Block
from soundfix.streaming.packets import unpack
from soundfix.streaming.sender import Sender


class Line:
    def __init__(self):
        self.packets = []

    def send(self, data):
        self.packets.append(unpack(data))
        return True


def sender(**options):
    one = Sender("udp://localhost:9", ("a", "b"), clock=lambda: 100.0, **options)
    one.close()
    one._line = Line()
    return one


def block(samples, first=None):
    return Block(np.zeros((samples, 2), np.float32), 16_000.0, None, first)


def test_it_counts():
    one = sender()
    one.send(block(160))
    one.send(block(160))
    one.send(block(160, first=5000))  # a card that was away
    packets = one._line.packets
    assert [each.counter for each in packets] == [0, 160, 5000]
    assert {(each.sample_rate, each.microphones, each.time_ns) for each in packets} == {(16_000, ("a", "b"), 0)}
    assert len({each.run for each in packets}) == 1


def test_another_one_counts_for_itself():
    one, other = sender(), sender()
    one.send(block(1))
    other.send(block(1))
    assert one._line.packets[0].run != other._line.packets[0].run


def test_it_tells_the_time_of_the_first_sample():
    one = sender(tells_time=True)
    one.send(block(600))
    first, second = one._line.packets[:2]
    assert first.time_ns == pytest.approx(1e9 * (100 - 600 / 16_000), abs=2)
    assert second.time_ns == pytest.approx(1e9 * (100 - 300 / 16_000), abs=2)


def test_datagrams_are_small():
    one = sender()
    one.send(block(5000))
    assert max(each.sound.size * 2 for each in one._line.packets) <= sending.LARGEST_DATAGRAM
    assert sum(len(each.sound) for each in one._line.packets) == 5000


def test_a_wrong_address():
    with pytest.raises(ConfigError, match="wanted tcp"):
        Sender("localhost:9900", ("a",))
