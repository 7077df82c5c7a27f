"""`soundfix locate --events`: a table of events goes in, and comes out with its answers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundfix.cli.options import refuse_idle
from soundfix.cli.terminal import say

if TYPE_CHECKING:
    from soundfix.api.request import LocateRequest
    from soundfix.estimate import Estimate
    from soundfix.files.events.reading import EventTable

EventsFile = Annotated[
    Path | None,
    typer.Option(
        "--events",
        help="Locate these: a table of Raven, Audacity, locaR, BirdNET, OpenSoundscape, RTTM or DCASE.",
    ),
]
RavenFile = Annotated[
    Path | None, typer.Option("--raven", help="Write the table of --events with its answers to this selection table.")
]


def read_table(events: Path | None, raven: Path | None) -> "EventTable | None":
    """The table, if there is one."""
    from soundfix.files.events.reading import read_events

    if events is None:
        refuse_idle({"--raven": raven}, "writes the table of --events FILE, and there is none")
        return None
    return read_events(events)


def say_heard(request: "LocateRequest") -> None:
    """How many events there are, and what the files do not have of them; or that a window is longer than usual."""
    from soundfix.files.take import WINDOW_S

    if request.events is not None:
        say(f"{len(request.events)} events, each in its own time and band")
        for note in request.sound.notes:
            if "events are not in" in note:
                say(note)
    elif request.window_s is None and request.span_s[0] > WINDOW_S:
        say(f"windows of {request.span_s[0]:g} s: sound takes half of that to cross the array")


class Answers:
    """The answers to the events of a table, until they are written for Raven."""

    def __init__(self, table: "EventTable | None", path: Path | None) -> None:
        self._table, self._path = table, path
        self._kept: list[Estimate] = []

    def __call__(self, estimate: "Estimate") -> None:
        if self._path:
            self._kept.append(estimate)

    def write(self) -> None:
        """To the file, where one was asked for."""
        from soundfix.report.raven import write_raven

        if self._path and self._table:
            write_raven(self._path, self._table, self._kept)
