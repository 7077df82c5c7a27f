"""Whoever reads slowly, or not at all, keeps nobody waiting."""

import os
import socket
import time
from threading import Event

import pytest

from soundfix.errors import ConfigError
from soundfix.streaming import outlet
from soundfix.streaming.outlet import Outlet, TcpWriter, to_file


def is_taken(write, line):
    try:
        write(line)
    except OSError:
        return False
    return True


def test_lines_arrive_in_order():
    got = []
    one = Outlet(got.append)
    for k in range(50):
        one.put(str(k))
    one.close()
    assert got == [str(k) for k in range(50)]
    assert one.dropped == 0


def test_of_a_slow_reader_the_oldest_are_dropped_and_counted():
    got, may_go = [], Event()

    def write(line):
        may_go.wait(60)
        got.append(line)

    one = Outlet(write, most=10)
    one.put("first")
    while one._lines:
        time.sleep(0.001)
    started = time.monotonic()
    for k in range(100):
        one.put(str(k))
    assert time.monotonic() - started < 30
    may_go.set()
    one.close()
    assert got == ["first", *(str(k) for k in range(90, 100))]
    assert one.dropped == 90


def test_a_reader_that_never_reads_is_left_at_the_end(monkeypatch):
    monkeypatch.setattr(outlet, "LAST_S", 0.05)
    reading, writing = os.pipe()
    with open(writing, "w") as file:
        one = Outlet(to_file(file))
        for _ in range(300):
            one.put("x" * 1000)
        started = time.monotonic()
        one.close()
        assert time.monotonic() - started < 30
        assert one.dropped > 0
        os.close(reading)
        one._thread.join(60)


def test_who_has_gone_is_told():
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as file:
        one = Outlet(to_file(file))
        one.put("hello")
        one.close()
    assert one.is_gone
    assert one.dropped == 1


def test_a_viewer_that_comes_late_and_goes(monkeypatch):
    monkeypatch.setattr(outlet, "AGAIN_S", 0.0)
    server = socket.create_server(("localhost", 0))
    port = server.getsockname()[1]
    server.close()
    one = TcpWriter(f"localhost:{port}")
    with pytest.raises(OSError, match=r"."):
        one("nobody is there")
    server = socket.create_server(("localhost", port))
    one('{"a": 1}')
    viewer, _ = server.accept()
    assert viewer.recv(100) == b'{"a": 1}\n'
    viewer.close()
    assert not all(is_taken(one, "x" * 10_000) for _ in range(100))
    one("again")
    viewer, _ = server.accept()
    assert viewer.recv(100) == b"again\n"
    for each in (one, viewer, server):
        each.close()


def test_it_is_not_tried_again_at_once():
    server = socket.create_server(("localhost", 0))
    port = server.getsockname()[1]
    server.close()
    one = TcpWriter(f"localhost:{port}")
    with pytest.raises(ConnectionRefusedError):
        one("x")
    with pytest.raises(ConnectionError, match="not yet"):
        one("x")


@pytest.mark.parametrize("text", ["localhost", "localhost:x", ":99999"])
def test_what_is_no_address(text):
    with pytest.raises(ConfigError, match="wanted HOST:PORT"):
        TcpWriter(text)
