"""Sound from the network: any number of senders (packets.py) by TCP or UDP, who come, go and come again."""

import socket
import socketserver
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread

from soundfix.errors import ConfigError, SceneError
from soundfix.streaming.clocks import Clocks
from soundfix.streaming.inbox import Block, Inbox
from soundfix.streaming.packets import Packet, Unpacker, unpack

LARGEST_READ = 2**16
QUIET_S = 5.0  # a sender of which nothing comes for so long is said to be gone


def parse_address(text: str) -> tuple[str, str, int]:
    """tcp://HOST:PORT or udp://HOST:PORT; a host that is left out is every one of this machine. Raises ConfigError."""
    kind, _, rest = text.partition("://")
    host, _, port = rest.rpartition(":")
    if kind not in ("tcp", "udp") or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"address {text!r}, wanted tcp://HOST:PORT or udp://HOST:PORT, such as tcp://:9900")
    return kind, host.strip("[]"), int(port)


class Receiver:
    """Listens at an address while it is open, and puts what comes into the inbox. clock: seconds since 1970.

    port: the one that was taken, where 0 was asked for. Raises ConfigError where it cannot be.
    """

    def __init__(self, address: str, inbox: Inbox, clock: Callable[[], float] = time.time) -> None:
        kind, host, port = parse_address(address)
        self._inbox, self._clock = inbox, clock
        self._clocks, self._lock = Clocks(), Lock()
        self._heard: dict[tuple[str, ...], float] = {}
        self.connections: set[socket.socket] = set()
        handler, server = (_Stream, _Servers) if kind == "tcp" else (_Datagram, socketserver.UDPServer)
        try:
            self._server = server((host, port), handler)
        except OSError as error:
            raise ConfigError(f"cannot listen at {address}: {error.strerror or error}; is the port taken?") from error
        self._server.receiver = self  # type: ignore[union-attr]
        self.port = int(self._server.server_address[1])
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def close(self) -> None:
        """Listen no more, and say how the senders' clocks ran."""
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self.connections):
            with suppress(OSError):  # it may be gone by now
                connection.shutdown(socket.SHUT_RDWR)
        if len(drifts := self.drifts()) > 1:
            self._inbox.say(_drifts_sentence(drifts))

    def take(self, packet: Packet) -> None:
        """One packet, now."""
        now = self._clock()
        with self._lock:
            first = self._clocks.place(packet, now)
            if now - self._heard.get(packet.microphones, float("-inf")) > QUIET_S:
                self._inbox.say(f"{', '.join(packet.microphones)}: sound comes")
            self._heard[packet.microphones] = now
        self._inbox.put(Block(packet.sound, float(packet.sample_rate), packet.microphones, first))

    def drifts(self) -> dict[str, tuple[float, float]]:
        """Of every sender against the median one, and its standard error (ppm), by its first microphone."""
        with self._lock:
            return self._clocks.drifts()

    def refuse(self, error: SceneError, peer: object) -> None:
        """Somebody sends something else."""
        self._inbox.say(f"{peer}: {error}")


def _drifts_sentence(drifts: dict[str, tuple[float, float]]) -> str:
    each = (f"{name} {ppm:+.1f} ± {sigma:.1f}" for name, (ppm, sigma) in drifts.items())
    return f"clocks of senders, in ppm slower than the median one: {', '.join(each)}"


class _Servers(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


class _Stream(socketserver.BaseRequestHandler):
    """One sender by TCP, until it goes."""

    def handle(self) -> None:
        receiver, unpacker = self.server.receiver, Unpacker()  # type: ignore[attr-defined]
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        receiver.connections.add(self.request)
        try:
            while data := self.request.recv(LARGEST_READ):
                for packet in unpacker.feed(data):
                    receiver.take(packet)
        except SceneError as error:
            receiver.refuse(error, self.client_address[0])
        except OSError:
            return  # it went without a word
        finally:
            receiver.connections.discard(self.request)


class _Datagram(socketserver.BaseRequestHandler):
    """One packet by UDP."""

    def handle(self) -> None:
        receiver = self.server.receiver  # type: ignore[attr-defined]
        try:
            receiver.take(unpack(self.request[0]))
        except SceneError as error:
            receiver.refuse(error, self.client_address[0])
