"""The page (its source is web/), as it is served, and with a recording's answers in it: one file that needs no service."""

import gzip
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from soundfix.atomic import atomic_path
from soundfix.estimate import Estimate
from soundfix.microphones import Microphones
from soundfix.report.listed import listed_dicts
from soundfix.scene import Room

PLACE = "<!--data-->"  # in the page, for what is shown


@dataclass(frozen=True, kw_only=True, eq=False)
class Recorded:
    """What a page can show of the sound itself.

    document: what the JSON file has beside the estimates. waves: how loud each microphone was in equal parts of the
    recording, of which all are duration_s long. curves: of each estimate the curves of its pairs (likelihood.py), or None.
    microphone, mp3: whose sound can be heard, and that sound.
    """

    document: Mapping[str, Any]
    duration_s: float
    waves: UInt8[np.ndarray, "mic part"]
    curves: Sequence[Mapping[str, Any] | None] = ()
    microphone: str = ""
    mp3: bytes = b""


@cache
def built_page() -> str:
    """HTML, with its program inside."""
    return (files("soundfix.report") / "page" / "index.html").read_text("utf-8")


def write_page(
    path: Path,
    estimates: Iterable[Estimate],
    microphones: Microphones,
    room: Room | None,
    recorded: Recorded | None = None,
) -> None:
    """These answers, with a play head, whether or not anything is known of the sound. Raises OutputError."""
    with atomic_path(path) as part:
        part.write_text(with_data(page_data(list(estimates), microphones, room, recorded)), encoding="utf-8")


def with_data(told: Mapping[str, Any]) -> str:
    """The page, and in it what it shows."""
    text = json.dumps(told, allow_nan=False, separators=(",", ":"))
    packed = _base64(gzip.compress(text.encode(), mtime=0))
    script = f'<script type="application/octet-stream" id="soundfix-data">{packed}</script>'
    before, after = built_page().rsplit(PLACE, 1)
    return before + script + after


def page_data(
    estimates: Sequence[Estimate], microphones: Microphones, room: Room | None, recorded: Recorded | None
) -> dict[str, Any]:
    """As the page reads it (web/src/model/embedded.ts)."""
    head: dict[str, Any] = dict(recorded.document) if recorded else {"method": estimates[0].method if estimates else ""}
    head.setdefault(
        "request",
        {
            "microphones": listed_dicts(microphones, range(len(microphones))),
            "room": room and [list(corner) for corner in room],
        },
    )
    answers = head | {"estimates": [each.to_dict() for each in estimates]}
    if recorded is None:
        return {"answers": answers, "waves": None, "curves": [], "sound": None}
    waves = {
        "duration_s": recorded.duration_s,
        "count": recorded.waves.shape[1],
        "values": _base64(recorded.waves.tobytes()),
    }
    sound = {"microphone": recorded.microphone, "base64": _base64(recorded.mp3)} if recorded.mp3 else None
    return {"answers": answers, "waves": waves, "curves": list(recorded.curves), "sound": sound}


def _base64(content: bytes) -> str:
    return b64encode(content).decode("ascii")
