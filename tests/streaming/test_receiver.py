"""Senders in this process: by TCP and UDP, who die, come again, or are none of ours."""

import socket
import time
from itertools import pairwise

import numpy as np
import pytest

from helpers.streams import Clock
from soundfix.errors import ConfigError
from soundfix.streaming.inbox import Block, Inbox
from soundfix.streaming.packets import Packet, pack
from soundfix.streaming.receiver import Receiver, parse_address
from soundfix.streaming.sender import Sender

RATE = 16_000


@pytest.fixture(params=["tcp", "udp"])
def kind(request):
    return request.param


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def sender(kind, receiver):
    one = Sender(f"{kind}://localhost:{receiver.port}", ("mic3",))
    yield one
    one.close()


@pytest.fixture
def receiver(kind, inbox):
    one = Receiver(f"{kind}://localhost:0", inbox)
    yield one
    one.close()


def taken(inbox, count):
    blocks, deadline = [], time.monotonic() + 60
    while len(blocks) < count and time.monotonic() < deadline:
        blocks += inbox.take(0.05)
    assert len(blocks) == count
    return blocks


def block(value, samples=400):
    return Block(np.full((samples, 1), value, np.float32), float(RATE))


def test_what_is_sent_arrives_in_its_place(sender, inbox):
    for value in (0.25, 0.5):
        sender.send(block(value))
    first, second = taken(inbox, 2)
    assert (first.microphones, first.sample_rate, first.sound.shape) == (("mic3",), RATE, (400, 1))
    assert (first.sound == 0.25).all()
    assert (second.sound == 0.5).all()
    assert second.first_sample - first.first_sample == 400
    assert inbox.sentences() == ["mic3: sound comes"]
    assert sender.lost == 0


def test_long_blocks_are_cut(kind, sender, inbox):
    sender.send(block(0.5, 1500))
    blocks = taken(inbox, 3 if kind == "udp" else 1)
    assert sum(len(each.sound) for each in blocks) == 1500
    for one, other in pairwise(blocks):
        assert other.first_sample == one.first_sample + len(one.sound)


def test_what_is_none_of_ours_is_told_and_harms_nobody(kind, receiver, sender, inbox):
    other = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    other.connect(("localhost", receiver.port))
    other.sendall(b"GET / HTTP/1.1\r\nHost: somebody else altogether\r\n")
    deadline = time.monotonic() + 60
    while not (said := inbox.sentences()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "wanted b'SFX1'" in said[0]
    sender.send(block(0.5))
    taken(inbox, 1)
    other.close()


@pytest.mark.parametrize("kind", ["tcp"], indirect=True)
def test_a_sender_that_dies_in_a_packet_and_comes_again(receiver, inbox):
    data = pack(Packet(np.zeros((400, 1), np.float32), RATE, ("mic1",), 0, 1))
    for count, run in ((len(data) + 50, 1), (len(data), 2)):
        one = socket.create_connection(("localhost", receiver.port))
        one.sendall((data[:12] + run.to_bytes(4, "little") + data[16:] + data)[:count])
        one.close()
    assert [each.microphones for each in taken(inbox, 2)] == [("mic1",)] * 2


def test_a_sender_counts_on_while_nobody_is_there(inbox):
    first = Receiver("tcp://localhost:0", inbox)
    port = first.port
    sender = Sender(f"tcp://localhost:{port}", ("mic1",))
    sender.send(block(0.5))
    taken(inbox, 1)
    first.close()
    deadline = time.monotonic() + 60
    while not sender.lost and time.monotonic() < deadline:
        sender.send(block(0.5, 4))
    sent = sender._counter
    sender.send(block(0.5))
    assert sender.lost
    assert sender._counter == sent + 400  # on the line of time nothing is lost
    inbox.take(0.0)
    again = Receiver(f"tcp://localhost:{port}", inbox)
    sender._line._again_s = 0.0
    sender.send(block(0.25))
    assert (taken(inbox, 1)[0].sound == 0.25).all()
    sender.close()
    again.close()


def test_drifts_are_known_by_name(receiver):
    assert receiver.drifts() == {}


def test_a_port_that_is_taken(kind, receiver, inbox):
    with pytest.raises(ConfigError, match="cannot listen at"):
        Receiver(f"{kind}://localhost:{receiver.port}", inbox)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("tcp://:9900", ("tcp", "", 9900)),
        ("udp://10.0.0.7:1", ("udp", "10.0.0.7", 1)),
        ("tcp://[::1]:5", ("tcp", "::1", 5)),
    ],
)
def test_addresses(text, parsed):
    assert parse_address(text) == parsed


@pytest.mark.parametrize("text", ["http://x:1", "tcp://x", "tcp://:99999", ":9900"])
def test_what_is_no_address(text):
    with pytest.raises(ConfigError, match="wanted tcp://HOST:PORT or udp://HOST:PORT"):
        parse_address(text)


@pytest.mark.parametrize(
    ("longer", "said"),
    [
        (
            (0.0, 0.0, 1e-4),
            [
                "clocks of senders, in ppm slower than the median one: mic0 +0.0 ± 0.0, mic1 +0.0 ± 0.0, mic2 +100.0 ± 0.0"
            ],
        ),
        ((1e-4,), []),  # nobody to be compared with
    ],
)
def test_at_the_end_it_is_said_how_clocks_ran(longer, said):
    inbox, now = Inbox(), Clock()
    receiver = Receiver("udp://localhost:0", inbox, clock=now)
    for number in range(60 * 5):
        for m, each in enumerate(longer):
            now.now = 1000.0 + (number + 1) * 0.2 * (1 + each)
            receiver.take(Packet(np.zeros((3200, 1), np.float32), RATE, (f"mic{m}",), number * 3200, 1))
    inbox.sentences()
    receiver.close()
    assert inbox.sentences() == said
