"""`soundfix locate --as`: answers in other programs' formats."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from soundfix.cli.options import refuse_idle
from soundfix.errors import SoundfixError

if TYPE_CHECKING:
    from soundfix.report.formats import Writer
    from soundfix.report.recorded import Listener, Recorded

AsFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--as",
        help="FORMAT:FILE, may repeat. Formats: audacity, birdnet, dcase, odas, opensoundscape, rerun, ros2 (a folder).",
    ),
]
ListenerText = Annotated[
    str | None,
    typer.Option(
        "--listener", help="For --as dcase: x,y,z of who listens (m), and a fourth number: degrees ahead of x."
    ),
]


class AsFile(NamedTuple):
    """A file, and its format by name."""

    name: str
    path: Path


def parse_as(texts: Sequence[str] | None, listener: str | None) -> tuple[tuple[AsFile, ...], "Listener | None"]:
    """FORMAT:FILE each, and the listener that some of them need; that one lacks something is found out before the work."""
    from soundfix.report.formats import format_of

    files = tuple(_parsed(text) for text in texts or ())
    wanting = [each.name for each in files if format_of(each.name).wants_listener]
    if not wanting:
        refuse_idle({"--listener": listener}, "does nothing without --as dcase:FILE")
    elif listener is None:
        raise SoundfixError(f"--as {wanting[0]} tells directions as somebody hears them: wanted --listener x,y,z")
    return files, None if listener is None else _listener(listener)


def has_tracks(files: Sequence[AsFile]) -> bool:
    """Whether one of them tells sources by their tracks."""
    if not files:
        return False
    from soundfix.report.formats import format_of

    return any(format_of(each.name).has_tracks for each in files)


def writers(files: Sequence[AsFile], recorded: "Recorded | None") -> "list[Writer]":
    """One of each; made before the work, so that a missing package is found out before it."""
    if not files or recorded is None:
        return []
    from soundfix.report.formats import open_format

    return [open_format(each.name, each.path, recorded) for each in files]


def _parsed(text: str) -> AsFile:
    name, separator, path = text.partition(":")
    if not separator or not path:
        raise SoundfixError(f"--as {text!r}: wanted FORMAT:FILE, such as audacity:labels.txt")
    return AsFile(name, Path(path))


def _listener(text: str) -> "Listener":
    import numpy as np

    from soundfix.report.recorded import Listener

    try:
        x, y, z, *heading = (float(number) for number in text.split(","))
        (heading_deg,) = heading or [0.0]
    except ValueError:
        x = y = z = heading_deg = np.nan
    if not np.isfinite([x, y, z, heading_deg]).all():
        raise SoundfixError(f"--listener {text!r}: wanted x,y,z in metres, and the way ahead in degrees if it is not x")
    return Listener(np.array([x, y, z]), heading_deg)
