"""Lists of microphones: CSV, YAML or JSON to Microphones, back to CSV, and which channel belongs to which.

Columns: name, x, y, z (metres; all three blank = unknown position), and optionally file, channel (from 1),
sigma_m, offset_s, drift_ppm, clock_sigma_s. YAML and JSON hold the same fields in a list of mappings, alone or under
"microphones". All three formats are first made into the same rows of text, so that they obey the same rules.
"""

import csv
import re
import reprlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from soundfix.atomic import atomic_path
from soundfix.errors import MicrophoneFileError, OutputError, SceneError
from soundfix.files.audio import AUDIO_SUFFIXES, Channel, natural_key
from soundfix.files.tables import TableRow, read_rows
from soundfix.microphones import Microphones

AXES = ("x", "y", "z")
PROPERTIES = ("sigma_m", "offset_s", "drift_ppm", "clock_sigma_s")
COLUMNS = ("name", *AXES, "file", "channel", *PROPERTIES)
LONGEST_LIST = 8  # names shown in a message
LARGEST_NUMBER = 1e6  # no coordinate (m), clock offset (s) or drift (ppm) is larger
DEGREES = frozenset({"lat", "lon", "lng", "latitude", "longitude"})
NameKey = list[tuple[int, int, str]]
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def read_microphones(path: Path | str) -> Microphones:
    """Read a .csv, .txt, .tsv, .yaml, .yml or .json list. Raises MicrophoneFileError, naming file and line."""
    path = Path(path)
    rows = read_rows(path, _check_header)
    if not rows:
        raise MicrophoneFileError(f"{path} lists no microphones, wanted a line for each after the header {COLUMNS[:4]}")
    try:
        return _microphones(rows)
    except SceneError as error:
        raise MicrophoneFileError(f"{path}: {error}") from error


def write_microphones(path: Path | str, microphones: Microphones) -> None:
    """Write a CSV that `read_microphones` reads back to the last bit. Blank coordinates where unknown."""
    names = (*microphones.names, *(microphones.files or ()))
    for name in names:
        if name != name.strip() or not name.isprintable() or not name:
            raise OutputError(f"{path}: the name {name!r} would read back differently, wanted plain text: rename it")
    optional = {"file": microphones.files, "channel": microphones.channels}
    columns = {
        "name": microphones.names,
        **{axis: _blank_where_nan(microphones.border_positions()[:, a]) for a, axis in enumerate(AXES)},
        **{column: values for column, values in optional.items() if values},
        **{column: getattr(microphones, column).tolist() for column in PROPERTIES},
    }
    is_comment_like = any(name.startswith("#") for name in names)
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL if is_comment_like else csv.QUOTE_MINIMAL)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


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


def _check_header(header: list[str], place: str) -> None:
    """x, y and z are there, nothing is there twice, and nothing looks like one of ours in another unit."""
    known = [column for column in header if column in COLUMNS]
    missing = [axis for axis in AXES if axis not in header]
    stems = {column.split("_")[0] for column in COLUMNS} - {"name", "file", "channel"}
    other_units = [column for column in header if column not in COLUMNS and re.split("[ _([]", column)[0] in stems]
    if missing or other_units:
        raise MicrophoneFileError(
            f"{place}: columns {_shown(header)}; wanted name, x, y, z in metres: {_header_hint(header, other_units)}"
        )
    if len(set(known)) < len(known):
        raise MicrophoneFileError(f"{place}: columns {_shown(header)}; a column is there twice: remove one")


def _shown(header: list[str]) -> str:
    return reprlib.repr(", ".join(header[:LONGEST_LIST]))


def _header_hint(header: list[str], other_units: list[str]) -> str:
    if DEGREES.intersection(header):
        return "these are degrees: convert to metres first"
    if other_units:
        return f"convert {other_units[0]} to the unit wanted and call it {_wanted_name(other_units[0])}"
    return "is the line with the names missing, or one of them spelt otherwise?"


def _wanted_name(column: str) -> str:
    return next(known for known in COLUMNS if known.split("_")[0] == re.split("[ _([]", column)[0])


def _microphones(rows: list[TableRow]) -> Microphones:
    _check_names_differ(rows)
    return Microphones(
        positions=np.array([_position(row) for row in rows]),
        names=tuple(_name(row, r) for r, row in enumerate(rows)),
        files=_files(rows),
        channels=_channels(rows),
        **{column: np.array([_property(row, column) for row in rows]) for column in PROPERTIES},
    )


def _name(row: TableRow, r: int) -> str:
    return row.text("name") or f"mic{r + 1}"


def _check_names_differ(rows: list[TableRow]) -> None:
    seen: dict[str, TableRow] = {}
    for r, row in enumerate(rows):
        first = seen.setdefault(_name(row, r), row)
        if first is not row:
            raise MicrophoneFileError(
                f"{row.place}: the name {_name(row, r)!r} is taken ({first.place}): names must differ"
            )
        if not _name(row, r).isprintable():
            raise MicrophoneFileError(f"{row.place}: the name {_name(row, r)!r} holds control characters: wrong file?")


def _position(row: TableRow) -> tuple[float, float, float]:
    """NaN three times where blank, which is how Microphones wants an unknown position."""
    x, y, z = (_number(row, axis) for axis in AXES)
    if x is None and y is None and z is None:
        return np.nan, np.nan, np.nan
    if x is None or y is None or z is None:
        blank = ", ".join(axis for axis in AXES if _number(row, axis) is None)
        raise MicrophoneFileError(f"{row.place}: {blank} is blank: give all three, or none for an unknown position")
    return x, y, z


def _property(row: TableRow, column: str) -> float:
    value = _number(row, column) or 0.0
    if "sigma" in column and value < 0:
        raise MicrophoneFileError(f"{row.place}: {column} is {value:g}, wanted 0 or more: a standard error")
    return value


def _files(rows: list[TableRow]) -> tuple[str, ...] | None:
    files = tuple(row.text("file") for row in rows)
    if any(files) and not all(files):
        raise MicrophoneFileError(
            f"{rows[files.index('')].place}: file is blank, but other rows name theirs: give all or none"
        )
    return files if any(files) else None


def _channels(rows: list[TableRow]) -> tuple[int, ...] | None:
    """Counted from 1. A row that names its file but no channel means the first."""
    texts = [row.text("channel") or ("1" if row.text("file") else "") for row in rows]
    if not any(row.text("channel") for row in rows):
        return None
    for row, text in zip(rows, texts, strict=True):
        if not re.fullmatch(r"0*[1-9][0-9]{0,5}", text):
            raise MicrophoneFileError(f"{row.place}: channel is {text!r}, wanted 1, 2, ...: channels count from 1")
    return tuple(int(text) for text in texts)


def _number(row: TableRow, column: str) -> float | None:
    """None where blank. Stricter than float(): no nan, no inf, no 1_000."""
    text, place = row.text(column), f"{row.place}, column {column}"
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        comma = " Decimals take a point: 1.5, not 1,5." if "," in text else ""
        raise MicrophoneFileError(f"{place}: {reprlib.repr(text)} is not a number; blank means unknown.{comma}")
    if abs(float(text)) > LARGEST_NUMBER:
        raise MicrophoneFileError(f"{place}: {reprlib.repr(text)} is beyond {LARGEST_NUMBER:,.0f}: a unit or a typo?")
    return float(text)


def _blank_where_nan(values: np.ndarray) -> list[float | str]:
    return ["" if np.isnan(value) else value for value in values.tolist()]
