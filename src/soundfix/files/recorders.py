"""Which recorders a recording is of: their files opened, whole or not, and placed in time.

Files in one folder whose names differ only in their times, none of which overlap, are a recorder's files in a row; so are
those of each folder, where the folder that was given holds one for each recorder. Any other file is a recorder of its own.
A file that cannot be read costs its recorder and nobody else, as long as FEWEST can be read.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from soundfix.errors import AudioFileError
from soundfix.files.decoding import AudioFile, open_what_is_left
from soundfix.files.listing import Listed, listed
from soundfix.files.start_times import StartTime, Told, believed, time_in_name, told_by
from soundfix.files.timeline import SECOND_S, Recorder, Timed, in_a_row, session

FEWEST = 3  # recorders that can be read: no fewer place a sound
LONGEST_LIST = 3  # names shown in a note


@dataclass(frozen=True, kw_only=True)
class Opened:
    """recorders: in the order in which they were given. starts_at: when the first of them begins, where that is told.

    notes: what was assumed, in sentences.
    """

    recorders: tuple[Recorder, ...]
    starts_at: datetime | None = None
    notes: tuple[str, ...] = ()


def open_recorders(paths: Sequence[Path | str]) -> Opened:
    """Open files, folders of files, or folders that hold a folder for each recorder.

    Raises AudioFileError where a file is missing, or fewer than FEWEST recorders are left beside what cannot be read.
    """
    given = listed(paths)
    tried = _with_starts([_tried(path) for each in given for path in each.files])
    groups = _grouped(given, {each.path: each for each in tried})
    _check_enough_left(groups)
    kept = session([group.timed for group in groups])
    origin = min((each.start.at for each in kept if each.start), default=None)
    recorders = [_recorder(group, groups, kept, origin) for group in groups]
    notes = [*_notes_on_times(tried, origin), *_notes_on_rows(groups)]
    notes += [trouble for recorder in recorders if recorder.parts for trouble in recorder.trouble]
    return Opened(recorders=tuple(recorders), starts_at=origin, notes=tuple(notes))


class _Tried(NamedTuple):
    """A file as it was found: opened, or why it cannot be; what it tells of its start, and what is believed of that."""

    path: Path
    found: AudioFile | AudioFileError
    told: Told
    start: StartTime | None = None


class _Group(NamedTuple):
    """What one recorder wrote."""

    path: Path
    tried: tuple[_Tried, ...]

    @property
    def timed(self) -> list[Timed]:
        """The files that can be read."""
        return [Timed(each.found, each.start) for each in self.tried if isinstance(each.found, AudioFile)]

    @property
    def errors(self) -> list[AudioFileError]:
        return [each.found for each in self.tried if isinstance(each.found, AudioFileError)]


def _tried(path: Path) -> _Tried:
    by_name, recorder = time_in_name(path.stem)
    try:
        file = open_what_is_left(path)
    except AudioFileError as error:
        if not path.is_file():  # somebody named it: a typo
            raise
        return _Tried(path, error, Told(by_name=by_name, recorder=recorder))
    return _Tried(path, file, told_by(file))


def _with_starts(tried: list[_Tried]) -> list[_Tried]:
    readable = [each for each in tried if isinstance(each.found, AudioFile)]
    starts = dict(zip([each.path for each in readable], believed([each.told for each in readable]), strict=True))
    return [each._replace(start=starts.get(each.path)) for each in tried]


def _grouped(given: Iterable[Listed], tried: dict[Path, _Tried]) -> list[_Group]:
    """The files of each recorder, in the order of its first."""
    found: dict[Path, list[_Tried]] = {}
    for each in given:
        for path in each.files:
            found.setdefault(each.path if each.is_folder else _recorder_path(tried[path]), []).append(tried[path])
    folders = {each.path for each in given if each.is_folder}
    groups = [_Group(path, tuple(files)) for path, files in found.items()]
    return [part for group in groups for part in _checked(group, is_folder=group.path in folders)]


def _recorder_path(each: _Tried) -> Path:
    """Alike for files in a row: the path without the time."""
    return each.path.parent / each.told.recorder if each.told.by_name else each.path


def _checked(group: _Group, *, is_folder: bool) -> list[_Group]:
    """The group, or its files one by one, where they do not belong together."""
    if len(group.tried) == 1:
        return [group if is_folder else group._replace(path=group.tried[0].path)]
    if not is_folder and any(_overlaps(group)):
        return [_Group(each.path, (each,)) for each in group.tried]
    timeless = [each.file.path.name for each in group.timed if each.start is None]
    if timeless and len(group.timed) > 1:
        raise AudioFileError(
            f"{group.path} holds {len(group.timed)} files of a recorder, but {some(timeless)} tell no time: wanted names "
            "such as 20220620_143000.wav, to know which comes when; or are they of several recorders?"
        )
    return [group]


def _overlaps(group: _Group) -> Iterator[tuple[AudioFile, AudioFile, float]]:
    """Of files that overlap by a second or more: the first, the second, by how much (s)."""
    told = sorted(((each.start.at, each.file) for each in group.timed if each.start), key=lambda each: each[0])
    for (start, file), (after, other) in pairwise(told):
        if (by_s := file.duration_s - (after - start).total_seconds()) >= SECOND_S:
            yield file, other, by_s


def _check_enough_left(groups: list[_Group]) -> None:
    lost = [group for group in groups if not group.timed]
    if lost and len(groups) - len(lost) < FEWEST:
        raise lost[0].errors[0]


def _recorder(group: _Group, groups: list[_Group], kept: list[Timed], origin: datetime | None) -> Recorder:
    usual = Counter(each.file.channels for each in group.timed or [each for other in groups for each in other.timed])
    channels = usual.most_common(1)[0][0]
    fitting = [each for each in group.timed if each in kept and each.file.channels == channels]
    return Recorder(
        path=group.path,
        channels=channels,
        parts=in_a_row(fitting, origin),
        names=_other_names(group, groups),
        trouble=(*map(str, group.errors), *_misfits(group, channels, kept)),
    )


def _misfits(group: _Group, channels: int, kept: list[Timed]) -> Iterator[str]:
    for each in group.timed:
        name, count = each.file.path.name, each.file.channels
        if each.start and each not in kept:
            yield f"{name} begins at {each.start.at}, days from the others, and is left out: was its clock never set?"
        elif count != channels:
            yield f"{name} is left out: it has {count} channels, the others of {group.path.name} {channels}"


def _other_names(group: _Group, groups: list[_Group]) -> tuple[Path, ...]:
    """What a list may call this recorder by: what is left of its files' names, its folder, its files."""
    first = group.tried[0]
    folder = first.path.parent
    is_alone = sum(folder in {each.path.parent for each in other.tried} for other in groups) == 1
    names = [folder / first.told.recorder if first.told.by_name else first.path, *([folder] if is_alone else [])]
    return tuple(dict.fromkeys([*names, *(each.path for each in group.tried)]))


def _notes_on_times(tried: list[_Tried], origin: datetime | None) -> Iterator[str]:
    if origin is None:
        return
    yield f"The take begins at {origin}, as files tell."
    if wrong := [each for each in tried if each.told.is_contradicted]:
        name, header = wrong[0].told.by_name, wrong[0].told.by_header
        others = f" (and so {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        yield (
            f"{wrong[0].path.name} says {name and name.at} by its name and {header and header.at} by its header{others}: "
            f"{'its name' if wrong[0].start == name else 'its header'} is believed."
        )
    if timeless := [each.path.name for each in tried if each.start is None and isinstance(each.found, AudioFile)]:
        yield f"{some(timeless)} tell no time; they are taken to begin when the take begins."


def _notes_on_rows(groups: list[_Group]) -> Iterator[str]:
    if rows := [group for group in groups if len(group.timed) > 1]:
        others = f", and so {len(rows) - 1} more recorders" if len(rows) > 1 else ""
        yield f"{rows[0].path.name} wrote {len(rows[0].timed)} files in a row{others}."
    for first, second, by_s in (overlap for group in rows for overlap in _overlaps(group)):
        yield (
            f"{second.path.name} begins {by_s:.2f} s before {first.path.name} ends: from there on it is heard. "
            "Are these two recorders' files?"
        )


def some(names: Sequence[str]) -> str:
    """All of a few names, or how many there are."""
    return ", ".join(names) if len(names) <= LONGEST_LIST else f"{names[0]} and {len(names) - 1} more"
