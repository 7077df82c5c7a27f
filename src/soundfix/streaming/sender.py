"""Sends sound to a Receiver: counts on while the network or the receiver is away, and begins again when it is back."""

import secrets
import socket
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from soundfix.streaming.inbox import Block
from soundfix.streaming.packets import Packet, pack
from soundfix.streaming.receiver import parse_address

LARGEST_DATAGRAM = 1200  # bytes of samples: what every network passes on whole
AGAIN_S = 1.0  # from one try to connect to the next
PATIENCE_S = 2.0  # a receiver that takes nothing for so long is gone


@runtime_checkable
class _Line(Protocol):
    def send(self, data: bytes) -> bool: ...

    def close(self) -> None: ...


class Sender:
    """Blocks of these microphones in, packets out. tells_time: this machine's clock is good (NTP, PTP), so say the time.

    lost: packets that could not be sent.
    """

    def __init__(
        self,
        address: str,
        microphones: tuple[str, ...],
        *,
        tells_time: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        kind, host, port = parse_address(address)
        self._line: _Line = _Tcp(host or "localhost", port) if kind == "tcp" else _Udp(host or "localhost", port)
        self._longest = LARGEST_DATAGRAM // (2 * len(microphones)) if kind == "udp" else 2**14
        self._microphones, self._tells_time, self._clock = microphones, tells_time, clock
        self._run, self._counter = secrets.randbits(32), 0
        self.lost = 0

    def send(self, block: Block) -> None:
        """All of it, now."""
        began_s = self._clock() - len(block.sound) / block.sample_rate
        self._counter = self._counter if block.first_sample is None else block.first_sample
        for start in range(0, len(block.sound), max(1, self._longest)):
            sound = block.sound[start : start + max(1, self._longest)]
            time_ns = int(1e9 * (began_s + start / block.sample_rate)) if self._tells_time else 0
            packet = Packet(sound, round(block.sample_rate), self._microphones, self._counter, self._run, time_ns)
            self.lost += not self._line.send(pack(packet))
            self._counter += len(sound)

    def close(self) -> None:
        """No more."""
        self._line.close()


class _Udp:
    def __init__(self, host: str, port: int) -> None:
        self._to, self._socket = (host, port), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(self, data: bytes) -> bool:
        try:
            self._socket.sendto(data, self._to)
        except OSError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()


class _Tcp:
    def __init__(self, host: str, port: int) -> None:
        self._to, self._again_s = (host, port), 0.0
        self._socket: socket.socket | None = None

    def send(self, data: bytes) -> bool:
        if self._socket is None and time.monotonic() >= self._again_s:
            self._connect()
        if self._socket is None:
            return False
        try:
            self._socket.sendall(data)
        except OSError:
            self.close()
            return False
        return True

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _connect(self) -> None:
        try:
            self._socket = socket.create_connection(self._to, PATIENCE_S)
        except OSError:
            self._again_s = time.monotonic() + AGAIN_S
