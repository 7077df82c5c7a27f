"""`soundfix locate --again`: an answer made again, and compared with what it was."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from soundfix.cli.answering import answer
from soundfix.cli.delays import IDLE
from soundfix.cli.options import refuse_idle
from soundfix.cli.targets import Targets
from soundfix.cli.terminal import Compared, say

AgainFile = Annotated[
    Path | None,
    typer.Option("--again", help="Locate what this --json FILE was made from again; needs no other option."),
]


IN_THE_FILE = (
    "--microphones", "--delays", "--search", "--height", "--temperature", "--speed-of-sound", "--wind", "--position-sigma",
    "--method",
    *IDLE[:-1],
)  # fmt: skip


def locate_again(path: Path, audio: list[Path] | None, targets: Targets, idle: Sequence[object]) -> None:
    """Answers as `soundfix locate` prints, writes and draws them, and whether they are the same.

    What is not as it was to stderr; options that are in the file (the values of IN_THE_FILE) are refused.
    """
    from soundfix.api.again import read_answer

    given = {name: value or None for name, value in zip(IN_THE_FILE, idle, strict=True)}
    refuse_idle(given, "is in the file of --again: leave it out")
    before = read_answer(path, [str(each) for each in audio] if audio else None)
    targets.check([path, *before.inputs])
    for change in before.changes:
        say(change)
    answer(before.request, targets, before.table, Compared(path, before.estimates))
