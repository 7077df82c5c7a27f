"""`soundfix train` and `soundfix info`."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from soundfix.cli.options import app
from soundfix.cli.stopping import stoppable
from soundfix.errors import ConfigError

if TYPE_CHECKING:
    from soundfix.training.asked import TrainRequest


@app.command()
def train(
    recipe: Annotated[str | None, typer.Argument(help="paper, default, tiny, di-nn, gnn or wav2pos.")] = None,
    data: Annotated[
        list[str] | None, typer.Option(help="Folder of a data set, or a world simulated on the fly; may repeat.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run: states, numbers, curves.png, model.safetensors.")
    ] = None,
    valid: Annotated[list[str] | None, typer.Option(help="Data to validate on, as --data; may repeat.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of the recipe, such as localization.steps=5000; may repeat."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="The same seed gives the same weights, on one kind of machine.  [default: 0]"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out, or in this folder, as it was started.")
    ] = False,
    start: Annotated[
        Path | None, typer.Option("--from", help="A checkpoint to start from, instead of random weights.")
    ] = None,
    beats: Annotated[Path | None, typer.Option(help="File of BEATs base, for recipes that listen with it.")] = None,
    audio: Annotated[list[Path] | None, typer.Option(help="Folder of dry recordings for a world; may repeat.")] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps what frozen parts make of windows, four of each clip.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes that read data; 0: none beside this one.  [default: 1]")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, or auto: cuda where there is one.  [default: auto]")
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Stop after so long; --resume goes on.")] = None,
    track: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard events beside metrics.jsonl.")
    ] = False,
) -> None:
    """Train a network; interrupted at any moment, it goes on with --resume as if nothing had happened.

    Ctrl-C and SIGTERM save the state first. Several processes: torchrun --nproc-per-node 4 -m soundfix train ...
    """
    from soundfix.training.asked import TrainRequest

    folder = out or (Path() if resume else None)
    if folder is None:
        raise ConfigError("where to? Give --out FOLDER, or go on with the run in a folder: --out FOLDER --resume")
    options = {
        "data": data, "valid": valid, "start": start, "beats": beats, "audio": audio, "cache": cache, "workers": workers,
        "device": device, "tracks": track or None,
    }  # fmt: skip
    said = {name: value for name, value in options.items() if value is not None}
    _run(
        TrainRequest(
            recipe=recipe, out=folder, changes=change or [], seed=seed, resume=resume, minutes=minutes or float("inf"),
            said=said,
        )
    )  # fmt: skip


def _run(request: "TrainRequest") -> None:
    """Shows and draws it while it goes; ends with the status of the signal that stopped it."""
    from rich.console import Console

    from soundfix.report.learning import Curves
    from soundfix.training.request import run
    from soundfix.training.table import TrainingTable

    console = Console(quiet=not _is_first())
    curves = Curves(request.out, partial(console.print, soft_wrap=True, highlight=False, markup=False))
    with stoppable("step") as stop, TrainingTable(console) as show:

        def watch(numbers: dict[str, Any]) -> None:
            show(numbers)
            if "mae_m" in numbers:
                curves.draw()
            stop.has_begun &= "keeping" not in numbers  # which may take hours, and goes on where it was

        def asked() -> bool:
            stop.has_begun = True
            return stop()

        run(request, watch, stop=asked, saved=curves.draw)
    if _is_first():
        typer.echo(f"written: {request.out / 'model.safetensors'}")
    raise typer.Exit(stop.status)


def _is_first() -> bool:
    """Of the processes that torchrun started only the first says something."""
    return os.environ.get("RANK", "0") == "0"


@app.command()
def info(
    model: Annotated[str, typer.Argument(help="A recipe, as for `train`, a checkpoint, or a folder of shards.")],
) -> None:
    """What a network is made of: weights, part by part, and the time one window takes on this machine.

    Of a set of shards: how many scenes it holds, and whether every byte is as it was written.
    """
    from soundfix.datasets.shards import describe_set
    from soundfix.training.info import describe_network, named_network

    for line in describe_set(model) if Path(model).is_dir() else describe_network(named_network(model)):
        typer.echo(line)
