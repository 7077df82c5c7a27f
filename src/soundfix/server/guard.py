"""Who comes in, and how much of what they send: in front of everything else, before anything is read into memory."""

import asyncio
import secrets
from base64 import urlsafe_b64decode
from contextlib import suppress
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soundfix.server.limits import Limits
from soundfix.server.metrics import REQUESTS

# Anybody may ask these: what starts the service, who opens the page and has the token.
OPEN = ("/health", "/ready", "/")
# Of a WebSocket: browsers send no headers with it, and name the token beside the protocol.
PROTOCOL, BEARER = "soundfix", "bearer."
DRAIN_BYTES, DRAIN_S = 4 * 2**20, 1.0
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Refused(Exception):
    """A request that is not read to its end."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class Guard:
    """ASGI middleware: a token where one is wanted, so many bytes, within so many seconds (limits)."""

    def __init__(self, app: ASGIApp, *, limits: Limits, token: str | None) -> None:
        self.app, self.limits, self.token = app, limits, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        counted = _Counted(send)
        try:
            self._check(scope)
            body = Body(receive, self.limits).receive if scope["type"] == "http" else receive
            await self.app(scope, body, counted)
        except Refused as refused:
            await self._answer(refused, scope, receive, counted)
        finally:
            REQUESTS.labels(_route(scope), str(counted.status)).inc()
        return None

    def _check(self, scope: Scope) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        self._check_page(headers.get(b"host", ""), headers.get(b"origin"))
        if self.token is not None and scope["path"] not in OPEN:
            given = [headers.get(b"authorization", "").removeprefix("Bearer ")]
            given += [decoded(each) for each in scope.get("subprotocols", ()) if each.startswith(BEARER)]
            if not any(secrets.compare_digest(each.encode(), self.token.encode()) for each in given):
                raise Refused(401, "wanted the header Authorization: Bearer TOKEN")
        length = headers.get(b"content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise Refused(400, f"a length of {length[:20]!r}")
        if int(length) > self.limits.upload_bytes:
            raise too_large(self.limits)

    def _check_page(self, host: str, origin: str | None) -> None:
        """Other people's pages, open in a browser that reaches this machine, may not ask: neither from another origin nor,
        without a token, by a name that is made to lead here."""
        if origin is not None and urlsplit(origin).netloc != host:
            raise Refused(403, f"asked by a page of {origin[:60]!r}, which is not this service's own")
        if self.token is None and host and host.rsplit(":", 1)[0] not in LOOPBACK and host not in LOOPBACK:
            raise Refused(403, f"asked as {host[:60]!r}: without a token only this machine may ask, as 127.0.0.1")

    async def _answer(self, refused: Refused, scope: Scope, receive: Receive, send: "_Counted") -> None:
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008, "reason": refused.sentence})
        if send.status:
            return None  # it has begun to answer
        with suppress(TimeoutError):
            await asyncio.wait_for(_drained(receive), DRAIN_S)
        return await answer_to(refused)(scope, receive, send)


def answer_to(refused: Refused) -> JSONResponse:
    """What is said of it; all of the rest of the request is not waited for."""
    return JSONResponse({"detail": refused.sentence}, refused.status, {"Connection": "close"})


def decoded(protocol: str) -> str:
    """The token in the name of a protocol: in base64 for addresses, for such names hold neither / nor =."""
    try:
        text = protocol.removeprefix(BEARER)
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return ""


class Body:
    """The body of a request, as it comes: refused where it is too large, or too slow."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self._receive, self._limits = receive, limits
        self._bytes, self._until, self._has_ended = 0, monotonic() + limits.sending_s, False

    async def receive(self) -> Message:
        """The next part. After the last one: whatever comes, however late. Raises Refused."""
        if self._has_ended:
            return await self._receive()
        patience_s = min(self._limits.idle_s, self._until - monotonic())
        try:
            message = await asyncio.wait_for(self._receive(), max(patience_s, 0.001))
        except TimeoutError:
            raise Refused(408, "the rest of the request did not come in time") from None
        self._bytes += len(message.get("body", b""))
        self._has_ended = not message.get("more_body", False)
        if self._bytes > self._limits.upload_bytes:
            raise too_large(self._limits)
        return message


async def _drained(receive: Receive) -> None:
    """Some of the rest: a connection that is closed with much unread is reset, and the answer is lost on its way."""
    left = DRAIN_BYTES
    while left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if not message.get("more_body", False):
            return


class _Counted:
    """Sends, and knows the status that was sent."""

    def __init__(self, send: Send) -> None:
        self._send, self.status = send, 0

    async def __call__(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        await self._send(message)


def too_large(limits: Limits) -> Refused:
    """More than is taken."""
    return Refused(413, f"more than {limits.upload_bytes / 2**20:.0f} MiB: send less, or another kind of file")


def _route(scope: Scope) -> str:
    """The path as it is declared, so that there are few of them."""
    route: Any = scope.get("route")
    return getattr(route, "path", "other")
