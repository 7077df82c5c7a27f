"""Packets: what goes in comes out, in pieces of any size; what is none is refused in a sentence."""

import numpy as np
import pytest

from soundfix.errors import SceneError
from soundfix.streaming.packets import HEAD, MAGIC, Packet, Unpacker, pack, unpack


def packet(counter=7, names=("mic3", "Küche"), samples=5):
    sound = (np.arange(samples * len(names)).reshape(samples, len(names)) / 64).astype(np.float32)
    return Packet(sound, 48_000, names, counter, 123, 456)


def assert_same(one, other):
    np.testing.assert_array_equal(one.sound, other.sound)
    assert one[1:] == other[1:]


def test_the_head_is_as_documented():
    """By hand, byte for byte."""
    data = pack(Packet(np.array([[0.5]], np.float32), 16_000, ("a",), 2, 3, 4))
    assert data == (
        b"SFX1" + bytes([1, 1, 1, 0]) + (16_000).to_bytes(4, "little") + (3).to_bytes(4, "little")
        + (2).to_bytes(8, "little") + (4).to_bytes(8, "little") + (2).to_bytes(4, "little") + b"a" + b"\x00\x40"
    )  # fmt: skip
    assert HEAD.size == 36


def test_there_and_back():
    assert_same(unpack(pack(packet())), packet())


@pytest.mark.parametrize("step", [1, 13, 10_000])
def test_in_pieces(step):
    data, unpacker, found = b"".join(pack(packet(counter)) for counter in range(5)), Unpacker(), []
    for start in range(0, len(data), step):
        found += list(unpacker.feed(data[start : start + step]))
    assert [each.counter for each in found] == [0, 1, 2, 3, 4]
    assert_same(found[3], packet(3))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda data: b"GET " + data[4:], r"begin with b'GET ', wanted b'SFX1'"),
        (lambda data: data[:-1], "hold 0 packets"),
        (lambda data: data[:4] + b"\x09" + data[5:], r"format 9 \(1 to 4\)"),
        (lambda data: data[:5] + b"\x00" + data[6:], "frames of 0 channels"),
        (lambda data: data[:5] + b"\x01" + data[6:], "names 2 microphones for 1 channels"),
        (lambda data: data[:8] + bytes([16, 0, 0, 0]) + data[12:], "16 Hz"),
        (lambda data: data[:32] + b"\xff\xff\xff\xff" + data[36:], "4294967295 bytes of samples"),
        (lambda data: b"", "hold 0 packets"),
    ],
)
def test_what_is_no_packet_is_refused(broken, message):
    with pytest.raises(SceneError, match=message):
        unpack(broken(pack(packet())))


def test_the_magic_is_ours():
    assert MAGIC == b"SFX1"
