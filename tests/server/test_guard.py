"""Who sends too much, too slowly, or lies about it."""

import asyncio

import pytest

from soundfix.server import guard
from soundfix.server.guard import Body, Guard, Refused
from soundfix.server.limits import Limits

LIMITS = Limits(upload_bytes=100, idle_s=0.05, sending_s=0.2)


def asked(parts, *, headers=(), limits=LIMITS, token=None, every_s=0.0, path="/locate"):
    """Status and body of the answer to a request whose body comes in these parts."""
    waiting, sent = [(part, k + 1 < len(parts)) for k, part in enumerate(parts)], []

    async def receive():
        await asyncio.sleep(every_s)
        part, more = waiting.pop(0)
        return {"type": "http.request", "body": part, "more_body": more}

    async def send(message):
        sent.append(message)

    async def app(scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"read"})

    scope = {"type": "http", "path": path, "headers": list(headers)}
    asyncio.run(Guard(app, limits=limits, token=token)(scope, receive, send))
    return sent[0]["status"], sent[1]["body"], waiting


def test_what_fits_is_read():
    assert asked([b"x" * 50, b"x" * 50])[:2] == (200, b"read")


def test_what_says_that_it_is_too_large_is_not_read(monkeypatch):
    monkeypatch.setattr(guard, "DRAIN_BYTES", 0)
    status, body, unread = asked([b"x"], headers=[(b"content-length", b"101")])
    assert (status, len(unread)) == (413, 1)
    assert b"more than 0 MiB" in body
    assert asked([b"x"], headers=[(b"content-length", b"100")])[0] == 200


def test_what_is_larger_than_it_says_is_read_no_further(monkeypatch):
    monkeypatch.setattr(guard, "DRAIN_BYTES", 0)
    status, _, unread = asked([b"x" * 60] * 5, headers=[(b"content-length", b"60")])
    assert (status, len(unread)) == (413, 3)


def test_a_little_more_is_read_so_that_the_answer_is_not_lost(monkeypatch):
    """A socket that is closed with much unread is reset, and what was sent with it is gone."""
    monkeypatch.setattr(guard, "DRAIN_BYTES", 120)
    assert asked([b"x" * 60] * 2, headers=[(b"content-length", b"101")])[::2] == (413, [])
    assert len(asked([b"x" * 60] * 5, headers=[(b"content-length", b"101")])[2]) == 3
    monkeypatch.setattr(guard, "DRAIN_S", 0.05)
    assert len(asked([b"x"] * 5, headers=[(b"content-length", b"101")], every_s=0.04)[2]) >= 3


@pytest.mark.parametrize(
    ("host", "origin", "token", "status"),
    [
        (b"127.0.0.1:8000", None, None, 200),
        (b"localhost", b"http://localhost", None, 200),
        (b"[::1]:8000", b"http://[::1]:8000", None, 200),
        (b"127.0.0.1:8000", b"https://elsewhere.example", None, 403),  # another page, open in the same browser
        (b"127.0.0.1:8000", b"null", None, 403),
        (b"elsewhere.example:8000", b"http://elsewhere.example:8000", None, 403),  # a name that was made to lead here
        (b"lab.example", b"https://lab.example", "t", 200),
        (b"lab.example", b"https://elsewhere.example", "t", 403),
    ],
)
def test_other_peoples_pages_may_not_ask(host, origin, token, status):
    headers = [(b"host", host), *([(b"origin", origin)] if origin else []), (b"authorization", b"Bearer t")]
    assert asked([b"x"], headers=headers, token=token)[0] == status


@pytest.mark.parametrize("length", [b"-1", b"1e9", b"", b"\xb2"])
def test_a_length_that_is_none(length):
    assert asked([b"x"], headers=[(b"content-length", length)])[0] == 400


def test_who_stops_sending():
    assert asked([b"x", b"x"], every_s=0.2)[0] == 408


def test_who_sends_for_ever():
    status, _, unread = asked([b"x"] * 50, every_s=0.03)
    assert status == 408
    assert unread


def test_whoever_has_sent_all_may_wait():
    async def wait():
        parts = [b"all"]

        async def receive():
            if not parts:
                await asyncio.sleep(0.3)
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": parts.pop(), "more_body": False}

        body = Body(receive, LIMITS)
        return [(await body.receive())["type"], (await body.receive())["type"]]

    assert asyncio.run(wait()) == ["http.request", "http.disconnect"]


def test_health_needs_no_token():
    assert asked([b""], token="t", path="/health")[0] == 200
    assert asked([b""], token="t")[0] == 401
    assert asked([b""], token="t", headers=[(b"authorization", b"Bearer t")])[0] == 200
    assert asked([b""], token="t", headers=[(b"authorization", "Bearer ü".encode())])[0] == 401


def test_a_socket_without_the_token_is_closed():
    sent = []

    async def connect():
        async def never(*_):
            raise AssertionError("nothing is asked")

        async def send(message):
            sent.append(message)

        await Guard(never, limits=LIMITS, token="t")({"type": "websocket", "path": "/live", "headers": []}, never, send)

    asyncio.run(connect())
    assert [(each["type"], each["code"]) for each in sent] == [("websocket.close", 1008)]


def test_refusals_say_why():
    assert str(Refused(413, "too large")) == "too large"
