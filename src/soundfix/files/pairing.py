"""Which channel of a recording belongs to which row of the list of microphones."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from soundfix.errors import MicrophoneFileError, SceneError
from soundfix.files.audio import Channel
from soundfix.files.listing import AUDIO_SUFFIXES, natural_key
from soundfix.files.recorders import FEWEST
from soundfix.microphones import Microphones

LONGEST_LIST = 8  # names shown in a message
NameKey = list[tuple[int, int, str]]


def arrange(
    recording_channels: Sequence[Channel], microphones: Microphones, *, is_named: bool = True
) -> tuple[list[int], tuple[str, ...]]:
    """For each microphone the index of its recording channel, and notes on how that was found: as `pair`.

    Raises MicrophoneFileError too where a microphone has no file.
    """
    order, notes = pair(recording_channels, microphones, is_named=is_named)
    for m, index in enumerate(order):
        if index is None:
            raise _no_such_file(m, microphones, recording_channels)
    return [index for index in order if index is not None], notes


def pair(
    recording_channels: Sequence[Channel], microphones: Microphones, *, is_named: bool = True
) -> tuple[list[int | None], tuple[str, ...]]:
    """For each microphone the index of its recording channel, None where it has no file; and notes on how that was found.

    With files in the list, a row is matched by the name of its file or folder, and channel. With channels only, they count
    through all files in order. With neither, a file for each microphone goes to the row that has its name, where rows have
    (is_named); else rows follow the channels, and their numbers must agree. A row may have no file where FEWEST others have,
    and no file is left over that may be meant.
    Raises SceneError where the numbers disagree, MicrophoneFileError where a file named in the list was not given, or
    only some of the files have the names of rows.
    """
    order: list[int | None]
    if microphones.files is not None:
        order = [_matched(m, microphones, recording_channels) for m in range(len(microphones))]
        _check_nothing_meant(order, microphones, recording_channels)
        notes = []
    elif microphones.channels is not None:
        order = [_counted(m, microphones, recording_channels) for m in range(len(microphones))]
        notes = [f"The list has no file column; its rows are, in turn: {_runs(order, recording_channels)}."]
    elif is_named and (paired := _paired_by_name(recording_channels, microphones)):
        order = paired
        notes = [f"Files went to the rows of their names: {_runs(order, recording_channels)}."]
    else:
        _check_counts_agree(recording_channels, microphones)
        order = list(range(len(microphones)))
        told = _runs(order, recording_channels)
        notes = [f"The list has no file and no channel column; its rows are, in turn: {told}."]
    _check_used_once(order, microphones, recording_channels)
    return order, (*notes, *_unused_notes(order, recording_channels))


def _check_nothing_meant(order: list[int | None], microphones: Microphones, channels: Sequence[Channel]) -> None:
    """A row without its file is a recorder that wrote none, unless a file is left over: that may be a typo."""
    used = {channels[index].file for index in order if index is not None}
    for m, index in enumerate(order):
        is_blank = microphones.files is not None and not microphones.files[m]
        is_left_over = not is_blank and any(channel.file not in used for channel in channels)
        if index is None and (is_left_over or len(used) < FEWEST):
            raise _no_such_file(m, microphones, channels)


def _no_such_file(m: int, microphones: Microphones, channels: Sequence[Channel]) -> MicrophoneFileError:
    where = f"is in {microphones.files[m] or 'no file'}" if microphones.files else "has no file"
    return MicrophoneFileError(f"microphone {microphones.names[m]} {where}, but given were {_given(channels)}: a typo?")


def _paired_by_name(channels: Sequence[Channel], microphones: Microphones) -> list[int | None] | None:
    """Of each row the file that has its name, where no recorder has two channels; None where no name matches."""
    rows = [name_key(name) for name in microphones.names]
    files = [_key_among(rows, channel) for channel in channels]
    if len({channel.file for channel in channels}) < len(channels) or not any(key in rows for key in files):
        return None
    _check_all_paired([str(channel.file) for channel in channels], files, microphones.names, rows)
    return [files.index(row) if row in files else None for row in rows]


def _key_among(rows: list[NameKey], channel: Channel) -> NameKey:
    """Its file's name, or what else its recorder goes by, if that is a row's."""
    keys = [name_key(path.name) for path in (channel.file, *channel.names)]
    return next((key for key in keys if key in rows), keys[0])


def _check_all_paired(paths: Sequence[str], files: list[NameKey], names: Sequence[str], rows: list[NameKey]) -> None:
    """Every file has a row, none has two, and rows without a file are few: else it is anybody's guess."""
    alike = [name for name, key in zip(names, rows, strict=True) if rows.count(key) > 1]
    twice = [path for path, key in zip(paths, files, strict=True) if key in rows and files.count(key) > 1]
    strays = [path for path, key in zip(paths, files, strict=True) if key not in rows]
    silent = [name for name, key in zip(names, rows, strict=True) if key not in files]
    problems = [
        (twice, "are files for one row"),
        (alike, "are rows for one file"),
        (strays, "have the name of no row"),
        (silent if strays or len(rows) - len(silent) < FEWEST else [], "are rows that no file is named after"),
    ]
    if found := [f"{_listed(some)} {what}" for some, what in problems if some]:
        matched = next(path for path, key in zip(paths, files, strict=True) if key in rows)
        raise MicrophoneFileError(
            f"{' and '.join(found)}, but {matched} is named after a row; wanted a file for each row, by name: a typo, or a "
            "recording of somebody else? A column file in the list can say which belong together"
        )


def name_key(name: str) -> NameKey:
    """Alike for names that mean the same: without the suffix of a sound file, whatever the case and leading zeros."""
    path = PurePosixPath(unicodedata.normalize("NFC", name))
    return natural_key(path.stem if path.suffix.lower() in AUDIO_SUFFIXES else path.name)


def _matched(m: int, microphones: Microphones, channels: Sequence[Channel]) -> int | None:
    """None where no such file was given."""
    assert microphones.files is not None
    file, number = microphones.files[m], microphones.channels[m] if microphones.channels else 1
    found = _same_file(file, channels) if file else []
    if len(found) == 0:
        return None
    if len(found) > 1:
        raise MicrophoneFileError(
            f"microphone {microphones.names[m]} is in {file}, but given were {_listed(found)}: name the folder too"
        )
    for index, channel in enumerate(channels):
        if channel.file == found[0] and channel.number == number:
            return index
    count = sum(channel.file == found[0] for channel in channels)
    raise MicrophoneFileError(
        f"microphone {microphones.names[m]} is channel {number} of {file}, which has {count}: channels count from 1"
    )


def _same_file(listed: str, channels: Sequence[Channel]) -> list[Path]:
    """Given files whose path ends as the listed one does; failing that, those of the same bare name. A recorder of several
    files is meant by each of them, and by its folder."""
    parts = list(PurePosixPath(listed.replace("\\", "/")).parts) or [listed]
    given = {channel.file: (channel.file, *channel.names) for channel in channels}
    whole = [
        file
        for file, names in given.items()
        if any(list(path.absolute().parts[-len(parts) :]) == parts for path in names)
    ]
    return whole or [file for file, names in given.items() if any(path.name == parts[-1] for path in names)]


def _counted(m: int, microphones: Microphones, channels: Sequence[Channel]) -> int:
    assert microphones.channels is not None
    number = microphones.channels[m]
    if not 1 <= number <= len(channels):
        raise SceneError(
            f"microphone {microphones.names[m]} is channel {number}, but the recording has {len(channels)} "
            f"({_given(channels)}): is a file missing, or do the channels in the list not count from 1?"
        )
    return number - 1


def _check_counts_agree(channels: Sequence[Channel], microphones: Microphones) -> None:
    if len(channels) != len(microphones):
        cause = "is a file missing" if len(channels) < len(microphones) else "is a microphone missing from the list"
        raise SceneError(
            f"the recording has {len(channels)} channels ({_given(channels)}) for {len(microphones)} microphones: "
            f"{cause}? A column file or channel in the list can say which belong together"
        )


def _check_used_once(order: list[int | None], microphones: Microphones, channels: Sequence[Channel]) -> None:
    seen: dict[int, int] = {}
    for m, index in enumerate(order):
        if index is not None and (first := seen.setdefault(index, m)) != m:
            raise MicrophoneFileError(
                f"microphones {microphones.names[first]} and {microphones.names[m]} are both "
                f"{_spoken(channels[index])}: is a channel number missing from the list?"
            )


def _unused_notes(order: list[int | None], channels: Sequence[Channel]) -> list[str]:
    unused = [_spoken(channels[index]) for index in range(len(channels)) if index not in order]
    return [f"Not in the list of microphones and left out: {_listed(unused)}."] if unused else []


def _runs(order: list[int | None], channels: Sequence[Channel]) -> str:
    """On one line: files of one channel by name, of others with the channels that were taken, 1-3 for 1, 2, 3."""
    lone = Counter(channel.file for channel in channels)
    taken: list[tuple[Path, list[int]]] = []
    for channel in (channels[index] for index in order if index is not None):
        if taken and taken[-1][0] == channel.file and channel.number == taken[-1][1][-1] + 1:
            taken[-1][1].append(channel.number)
        else:
            taken.append((channel.file, [channel.number]))
    return _listed(file.name if lone[file] == 1 else f"{file.name} {_span(numbers)}" for file, numbers in taken)


def _span(numbers: list[int]) -> str:
    return f"channel {numbers[0]}" if len(numbers) == 1 else f"channels {numbers[0]}-{numbers[-1]}"


def _spoken(channel: Channel) -> str:
    return f"channel {channel.number} of {channel.file.name}"


def _given(channels: Sequence[Channel]) -> str:
    return _listed(dict.fromkeys(channel.file.name for channel in channels))


def _listed(things: Iterable[object]) -> str:
    names = [str(thing) for thing in things]
    return ", ".join(names) if len(names) <= LONGEST_LIST else ", ".join([*names[: LONGEST_LIST - 1], "...", names[-1]])
