"""Answers as other programs take them: every format by its name, with who writes it and what it needs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from soundfix.errors import ConfigError, OutputError
from soundfix.estimate import Estimate
from soundfix.report.audacity import label_lines
from soundfix.report.birdnet import detection_lines, header
from soundfix.report.dcase import seld_lines
from soundfix.report.odas import tracked_line
from soundfix.report.opensoundscape import json_line, position_dicts
from soundfix.report.outputs import is_standard, rows, whole
from soundfix.report.recorded import Recorded
from soundfix.report.rerun import RerunWriter
from soundfix.report.ros2 import BagWriter


@runtime_checkable
class Writer(Protocol):
    """A file that is filled inside a `with`, answer after answer."""

    def __enter__(self) -> Any: ...

    def write(self, estimate: Estimate) -> None: ...

    def __exit__(self, kind: object, *_: object) -> None: ...


class Format(NamedTuple):
    """what: in words. open: a writer for this path. has_tracks: sources are told by their tracks. wants_listener: places are
    told from somebody's place. wants_windows: answers follow each other at a hop. is_binary: nothing to print."""

    what: str
    open: Callable[[Path, Recorded], Writer]
    has_tracks: bool = False
    wants_listener: bool = False
    wants_windows: bool = False
    is_binary: bool = False


def open_format(name: str, path: str | Path, recorded: Recorded) -> Writer:
    """A writer of this format. Raises ConfigError where it lacks what it needs, OutputError, MissingPackageError."""
    asked = format_of(name)
    if asked.wants_listener and recorded.listener is None:
        raise ConfigError(
            f"{name} tells directions from a listener's place, and none was given: wanted --listener x,y,z"
        )
    if asked.wants_windows and recorded.hop_s is None:
        raise ConfigError(f"{name} numbers windows that follow each other, and events do not: leave one of them out")
    if asked.is_binary and is_standard(path):
        raise OutputError(f"{name}:- : its files are no text, wanted the name of a file")
    return asked.open(Path(path), recorded)


def format_of(name: str) -> Format:
    """By its name. Raises ConfigError where there is none."""
    if name not in FORMATS:
        raise ConfigError(f"{name!r} is no format, wanted one of {', '.join(FORMATS)}: is it spelt otherwise?")
    return FORMATS[name]


class _Lines:
    """Rows that can be read while others are still to come."""

    def __init__(
        self, path: Path, recorded: Recorded, told: Callable[[Estimate, Recorded], str], head: str = ""
    ) -> None:
        self._file, self._recorded, self._told = rows(path, head), recorded, told

    def __enter__(self) -> "_Lines":
        self._file.open()
        return self

    def write(self, estimate: Estimate) -> None:
        if text := self._told(estimate, self._recorded):
            self._file.write(text)

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.finish(is_good=kind is None)


class _Tracks:
    """ODAS' tracked sources, numbered by the hop, those counted in which nothing was located."""

    def __init__(self, path: Path, recorded: Recorded) -> None:
        assert recorded.hop_s is not None, "open_format has asked for it"
        self._file, self._recorded, self._hop_s = rows(path), recorded, recorded.hop_s

    def __enter__(self) -> "_Tracks":
        self._file.open()
        return self

    def write(self, estimate: Estimate) -> None:
        number = 1 + round(estimate.start_s / self._hop_s)
        self._file.write(tracked_line(estimate, self._recorded.microphones, number) + "\n")

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.finish(is_good=kind is None)


class _Positions:
    """A JSON list, whole at the end."""

    def __init__(self, path: Path, recorded: Recorded) -> None:
        self._file, self._recorded, self._separator = whole(path), recorded, "\n"

    def __enter__(self) -> "_Positions":
        self._file.open()
        self._file.write("[")
        return self

    def write(self, estimate: Estimate) -> None:
        for position in position_dicts(estimate, self._recorded):
            self._file.write(self._separator + json_line(position))
            self._separator = ",\n"

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.finish(is_good=kind is None, ending="\n]\n")


FORMATS = {
    "audacity": Format("Audacity's labels", lambda path, recorded: _Lines(path, recorded, label_lines)),
    "birdnet": Format("BirdNET's CSV", lambda path, recorded: _Lines(path, recorded, detection_lines, header())),
    "dcase": Format(
        "DCASE's CSV of sound event localization and detection",
        lambda path, recorded: _Lines(path, recorded, seld_lines),
        has_tracks=True,
        wants_listener=True,
    ),
    "odas": Format("ODAS' tracked sources, a line of JSON a window", _Tracks, has_tracks=True, wants_windows=True),
    "opensoundscape": Format("OpenSoundscape's PositionEstimates, in JSON", _Positions),
    "rerun": Format("a recording for Rerun's viewer (.rrd)", RerunWriter, is_binary=True),
    "ros2": Format("a ROS 2 bag of PoseWithCovarianceStamped", BagWriter, is_binary=True),
}
