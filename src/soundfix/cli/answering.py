"""What `soundfix locate` does once it knows what was asked for: answers on the terminal, in files, and drawn."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from soundfix.cli.events import Answers, say_heard
from soundfix.cli.stopping import Stop, stoppable
from soundfix.cli.targets import Files, Targets
from soundfix.cli.terminal import Compared, Shown, Thinned, progress, show_lines, show_summary
from soundfix.cli.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from soundfix.api.request import LocateRequest
    from soundfix.estimate import Estimate
    from soundfix.files.events.reading import EventTable
    from soundfix.session.summary import Summary

    Watch = Callable[[Estimate], None]

ESTIMATES_DRAWN = 2000


def answer(
    request: "LocateRequest",
    targets: Targets,
    table: "EventTable | None",
    before: Compared | None = None,
    jobs: int = 1,
) -> None:
    """Do what was asked for: print the answers, fill the files with them, compare them with those of before.

    Ends with the status of what stopped it.
    """
    from soundfix.api.formats import recorded
    from soundfix.api.provenance import request_dict

    told = request_dict(request, table) if targets.json else None
    to_map = targets.map_of(request.sound.microphones)
    setting = recorded(request, table, targets.listener) if targets.formats else None
    files = Files(targets, request.method_name, to_map=to_map, request=told, recorded=setting)
    drawn, kept = Thinned(request.count, ESTIMATES_DRAWN), Answers(table, targets.raven)
    turns = Turns(targets.turns, targets.turns.stem if targets.turns else "", targets.only)
    others: list[Watch] = [each for each in (kept, turns, drawn if targets.plot else None, before) if each]
    with stoppable() as stop, targets.lines():
        say_heard(request)
        stop.tell(show_promise, request)
        summary = located(request, files, stop, others, jobs)
        stop.tell(show_summary, summary, request.count, targets.complete)
        if before:
            stop.tell(typer.echo, before.sentence())
        kept.write()
        stop.tell(turns.write)
        if targets.plot:
            stop.tell(draw, drawn.kept, request, summary, targets.plot, told)
    if stop():
        raise typer.Exit(stop.status)


def located(request: "LocateRequest", files: Files, stop: Stop, others: "Sequence[Watch]", jobs: int = 1) -> "Summary":
    """Every estimate to the files, the terminal and these others, as it comes; jobs: processes."""
    from soundfix.api.locate import run

    show = Shown()
    with files, progress("locating", request.count) as advance:

        def watch(estimate: "Estimate") -> None:
            for tell in (*files.writes, show, *others):
                stop.tell(tell, estimate)
            passed()

        def passed() -> None:
            stop.has_begun = True
            advance()

        files.conclude(summary := run(request, watch, passed, stop, jobs))
    return summary


def show_promise(request: "LocateRequest") -> None:
    """What the array can keep of the contract, if there is one."""
    from soundfix.report.requirement import promise_lines

    if promise := request.promise():
        show_lines(promise_lines(promise))


def draw(
    estimates: "list[Estimate]", request: "LocateRequest", summary: "Summary", path: Path,
    told: "Mapping[str, Any] | None",
) -> None:  # fmt: skip
    """Draw these answers, and say so."""
    from soundfix.api.page import plot_recording

    plot_recording(estimates, request, summary, path, told)
    typer.echo(f"drawn: {path}")
