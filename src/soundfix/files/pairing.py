"""Which channel of a recording belongs to which row of the list of microphones."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from soundfix.errors import MicrophoneFileError, SceneError
from soundfix.files.audio import AUDIO_SUFFIXES, Channel, natural_key
from soundfix.microphones import Microphones

LONGEST_LIST = 8  # names shown in a message
NameKey = list[tuple[int, int, str]]


def arrange(
    recording_channels: Sequence[Channel], microphones: Microphones, *, is_named: bool = True
) -> tuple[list[int], tuple[str, ...]]:
    """For each microphone the index of its recording channel, and notes on how that was found.

    With files in the list, a row is matched by file name and channel. With channels only, they count through all
    files in order. With neither, a file for each microphone goes to the row that has its name, where rows have
    (is_named); else rows follow the channels, and their numbers must agree.
    Raises SceneError where the numbers disagree, MicrophoneFileError where a file named in the list was not given, or
    only some of the files have the names of rows.
    """
    if microphones.files is not None:
        order = [_matched(m, microphones, recording_channels) for m in range(len(microphones))]
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


def _paired_by_name(channels: Sequence[Channel], microphones: Microphones) -> list[int] | None:
    """Of each row the file that has its name, where there is a file for each microphone; None where no name matches."""
    files, rows = (
        [_name_key(channel.file.name) for channel in channels],
        [_name_key(name) for name in microphones.names],
    )
    if len({channel.file for channel in channels}) < len(channels) or not any(key in rows for key in files):
        return None
    _check_all_paired([str(channel.file) for channel in channels], files, microphones.names, rows)
    return [files.index(row) for row in rows]


def _check_all_paired(paths: Sequence[str], files: list[NameKey], names: Sequence[str], rows: list[NameKey]) -> None:
    """Every file has a row, every row a file, and none has two: else it is anybody's guess."""
    alike = [name for name, key in zip(names, rows, strict=True) if rows.count(key) > 1]
    twice = [path for path, key in zip(paths, files, strict=True) if key in rows and files.count(key) > 1]
    strays = [path for path, key in zip(paths, files, strict=True) if key not in rows]
    silent = [name for name, key in zip(names, rows, strict=True) if key not in files]
    problems = [
        (twice, "are files for one row"),
        (alike, "are rows for one file"),
        (strays, "have the name of no row"),
        (silent, "are rows that no file is named after"),
    ]
    if found := [f"{_listed(some)} {what}" for some, what in problems if some]:
        matched = next(path for path, key in zip(paths, files, strict=True) if key in rows)
        raise MicrophoneFileError(
            f"{' and '.join(found)}, but {matched} is named after a row; wanted a file for each row, by name: a typo, or a "
            "recording of somebody else? A column file in the list can say which belong together"
        )


def _name_key(name: str) -> NameKey:
    """Alike for names that mean the same: without the suffix of a sound file, whatever the case and leading zeros."""
    path = PurePosixPath(unicodedata.normalize("NFC", name))
    return natural_key(path.stem if path.suffix.lower() in AUDIO_SUFFIXES else path.name)


def _matched(m: int, microphones: Microphones, channels: Sequence[Channel]) -> int:
    assert microphones.files is not None
    file, number = microphones.files[m], microphones.channels[m] if microphones.channels else 1
    found = _same_file(file, [channel.file for channel in channels])
    if len(found) == 0:
        raise MicrophoneFileError(
            f"microphone {microphones.names[m]} is in {file}, but given were {_given(channels)}: a typo?"
        )
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


def _same_file(listed: str, given: Sequence[Path]) -> list[Path]:
    """Given files whose path ends as the listed one does; failing that, those of the same bare name."""
    parts = list(PurePosixPath(listed.replace("\\", "/")).parts) or [listed]
    files = list(dict.fromkeys(given))
    whole = [file for file in files if list(file.absolute().parts[-len(parts) :]) == parts]
    return whole or [file for file in files if file.name == parts[-1]]


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


def _check_used_once(order: list[int], microphones: Microphones, channels: Sequence[Channel]) -> None:
    seen: dict[int, int] = {}
    for m, index in enumerate(order):
        if (first := seen.setdefault(index, m)) != m:
            raise MicrophoneFileError(
                f"microphones {microphones.names[first]} and {microphones.names[m]} are both "
                f"{_spoken(channels[index])}: is a channel number missing from the list?"
            )


def _unused_notes(order: list[int], channels: Sequence[Channel]) -> list[str]:
    unused = [_spoken(channels[index]) for index in sorted(set(range(len(channels))) - set(order))]
    return [f"Not in the list of microphones and left out: {_listed(unused)}."] if unused else []


def _runs(order: list[int], channels: Sequence[Channel]) -> str:
    """On one line: files of one channel by name, of others with the channels that were taken, 1-3 for 1, 2, 3."""
    lone = Counter(channel.file for channel in channels)
    taken: list[tuple[Path, list[int]]] = []
    for channel in (channels[index] for index in order):
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
