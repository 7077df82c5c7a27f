"""`soundfix locate --turns`: who sounded when and where."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundfix.cli.options import refuse_idle

if TYPE_CHECKING:
    from soundfix.estimate import Estimate

TurnsFile = Annotated[
    Path | None,
    typer.Option("--turns", help="Follow who is who, and write who sounded when and where to this .csv or .rttm file."),
]
OnlyKinds = Annotated[
    list[str] | None,
    typer.Option("--only", help="Turns of this kind alone: speech, music, other or none (noise); may repeat."),
]


def check_turns(path: Path | None, only: Sequence[str]) -> None:
    """Whether the name tells the format, and whether there are such kinds, is found out before the work."""
    if path is None:
        refuse_idle({"--only": only or None}, "does nothing without --turns FILE: it chooses among turns")
        return
    from soundfix.report.turns import check_turns_file
    from soundfix.tracking.turns import checked_kinds

    check_turns_file(path)
    checked_kinds(only)


class Turns:
    """The answers, until their turns are written."""

    def __init__(self, path: Path | None, recording: str, only: Sequence[str]) -> None:
        self._path, self._recording, self._only = path, recording, only
        self._kept: list[Estimate] = []

    def __call__(self, estimate: "Estimate") -> None:
        if self._path:
            self._kept.append(estimate)

    def write(self) -> None:
        """To the file, where one was asked for."""
        if self._path is None:
            return
        from soundfix.report.turns import write_turns
        from soundfix.tracking.turns import of_kinds, turns

        every = turns(self._kept)
        found = of_kinds(every, self._only)
        write_turns(self._path, found, self._recording)
        rest = f" ({len(every) - len(found)} others left out)" if self._only else ""
        typer.echo(f"{len(found)} turns of {len({turn.track for turn in found})} tracks{rest}: {self._path}")
