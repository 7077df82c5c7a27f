"""`soundfix train` and `soundfix info`."""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from soundfix.cli.options import app
from soundfix.cli.stopping import Stop, stoppable
from soundfix.errors import ConfigError


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="paper, default, tiny, di-nn, gnn or wav2pos.")],
    data: Annotated[list[str], typer.Option(help="Folder of a data set, or a world simulated on the fly; may repeat.")],
    out: Annotated[Path, typer.Option(help="Folder of the run: states, numbers, model.safetensors.")],
    valid: Annotated[list[str] | None, typer.Option(help="Data to validate on, as --data; may repeat.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of the recipe, such as localization.steps=5000; may repeat."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same weights, on one kind of machine.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    start: Annotated[
        Path | None, typer.Option("--from", help="A checkpoint to start from, instead of random weights.")
    ] = None,
    beats: Annotated[Path | None, typer.Option(help="File of BEATs base, for recipes that listen with it.")] = None,
    audio: Annotated[list[Path] | None, typer.Option(help="Folder of dry recordings for a world; may repeat.")] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps what frozen parts make of windows, four of each clip.")
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes that read data; 0: none beside this one.")] = 1,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: cuda where there is one.")] = "auto",
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Stop after so long; --resume goes on.")] = None,
    track: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard events beside metrics.jsonl.")
    ] = False,
) -> None:
    """Train a network; interrupted at any moment, it goes on with --resume as if nothing had happened.

    Ctrl-C and SIGTERM save the state first. For several GPUs: torchrun --nproc-per-node 4 -m soundfix train ...
    """
    from rich.console import Console

    from soundfix.training.request import TrainRequest, run
    from soundfix.training.table import TrainingTable

    is_alone = "RANK" not in os.environ  # several processes (torchrun) must end at one step: they are ended together
    if minutes is not None and not is_alone:
        raise ConfigError("--minutes is for one process: torchrun's would end at different steps")
    request = TrainRequest(
        recipe=recipe, data=data, valid=valid or [], out=out, changes=change or [], seed=seed, resume=resume,
        start=start, beats=beats, audio=audio or [], workers=workers, device=device, tracks=track, cache=cache,
        minutes=minutes or float("inf"),
    )  # fmt: skip
    with stoppable("step") if is_alone else nullcontext(Stop()) as stop, TrainingTable(Console()) as show:

        def watch(numbers: dict[str, Any]) -> None:
            stop.has_begun = True
            show(numbers)

        run(request, watch, stop)
    if stop():
        typer.echo(f"stopped: {out} holds the state, --resume goes on with it")
        raise typer.Exit(stop.status)
    typer.echo(f"done: {out / 'model.safetensors'}")


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
