"""How sound goes through a network: packets that say whose it is, when it was, and what it is made of.

A packet is a head and samples, little-endian; by UDP one a datagram, by TCP one after the other:

    offset  size  what
         0     4  "SFX1"
         4     1  format of samples: 1 s16le, 2 s24le, 3 s32le, 4 f32le
         5     1  channels C, interleaved
         6     2  bytes of names N
         8     4  sample rate in Hz
        12     4  any number that is another whenever the counter begins anew
        16     8  counter: number of the packet's first sample
        24     8  when that was, in ns since 1970, where the sender's clock is a good one (NTP, PTP); else 0
        32     4  bytes of samples S
        36     N  names of the C microphones, UTF-8, a line each
      36+N     S  samples

A counter goes on while packets are lost: so the receiver knows what is missing.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.errors import SceneError
from soundfix.scene import checked_rate
from soundfix.streaming.pcm import WIDTHS, decode, encode_s16

MAGIC = b"SFX1"
HEAD = struct.Struct("<4sBBHIIQQI")
FORMATS = dict(enumerate(WIDTHS, start=1))
LARGEST = 2**20  # bytes of samples, or of names


class Packet(NamedTuple):
    """counter: of its first sample. run: of this counter. time_ns: of its first sample, by its sender; 0: unknown."""

    sound: Float[np.ndarray, "time channel"]
    sample_rate: int
    microphones: tuple[str, ...]
    counter: int
    run: int
    time_ns: int = 0


def pack(packet: Packet) -> bytes:
    """With samples as s16le."""
    names, samples = "\n".join(packet.microphones).encode(), encode_s16(packet.sound)
    head = HEAD.pack(
        MAGIC, 1, packet.sound.shape[1], len(names), packet.sample_rate, packet.run, packet.counter, packet.time_ns,
        len(samples),
    )  # fmt: skip
    return head + names + samples


def unpack(data: bytes) -> Packet:
    """One whole packet. Raises SceneError, with what is wrong, on anything else."""
    found = list(Unpacker().feed(data))
    if len(found) != 1:
        raise SceneError(f"{len(data)} bytes hold {len(found)} packets, wanted one: was it cut on its way?")
    return found[0]


class Unpacker:
    """Packets out of a stream of bytes, as they become whole."""

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Raises SceneError where the bytes are no packets."""
        self._left += data
        while len(self._left) >= HEAD.size:
            length = _length(self._left)
            if len(self._left) < length:
                return
            whole, self._left = self._left[:length], self._left[length:]
            yield _packet(whole)


def _length(data: bytes) -> int:
    magic, _, _, names, _, _, _, _, samples = HEAD.unpack_from(data)
    if magic != MAGIC:
        raise SceneError(
            f"bytes begin with {data[:4]!r}, wanted {MAGIC!r}: is that `soundfix send`, or something else?"
        )
    if samples > LARGEST:
        raise SceneError(f"a packet of {samples} bytes of samples, wanted {LARGEST} at most: send shorter ones")
    return int(HEAD.size + names + samples)


def _packet(data: bytes) -> Packet:
    _, number, channels, names, rate_hz, run, counter, time_ns, _ = HEAD.unpack_from(data)
    raw = data[HEAD.size + names :]
    if number not in FORMATS or channels == 0 or len(raw) % (channels * WIDTHS[FORMATS[number]]):
        raise SceneError(f"{len(raw)} bytes are no frames of {channels} channels in format {number} (1 to 4)")
    checked_rate(rate_hz, "a packet at")
    told = tuple(data[HEAD.size : HEAD.size + names].decode("utf-8", "replace").split("\n"))
    if len(told) != channels:
        raise SceneError(f"a packet names {len(told)} microphones for {channels} channels")
    return Packet(decode(raw, FORMATS[number], channels), rate_hz, told, counter, run, time_ns)
