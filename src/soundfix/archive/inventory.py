"""What an archive holds: every sound file below a folder, who recorded it and when; and what is left out, and why.

A file is of the recorder in the list of microphones that has the name which is left of the file's name without its time,
or that of a folder which it is in, or the serial number in its header (GUANO, AudioMoth). Where no file has a name of the
list, and every file has a channel for each microphone, files are of the whole array.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import NamedTuple

from soundfix.errors import AudioFileError, MicrophoneFileError
from soundfix.files.decoding import AudioFile, open_what_is_left
from soundfix.files.digest import glimpse
from soundfix.files.headers import read_chunks
from soundfix.files.listing import sounds_in
from soundfix.files.pairing import NameKey, name_key
from soundfix.files.start_tables import Correction
from soundfix.files.start_times import StartTime, Told, believed, told_by
from soundfix.microphones import Microphones

SERIAL = re.compile(r"^(?:Serial|WA\|Song Meter\|Prefix|Original Filename):\s*(\S+)\s*$", re.MULTILINE)
AUDIOMOTH_SERIAL = re.compile(r"\bby (?:AudioMoth )?([0-9A-F]{16})\b")
WHOLE_ARRAY = "the array"
TIMELESS = "neither its name nor its header tells when it began, nor does a table of starts"


class LeftOut(NamedTuple):
    """A file, or what else there is, that nothing is made of."""

    what: str
    why: str


class Recorded(NamedTuple):
    """A file of a recorder, which has this name, and when it began. glimpse: tells it from others of its length."""

    file: AudioFile
    recorder: str
    start: StartTime
    glimpse: str = ""


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """recorders: of each the microphone (its number in the list) of every channel that is used; channels count from 0."""

    recorded: tuple[Recorded, ...]
    recorders: Mapping[str, Mapping[int, int]]
    left_out: tuple[LeftOut, ...]


def take_inventory(
    folder: Path, microphones: Microphones, starts: Mapping[str, Correction], watch: Callable[[], None] = lambda: None
) -> Inventory:
    """Of all files below the folder; `watch` is called after each. starts: by name or end of path.

    Raises AudioFileError where there is no sound, MicrophoneFileError where no file is of a recorder in the list.
    """
    paths = sounds_in(folder.rglob("*")) if folder.is_dir() else []
    if not paths:
        raise AudioFileError(
            f"{folder} holds no audio files, wanted a folder with names such as S01_20220620_143000.wav"
        )
    opened, left_out = _opened(paths, folder, watch)
    owners = _owners(opened, folder, microphones)
    recorded = []
    for (file, told, seen), start in zip(opened, _starts(opened, folder, starts), strict=True):
        owner, name = owners.of(file, told), _short(file.path, folder)
        if owner is None:
            left_out.append(LeftOut(name, "it has the name of no recorder in the list"))
        elif file.channels <= max(owners.channels[owner]):
            left_out.append(LeftOut(name, f"it has {file.channels} channels, and the list names more"))
        elif start is None:
            left_out.append(LeftOut(name, TIMELESS))
        else:
            recorded.append(Recorded(file, owner, start, seen))
    usual, unusual = _alike(recorded, folder)
    return Inventory(recorded=tuple(usual), recorders=owners.channels, left_out=(*left_out, *unusual))


class _Opened(NamedTuple):
    file: AudioFile
    told: Told
    glimpse: str


def _opened(paths: Iterable[Path], folder: Path, watch: Callable[[], None]) -> tuple[list[_Opened], list[LeftOut]]:
    opened, left_out = [], []
    for path in paths:
        try:
            file = open_what_is_left(path)
            opened.append(_Opened(file, told_by(file), glimpse(path)))
        except AudioFileError as error:
            left_out.append(LeftOut(_short(path, folder), str(error)))
        watch()
    return opened, left_out


def _starts(opened: list[_Opened], folder: Path, starts: Mapping[str, Correction]) -> list[StartTime | None]:
    """As the files tell, and as the table corrects it: to the fraction of a second, whatever the others lost."""
    corrections = [_correction(each.file.path, folder, starts) for each in opened]
    told = believed([each.told for each in opened])
    times = [_corrected(start, fixed) for start, fixed in zip(told, corrections, strict=True)]
    zone = next((time.at.tzinfo for time in times if time and time.at.tzinfo), None)
    return [time and time._replace(at=_in_zone(time.at, zone)) for time in times]


def _corrected(told: StartTime | None, fixed: Correction | None) -> StartTime | None:
    if fixed is None:
        return told
    return fixed.at or (told and told.later(fixed.later_s))


def _in_zone(at: datetime, zone: tzinfo | None) -> datetime:
    """zone: of the first that has one; a time without is taken to be in it."""
    return at.astimezone(zone) if zone and at.tzinfo else at.replace(tzinfo=zone)


def _correction(path: Path, folder: Path, starts: Mapping[str, Correction]) -> Correction | None:
    """By the whole path below the folder, or the name alone."""
    return starts.get(path.relative_to(folder).as_posix().casefold()) or starts.get(path.name.casefold())


@dataclass(frozen=True, kw_only=True)
class _Owners:
    """names: a recorder's name by what a file may be called. channels: of each recorder, as in Inventory."""

    folder: Path
    names: Mapping[tuple[tuple[int, int, str], ...], str]
    channels: Mapping[str, Mapping[int, int]]

    def of(self, file: AudioFile, told: Told) -> str | None:
        """Whose file this is."""
        if not self.names:
            return WHOLE_ARRAY
        keys = (tuple(key) for key in _keys(file, told, self.folder))
        return next((self.names[key] for key in keys if key in self.names), None)


def _owners(opened: list[_Opened], folder: Path, microphones: Microphones) -> _Owners:
    channels: dict[str, dict[int, int]] = {}
    names: dict[tuple[tuple[int, int, str], ...], str] = {}
    for m, name in enumerate(microphones.names):
        owner = (microphones.files and microphones.files[m]) or name
        taken = channels.setdefault(owner, {})
        taken[microphones.channels[m] - 1 if microphones.channels else len(taken)] = m
        key = tuple(name_key(Path(owner).name))
        if names.setdefault(key, owner) != owner:
            raise MicrophoneFileError(
                f"{names[key]} and {owner} are alike as names of files: give the recorders names that differ"
            )
    by_name = _Owners(folder=folder, names=names, channels=channels)
    if any(by_name.of(each.file, each.told) for each in opened):
        return by_name
    if opened and all(each.file.channels >= len(microphones) for each in opened):
        order = microphones.channels or range(1, len(microphones) + 1)
        whole = {WHOLE_ARRAY: {number - 1: m for m, number in enumerate(order)}}
        return _Owners(folder=folder, names={}, channels=whole)
    shown = ", ".join(_short(each.file.path, folder) for each in opened[:3])
    raise MicrophoneFileError(
        f"no file is of a recorder in the list: files are {shown} ..., rows {', '.join(microphones.names[:3])} ...; wanted "
        "rows with the names of recorders, as in the names of their files or folders"
    )


def _keys(file: AudioFile, told: Told, folder: Path) -> Iterator[NameKey]:
    """What the recorder of a file may be called, the likeliest first."""
    inside = file.path.relative_to(folder)
    yield name_key(told.recorder)
    for parent in inside.parents:
        yield name_key(parent.name)
    guano = read_chunks(file.path, (b"guan",)).get(b"guan", b"").decode("utf-8", "replace")
    for serial in (*SERIAL.findall(guano), *AUDIOMOTH_SERIAL.findall(file.comment)):
        yield name_key(serial)


def _alike(recorded: list[Recorded], folder: Path) -> tuple[list[Recorded], list[LeftOut]]:
    """Files that have as many channels as most of their recorder's, and those that have not."""
    counts: dict[str, Counter[int]] = {}
    for each in recorded:
        counts.setdefault(each.recorder, Counter())[each.file.channels] += 1
    usual = {name: count.most_common(1)[0][0] for name, count in counts.items()}
    kept, others = [], []
    for each in recorded:
        if each.file.channels == (wanted := usual[each.recorder]):
            kept.append(each)
        else:
            why = f"it has {each.file.channels} channels, others of its recorder {wanted}"
            others.append(LeftOut(_short(each.file.path, folder), why))
    return kept, others


def _short(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
