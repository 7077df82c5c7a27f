"""What went into an answer, as in its JSON file: enough to make it again (again.py).

The list of microphones is there whole, with what was told of its errors; of files there are sizes and SHA-256.
"""

import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from soundfix.api.events import Listed
from soundfix.api.request import LocateRequest
from soundfix.api.sound import Sound
from soundfix.files.digest import digest
from soundfix.files.events.reading import EventTable
from soundfix.files.take import Take
from soundfix.methods.catalog import DEFAULT
from soundfix.networks.exported import folder_of, read_exported
from soundfix.report.listed import listed_dicts
from soundfix.search_region import SearchRegion

NOT_TOLD = ("sound", "passes_over")  # the one is told by _sound, the other is asked for by archives alone
FILES = ("checkpoint", "beats", "table")  # that are read beside the sound


def request_dict(request: LocateRequest, table: EventTable | None = None) -> dict[str, Any]:
    """Plain lists and numbers (m, s, Hz), under the names of the request's fields; table: of its events.

    Raises ConfigError where the sound cannot be read any more; what else is missing is refused by whoever needs it.
    """
    told = {each.name: getattr(request, each.name) for each in fields(request) if each.name not in NOT_TOLD}
    told |= {
        "method": request.method_name,
        "search": request.search and _region(request.search),
        "require": request.require and asdict(request.require),
        "events": request.events and [_event(each, request.sound) for each in request.events],
        "table": table and str(table.table.path),
    }
    told["files"] = [digest(told[name]).to_dict() for name in FILES if told[name] and Path(told[name]).is_file()]
    told |= _runtime(request)
    plain: dict[str, Any] = json.loads(
        json.dumps(_sound(request.sound) | told | {"speed_m_s": request.speed}, default=str)
    )
    return plain


def _runtime(request: LocateRequest) -> dict[str, str]:
    """What ran the network, where it was not PyTorch."""
    folder = folder_of(request.checkpoint) if request.method == DEFAULT else None
    return {} if folder is None else {"runtime": read_exported(folder).runtime}


def _sound(sound: Sound) -> dict[str, Any]:
    """Where it is, and who heard it; channels count from 1, as they are in the files."""
    microphones = sound.microphones
    order = sound.order if isinstance(sound, Take) else range(len(microphones))
    listed = listed_dicts(microphones, order)
    return {"audio": _audio(sound), "rate_hz": sound.sample_rate, "microphones": listed, "crs": microphones.crs}


def _audio(sound: Sound) -> dict[str, Any]:
    if isinstance(sound, Take):
        files = [digest(file.path).to_dict() for file in sound.recording.files]
        return {"paths": [str(path) for path in sound.paths], "files": files}
    return array_dict(sound.given, sound.native_rate)


def array_dict(audio: np.ndarray, rate_hz: float) -> dict[str, Any]:
    """Of an array (M, T) in memory at this rate (Hz): there is nothing to read it from, but it would be known again."""
    contents = hashlib.sha256(np.ascontiguousarray(audio, dtype=np.float32).data).hexdigest()
    return {"shape": list(audio.shape), "rate_hz": rate_hz, "sha256": contents}


def _region(region: SearchRegion) -> dict[str, Any]:
    """null: nothing is told of that side."""
    bounds = [[value if np.isfinite(value) else None for value in corner] for corner in region.bounds.tolist()]
    return {"bounds_m": bounds, "corners_m": None if region.corners is None else region.corners.tolist()}


def _event(listed: Listed, sound: Sound) -> dict[str, Any]:
    """heard_by: microphones that the table lists."""
    names = [name for name, is_listed in zip(sound.microphones.names, listed.is_listed, strict=True) if is_listed]
    return asdict(listed.event) | {"heard_by": names}
