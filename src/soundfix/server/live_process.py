"""A process that listens for one client: bytes come in through a pipe, answers go out, the newest window first.

to it     bytes: frames of interleaved channels; None: the end
from it   ("ready" | "answer" | "end", JSON)  ("refused", sentence)
"""

import json
import tempfile
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundfix.server.limits import Limits
from soundfix.server.workers import confine

if TYPE_CHECKING:
    from soundfix.streaming.stream import Stream

STEP_S = 0.2
PASSED_ON = (
    "sample_rate", "method", "hop_s", "window_s", "tracks", "room", "search", "height_m", "temperature_c",
    "speed_of_sound_m_s", "wind_m_s",
)  # fmt: skip


def stream_in_process(pipe: Connection, ask: dict[str, Any], limits: Limits) -> None:
    """From the first message to the last; ask: the client's first message, with its list."""
    confine(limits)
    from soundfix.errors import SoundfixError

    with suppress(EOFError, OSError):
        try:
            listen(pipe, opened(ask), ask["format"])
        except SoundfixError as error:
            pipe.send(("refused", str(error)))


def opened(ask: dict[str, Any]) -> "Stream":
    """As it was asked for. Raises SoundfixError."""
    from soundfix.errors import MicrophoneFileError
    from soundfix.files.microphones import read_microphones
    from soundfix.streaming.stream import Stream

    name, content = ask["list"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(content, encoding="utf-8")
        try:
            microphones = read_microphones(path)
        except MicrophoneFileError as error:
            raise MicrophoneFileError(str(error).replace(f"{folder}/", "")) from None
    return Stream(microphones, **{option: ask[option] for option in PASSED_ON if option in ask})


def listen(pipe: Connection, stream: "Stream", sample_format: str) -> None:
    """Every block that has come, then an answer to the newest window; what is left, and a conclusion, at the end."""
    from soundfix.report.summary import summary_dict

    _say(pipe, "ready", {"microphones": list(stream.microphones.names)})
    is_over = False
    while not is_over:
        for raw in _come(pipe):
            if raw is None:
                is_over = True
            else:
                stream.put(_block(raw, sample_format, len(stream.microphones)))
        answer = stream.newest()
        if answer is not None:
            _say(pipe, "answer", answer.to_dict())
    for answer in stream.close():
        _say(pipe, "answer", answer.to_dict())
    _say(pipe, "end", summary_dict(stream.conclusion()))


def _come(pipe: Connection) -> list[bytes | None]:
    """All that has come; waits where nothing has."""
    come = [pipe.recv()]
    while come[-1] is not None and pipe.poll(0):
        come.append(pipe.recv())
    return come


def _block(raw: bytes, sample_format: str, channels: int) -> Any:
    """(channel, time). Raises SceneError where these are no whole frames."""
    from soundfix.errors import SceneError
    from soundfix.streaming.pcm import WIDTHS, decode

    frame = channels * WIDTHS[sample_format]
    if len(raw) % frame:
        raise SceneError(
            f"a block of {len(raw)} bytes, wanted whole frames of {frame}: {channels} channels, {sample_format}"
        )
    return decode(raw, sample_format, channels).T


def _say(pipe: Connection, what: str, told: dict[str, Any]) -> None:
    pipe.send((what, json.dumps({"event": what} | told, allow_nan=False)))
