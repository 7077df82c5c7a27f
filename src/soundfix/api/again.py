"""`soundfix.again`: an answer made again from what its JSON file says of what went in."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from soundfix import __version__
from soundfix.api.events import Listed
from soundfix.api.locate import result
from soundfix.api.located import Located
from soundfix.api.provenance import array_dict
from soundfix.api.request import LocateRequest
from soundfix.api.sound import Audio, Samples, Sound, open_sound, paths_of
from soundfix.errors import ConfigError, SceneError
from soundfix.events import SoundEvent
from soundfix.files.audio import open_recording
from soundfix.files.digest import Digest, differences, digest
from soundfix.files.events.reading import EventTable, read_events
from soundfix.files.take import Take
from soundfix.gate import gate
from soundfix.microphones import Microphones
from soundfix.report.listed import COLUMNS
from soundfix.search_region import SearchRegion
from soundfix.survey.requirement import Requirement

SAID_OTHERWISE = (
    "audio",
    "rate_hz",
    "microphones",
    "crs",
    "files",
    "table",
    "speed_m_s",
    "runtime",
)  # no fields of a request


class Answer(NamedTuple):
    """The request of a JSON file, the table of its events, its estimates, and what is not as it was, in sentences."""

    request: LocateRequest
    table: EventTable | None
    estimates: list[dict[str, Any]]
    changes: tuple[str, ...]

    @property
    def inputs(self) -> list[Path]:
        """Files that were read, and must not be written."""
        sound = self.request.sound
        files = [*sound.paths, *(each.path for each in sound.recording.files)] if isinstance(sound, Take) else []
        return files + ([self.table.table.path] if self.table else [])


def again(path: str | Path, audio: Audio | None = None) -> Located:
    """The answers of a JSON file of `soundfix locate`, made again to the same numbers (m, s) from what it says of itself.

        located = soundfix.again("answers.json")

    path: of that file. audio: where the recording is now, if it was moved (paths of files or a folder), or the array (M, T)
    that it was made from; the list of microphones, positions (M, 3) in m, is in the file. Files that are not what they were
    (size, SHA-256), and another version of soundfix, are told in `notes`.

    Raises ConfigError on a file that does not say what went in, AudioFileError and SceneError on a recording that is missing
    or has other channels.
    """
    answer = read_answer(path, audio)
    located = result(answer.request, answer.table)
    return replace(located, notes=(*located.notes, *answer.changes))


@gate(ConfigError)
def read_answer(path: str | Path, audio: Audio | None = None) -> Answer:
    """What is to be located again; see `again`."""
    document = _document(Path(path))
    told = document["request"]
    try:
        sound = _sound(told, audio)
        table = read_events(told["table"]) if told["table"] else None
        changes = (*_version(document["version"]), *_changes(told, sound))
        return Answer(_request(told, sound), table, document["estimates"], changes)
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path}: its request cannot be read ({error!r}): was it changed by hand, or written by another version?"
        ) from error


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read ({error}), wanted a file of `soundfix locate --json`") from error
    if not isinstance(document, dict) or not {"request", "version", "estimates"} <= set(document):
        raise ConfigError(
            f"{path} does not say what went in: it is no file of `soundfix locate --json`, or one of --delays"
        )
    return document


def _request(told: dict[str, Any], sound: Sound) -> LocateRequest:
    plain = {name: value for name, value in told.items() if name not in SAID_OTHERWISE}
    if unknown := set(plain) - {each.name for each in fields(LocateRequest)}:
        raise ConfigError(f"the request has {min(unknown)}, which this version does not know: is it of a later one?")
    events = told["events"] and tuple(_event(each, sound.microphones) for each in told["events"])
    return LocateRequest(
        **plain | {
            "room": told["room"] and tuple(map(tuple, told["room"])),
            "search": told["search"] and _region(told["search"]),
            "require": told["require"] and Requirement(**told["require"]),
            "band_hz": told["band_hz"] and tuple(told["band_hz"]),
            "events": events,
        },
        sound=sound,
    )  # fmt: skip


def _sound(told: dict[str, Any], audio: Audio | None) -> Sound:
    """The recording with the list as it was, at the same rate, each microphone on its channel."""
    microphones = _microphones(told)
    if audio is None:
        if "paths" not in told["audio"]:
            raise ConfigError("it was made from an array in memory, which is not in the file: give it as audio=")
        audio = told["audio"]["paths"]
    if (paths := paths_of(audio)) is None:
        return open_sound(audio, told["audio"]["rate_hz"], microphones).at(told["rate_hz"])
    recording = open_recording(paths).at(told["rate_hz"])
    order = tuple(None if each["channel"] is None else each["channel"] - 1 for each in told["microphones"])
    last = max(channel for channel in order if channel is not None)
    if last >= len(recording.channels):
        raise SceneError(
            f"the recording has {len(recording.channels)} channels, and the answers were made from channel {last + 1} too: "
            "is it another recording?"
        )
    notes = (*recording.notes, *microphones.notes)
    return Take(microphones=microphones, recording=recording, order=order, notes=notes, paths=tuple(map(Path, paths)))


def _microphones(told: dict[str, Any]) -> Microphones:
    listed = told["microphones"]
    columns: dict[str, Any] = {name: np.array([each[name] for each in listed], dtype=np.float64) for name in COLUMNS}
    return Microphones(
        positions=np.array([each["position_m"] or [np.nan] * 3 for each in listed], dtype=np.float64),
        names=tuple(each["name"] for each in listed),
        crs=told["crs"],
        **columns,
    )


def _region(told: dict[str, Any]) -> SearchRegion:
    lowest, highest = told["bounds_m"]
    bounds = [[-np.inf if x is None else x for x in lowest], [np.inf if x is None else x for x in highest]]
    return SearchRegion(bounds=np.array(bounds), corners=told["corners_m"] and np.array(told["corners_m"]))


def _event(told: dict[str, Any], microphones: Microphones) -> Listed:
    event = SoundEvent(
        start_s=told["start_s"], end_s=told["end_s"], band_hz=told["band_hz"] and tuple(told["band_hz"]),
        label=told["label"], stations=tuple(told["stations"]), rows=tuple(told["rows"]),
    )  # fmt: skip
    return Listed(event=event, is_listed=np.isin(microphones.names, told["heard_by"]))


def _version(version: str) -> Iterator[str]:
    if version != __version__:
        yield f"the answers were made by version {version}, this is {__version__}: numbers may differ"


def _changes(told: dict[str, Any], sound: Sound) -> Iterator[str]:
    """Of files, and of an array."""
    if isinstance(sound, Samples):
        if array_dict(sound.given, sound.native_rate)["sha256"] != told["audio"].get("sha256"):
            yield "the array is not the one that the answers were made from"
    else:
        before = [Digest(**each) for each in told["audio"].get("files", ())]
        yield from differences(before, [digest(file.path) for file in sound.recording.files])
    others = [Digest(**each) for each in told["files"]]
    yield from differences(others, [digest(each.path) for each in others])
