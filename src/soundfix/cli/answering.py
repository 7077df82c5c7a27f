"""What `soundfix locate` does once it knows what was asked for: answers on the terminal, in files, and drawn."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from soundfix.cli.events import Answers, say_heard
from soundfix.cli.options import refuse_idle
from soundfix.cli.terminal import Shown, Thinned, progress, say_rest, show_lines, writers
from soundfix.cli.turns import Turns, check_turns

if TYPE_CHECKING:
    from soundfix.api.locate import LocateRequest
    from soundfix.estimate import Estimate
    from soundfix.files.events.reading import EventTable
    from soundfix.report.geojson import GeoJsonWriter

ESTIMATES_DRAWN = 2000


class Targets(NamedTuple):
    """The files that are asked for, and in which system of coordinates the list is, for those that need it."""

    json: Path | None
    csv: Path | None
    plot: Path | None
    raven: Path | None
    geojson: Path | None
    turns: Path | None
    crs: str | None

    def check(self, inputs: list[Path]) -> None:
        """Whether they can be written, and whether there is such a kind of picture, is found out before the work."""
        from soundfix.report.canvas import checked_suffix
        from soundfix.report.exports import check_targets
        from soundfix.report.plots import WRITERS

        check_targets([path for path in self[:-1] if isinstance(path, Path)], inputs)
        if self.plot:
            checked_suffix(self.plot, WRITERS)
        check_turns(self.turns)
        if self.geojson is None:
            refuse_idle({"--crs": self.crs}, "does nothing without --geojson")


def answer(request: "LocateRequest", targets: Targets, table: "EventTable | None") -> None:
    """Do what was asked for: print the answers, and fill the files with them."""
    from soundfix.api.locate import run
    from soundfix.report.summary import summary_lines

    to_map = writer_of_map(request, targets)
    say_heard(request)
    show_promise(request)
    drawn, show, kept = Thinned(request.count, ESTIMATES_DRAWN), Shown(), Answers(table, targets.raven)
    turns = Turns(targets.turns, targets.turns.stem if targets.turns else "")
    method = request.method if isinstance(request.method, str) else request.method.name
    files = writers(targets.json, targets.csv, method, to_map)
    with files as (write, conclude), progress("locating", request.count) as advance:

        def watch(estimate: "Estimate") -> None:
            for tell in (write, show, kept, turns, drawn) if targets.plot else (write, show, kept, turns):
                tell(estimate)
            advance()

        conclude(summary := run(request, watch, passed=advance))
    say_rest(request.count - summary.passed_over, targets.json, targets.csv)
    show_lines(summary_lines(summary))
    kept.write()
    turns.write()
    if targets.plot:
        draw(drawn.kept, request, targets.plot)


def show_promise(request: "LocateRequest") -> None:
    """What the array can keep of the contract, if there is one."""
    from soundfix.report.requirement import promise_lines

    if promise := request.promise():
        show_lines(promise_lines(promise))


def writer_of_map(request: "LocateRequest", targets: Targets) -> "GeoJsonWriter | None":
    """That nothing says the system of coordinates is found out before the work, too."""
    if targets.geojson is None:
        return None
    from soundfix.report.geojson import GeoJsonWriter, crs_of

    return GeoJsonWriter(targets.geojson, crs_of(request.sound.microphones, targets.crs))


def draw(estimates: "list[Estimate]", request: "LocateRequest", path: Path) -> None:
    """Draw these answers, and say so."""
    from soundfix.report.plots import plot_estimates

    plot_estimates(estimates, request.sound.microphones, request.room, path)
    typer.echo(f"drawn: {path}")
