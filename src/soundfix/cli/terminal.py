"""What a command shows while it runs, on a terminal."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from soundfix.estimate import Estimate
    from soundfix.session.summary import Summary

LINES_SHOWN = 20  # of a long recording; files keep all


def say(sentence: str) -> None:
    """What is going on, to stderr."""
    typer.secho(sentence, fg="bright_black", err=True)


def show_lines(lines: Iterable[str]) -> None:
    """Results, to stdout."""
    for line in lines:
        typer.echo(line)


class Shown:
    """Prints the first answers of a recording, and what has become of its contract whenever that changes."""

    def __init__(self) -> None:
        self._count = 0
        self._warning: str | None = None

    def __call__(self, estimate: "Estimate") -> None:
        from soundfix.report.text import describe
        from soundfix.survey.requirement import requirement_note

        if self._count < LINES_SHOWN:
            typer.echo(describe(estimate))
        warning = requirement_note(estimate)
        if warning not in (None, self._warning):
            typer.echo(f"{estimate.start_s:8.2f} s  {warning}")
        self._count, self._warning = self._count + 1, warning


class Thinned:
    """Of so many answers, those that a picture has room for."""

    def __init__(self, count: int, most: int) -> None:
        self._every, self._seen = count // most + 1, 0
        self.kept: list[Estimate] = []

    def __call__(self, estimate: "Estimate") -> None:
        if self._seen % self._every == 0:
            self.kept.append(estimate)
        self._seen += 1


class Compared:
    """Estimates as they come beside those of the file."""

    def __init__(self, path: Path, before: list[dict[str, Any]]) -> None:
        self._path, self._before = path, before
        self._count = 0
        self._others: list[float] = []

    def __call__(self, estimate: "Estimate") -> None:
        if self._count < len(self._before):
            said = json.loads(json.dumps(estimate.to_dict()))
            self._others += [estimate.start_s] if said != self._before[self._count] else []
        self._count += 1

    def sentence(self) -> str:
        """How many of those that are in both are the same."""
        both = min(self._count, len(self._before))
        if not self._others:
            return f"{both} answers are the same as in {self._path}"
        return (
            f"{len(self._others)} of {both} answers are not those in {self._path}, the first at {self._others[0]:g} s"
        )


def show_summary(summary: "Summary", count: int, files: Sequence[Path]) -> None:
    """What all windows together say, and where those are, of so many, that were not printed."""
    from soundfix.report.summary import summary_lines

    done = summary.interrupted.done if summary.interrupted else count
    _say_rest(done - summary.passed_over, files)
    show_lines(summary_lines(summary))


def _say_rest(count: int, files: Sequence[Path]) -> None:
    if count > LINES_SHOWN:
        where = f"all are in {' and '.join(map(str, files))}" if files else "--json FILE keeps them all"
        typer.echo(f"... and {count - LINES_SHOWN} more windows; {where}")


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[..., None]]:
    """A bar with rate and time left on a terminal, nothing elsewhere; yields a function that moves it, by one or more."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    started = monotonic()
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(label, total=total)

        def advance(count: int = 1) -> None:
            done = bar.tasks[task].completed + count
            bar.update(task, advance=count, description=f"{label} {done / (monotonic() - started + 1e-9):.1f}/s")

        yield advance


@contextmanager
def steps(label: str) -> Iterator[Callable[[str], None]]:
    """What is done now, on a terminal, nothing elsewhere; yields a function that is told it."""
    from rich.console import Console

    with Console(stderr=True).status(label) as status:
        yield lambda step: status.update(f"{label}: {step}")


def watched(items: Iterator[Any], advance: Callable[[], None]) -> Iterator[Any]:
    """The items, moving a progress bar with each."""
    for item in items:
        yield item
        advance()
