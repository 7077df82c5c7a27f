"""`soundfix study`: what the paper leaves open, asked of finished methods."""

from pathlib import Path
from typing import Annotated

import typer

from soundfix.cli.options import DrySounds, app
from soundfix.cli.terminal import progress


@app.command()
def study(
    name: Annotated[str, typer.Argument(help="dropped, unknown, sources, rooms, lists or reverberation.")],
    out: Annotated[Path, typer.Option(help="Folder for the page, its picture and every window's answer.")],
    methods: Annotated[
        str, typer.Option(help="Names of `soundfix methods`; NAME=CHECKPOINT or LABEL:NAME=CHECKPOINT for networks.")
    ] = "three-stream,srp-phat",
    clips: Annotated[int, typer.Option(min=2, help="Of every condition, a window each.")] = 100,
    audio: DrySounds = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same windows.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """One thing varied, finished methods evaluated: a page with its answer in a sentence. An interrupted run goes on."""
    from soundfix.evaluation.request import words
    from soundfix.evaluation.run import Method
    from soundfix.studies.asking import Asked, ask, question_named, total

    parsed = tuple(Method.parsed(text) for text in words(methods))
    asked = Asked(methods=parsed, clips=clips, audio=audio or [], seed=seed, workers=workers)
    with progress("evaluating", total(question_named(name), asked)) as advance:
        typer.echo(ask(name, asked, out, advance))
