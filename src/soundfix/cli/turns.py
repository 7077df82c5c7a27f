"""`soundfix locate --turns`: who sounded when and where."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from soundfix.estimate import Estimate

TurnsFile = Annotated[
    Path | None,
    typer.Option("--turns", help="Follow who is who, and write who sounded when and where to this .csv or .rttm file."),
]


def check_turns(path: Path | None) -> None:
    """Whether the name tells the format is found out before the work."""
    if path:
        from soundfix.report.turns import check_turns_file

        check_turns_file(path)


class Turns:
    """The answers, until their turns are written."""

    def __init__(self, path: Path | None, recording: str) -> None:
        self._path, self._recording = path, recording
        self._kept: list[Estimate] = []

    def __call__(self, estimate: "Estimate") -> None:
        if self._path:
            self._kept.append(estimate)

    def write(self) -> None:
        """To the file, where one was asked for."""
        if self._path is None:
            return
        from soundfix.report.turns import write_turns
        from soundfix.tracking.turns import turns

        found = turns(self._kept)
        write_turns(self._path, found, self._recording)
        typer.echo(f"{len(found)} turns of {len({turn.track for turn in found})} tracks: {self._path}")
