"""Live sound over a WebSocket: blocks in, answers out, a process a socket (live_process.py).

    client   {"microphones": "name,x,y,z\\n...", "sample_rate": 48000, "format": "s16le"}   or "microphone_set": "hall"
    service  {"event": "ready", "microphones": ["m1", ...]}
    client   binary: whole frames of interleaved channels, in the order of the list
    service  {"event": "answer", ...}  as a line of `soundfix listen`
    client   {"event": "end"}
    service  {"event": "end", ...}     what all windows together say; then it closes

Where something is wrong the service says {"event": "error", "detail": ...} and closes.
"""

import asyncio
from contextlib import suppress
from multiprocessing import get_context
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from soundfix.methods.catalog import DEFAULT
from soundfix.server.guard import PROTOCOL
from soundfix.server.limits import Limits
from soundfix.server.lists import NoList, kept_list
from soundfix.server.live_process import STEP_S, stream_in_process
from soundfix.server.logs import log
from soundfix.server.options import Box, Celsius, Height, MethodName, SpeedOfSound, Wind
from soundfix.server.store import Store

REFUSED, GONE, LATER = 1008, 1011, 1013  # codes of RFC 6455
MOST_BYTES = 2**20  # of a message


class Ask(BaseModel):
    """The first message."""

    model_config = ConfigDict(extra="forbid")

    microphones: Annotated[str | None, Field(max_length=MOST_BYTES)] = None
    microphone_set: str | None = None
    sample_rate: Annotated[float, Field(ge=100, le=400_000)] = 16_000.0
    format: Literal["s16le", "s24le", "s32le", "f32le"] = "s16le"
    method: MethodName = DEFAULT
    hop_s: Annotated[float, Field(ge=0.02, le=60)] = 0.1
    window_s: Annotated[float | None, Field(gt=0, le=60)] = None
    tracks: bool = False
    room: Box | None = None
    search: Box | None = None
    height_m: Height | None = None
    temperature_c: Celsius | None = None
    speed_of_sound_m_s: SpeedOfSound | None = None
    wind_m_s: Wind | None = None


class Refusal(Exception):
    """A sentence for the client, and the code to close with."""

    def __init__(self, sentence: str, code: int = REFUSED) -> None:
        super().__init__(sentence)
        self.code = code


class Live:
    """All sockets of a service: so many at once (limits)."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self.store, self.limits = store, limits
        self._open = 0

    async def serve(self, socket: WebSocket) -> None:
        """One client, from its first message to its last."""
        await socket.accept(subprotocol=PROTOCOL if PROTOCOL in socket.scope.get("subprotocols", ()) else None)
        self._open += 1
        try:
            if self._open > self.limits.live:
                raise Refusal("others are listening, and this is all the service takes upon itself", LATER)
            ask = await self._asked(socket)
            await self._listen(socket, ask)
            await socket.close()
        except Refusal as refusal:
            with suppress(RuntimeError):
                await socket.send_json({"event": "error", "detail": str(refusal)})
                await socket.close(refusal.code)
        except WebSocketDisconnect:
            pass
        finally:
            self._open -= 1

    async def _asked(self, socket: WebSocket) -> dict[str, Any]:
        """The first message, checked, with the list in it."""
        try:
            text = await asyncio.wait_for(socket.receive_text(), self.limits.idle_s)
            ask = Ask.model_validate_json(text)
        except TimeoutError:
            raise Refusal("no first message came") from None
        except KeyError:
            raise Refusal("the first message is binary, wanted JSON: which microphones, which sample rate") from None
        except ValidationError as error:
            raise Refusal(f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}") from None
        return {name: value for name, value in ask if value is not None} | {"list": await self._list_of(ask)}

    async def _list_of(self, ask: Ask) -> tuple[str, str]:
        """File name and content."""
        try:
            kept = await run_in_threadpool(kept_list, self.store, ask.microphones, ask.microphone_set)
        except NoList as error:
            raise Refusal(str(error)) from None
        return kept or ("microphones.csv", ask.microphones or "")

    async def _listen(self, socket: WebSocket, ask: dict[str, Any]) -> None:
        ours, its = get_context("spawn").Pipe()
        process = get_context("spawn").Process(target=stream_in_process, args=(its, ask, self.limits), daemon=True)
        process.start()
        its.close()
        log("live", state="open")
        up = asyncio.create_task(self._up(socket, ours))
        try:
            await self._down(socket, ours, up)
        finally:
            up.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await up
            process.kill()
            await run_in_threadpool(process.join)
            ours.close()
            log("live", state="closed")

    async def _up(self, socket: WebSocket, pipe: Any) -> None:
        """What the client sends, to the process; until it says that this is the end."""
        while True:
            message = await asyncio.wait_for(socket.receive(), self.limits.idle_s)
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect
            raw = message.get("bytes")
            await run_in_threadpool(pipe.send, raw)  # None: the end
            if raw is None:
                return

    async def _down(self, socket: WebSocket, pipe: Any, up: "asyncio.Task[None]") -> None:
        """What the process says, to the client, until its last word."""
        while True:
            if up.done() and (error := up.exception()) is not None:
                raise Refusal("nothing came for too long") if isinstance(error, TimeoutError) else error
            try:
                said = await run_in_threadpool(lambda: pipe.recv() if pipe.poll(STEP_S) else None)
            except (EOFError, OSError):
                raise Refusal("the process that listened ended: is memory short?", GONE) from None
            if said is None:
                continue
            what, text = said
            if what == "refused":
                raise Refusal(text)
            await socket.send_text(text)
            if what == "end":
                return
