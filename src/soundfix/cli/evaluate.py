"""`soundfix evaluate`, `reproduce` and `ablate`: methods against each other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundfix.cli.engines import Address, EngineName, Workers
from soundfix.cli.options import (
    BeatsFile,
    Clips,
    Device,
    DrySounds,
    LuviraFolder,
    Minutes,
    Scenes,
    app,
    refuse_idle,
)
from soundfix.cli.own_methods import warn_of
from soundfix.cli.terminal import progress, say

if TYPE_CHECKING:
    from soundfix.studies.setting import Setting
Small = Annotated[bool, typer.Option("--small", help="A small NGCC-PHAT: the published one needs a GPU.")]
Twin = Annotated[str, typer.Option(help="Without LuViRA: luvira-like, luvira-twin or luvira-hard.")]


@app.command()
def evaluate(
    dataset: Annotated[
        str,
        typer.Argument(
            help="luvira-twin, -hard, random-rooms, rough-rooms, measured, luvira, or a folder of scenes or of LOCATA."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for tables, pictures and every window's answer.")],
    methods: Annotated[
        str,
        typer.Option(help="Names of `soundfix methods`, [LABEL:]NAME=CHECKPOINT, or MODULE:FACTORY, of your own."),
    ] = "srp-phat,multilateration,multilat",
    microphones: Annotated[str, typer.Option(help="How many are heard.")] = "11",
    subsets: Annotated[str, typer.Option(help="Which: first, spread (far apart) or random.")] = "spread",
    windows: Annotated[str, typer.Option(help="Seconds.")] = "0.5",
    unknown: Annotated[str, typer.Option(help="How many of them have no position.")] = "0",
    sources: Annotated[str, typer.Option(help="How many sound at once.")] = "1",
    faults: Annotated[str, typer.Option(help="none, or KIND[:COUNT] such as late:2.")] = "none",
    clips: Annotated[int, typer.Option(min=1, help="One window of each, under every condition.")] = 300,
    root: Annotated[Path | None, typer.Option(help="Folder of luvira or of measured rooms.")] = None,
    audio: Annotated[
        list[Path] | None, typer.Option(help="Folder of dry recordings, built-in sounds without it; may repeat.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same windows.")] = 0,
    workers: Workers = 1,
    engine: EngineName = "local",
    address: Address = None,
) -> None:
    """Methods against each other on the same windows: tables and pictures. An interrupted run goes on where it was.

    Several values are separated by commas; all combinations are evaluated.
    """
    from soundfix.evaluation.request import EvaluateRequest, run

    request = EvaluateRequest(
        dataset=dataset, methods=methods, microphones=microphones, subsets=subsets, windows=windows, unknown=unknown,
        sources=sources, faults=faults, clips=clips, root=root, audio=audio or [], seed=seed, workers=workers,
        engine=engine, address=address,
    )  # fmt: skip
    for method in request.plan().methods:
        warn_of(method.name)
    with progress("evaluating", request.total) as advance:
        report = run(request, out, advance)
    typer.echo(report)


@app.command()
def reproduce(
    out: Annotated[Path, typer.Option(help="Folder for data, runs and tables; an interrupted run goes on.")],
    minutes: Minutes = 10.0,
    root: LuviraFolder = None,
    audio: DrySounds = None,
    scenes: Scenes = 3000,
    clips: Clips = 300,
    small: Small = False,
    world: Twin = "luvira-like",
    method: Annotated[list[str] | None, typer.Option(help="Only this row of the tables; may repeat.")] = None,
    table: Annotated[list[str] | None, typer.Option(help="Only this table, 1, 2, 3 or sources; may repeat.")] = None,
    beats: BeatsFile = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes.")] = 1,
    device: Device = "auto",
) -> None:
    """The tables of arXiv 2505.20961: every method trained alike and scored on the same windows, beside the published."""
    from soundfix.studies.reproduce import TABLES
    from soundfix.studies.reproduce import reproduce as run

    setting = study_setting(minutes, root, audio, scenes, clips, small, beats, seed, workers, device, world)
    with progress("evaluating", clips) as advance:
        typer.echo(run(setting, out, say=say, progress=advance, only=method or (), wanted=table or TABLES))


@app.command()
def ablate(
    name: Annotated[str, typer.Argument(help="What is changed: see docs/evaluation.md for the names.")],
    out: Annotated[Path, typer.Option(help="Folder for data, runs and tables; an interrupted run goes on.")],
    minutes: Minutes = 10.0,
    root: LuviraFolder = None,
    audio: DrySounds = None,
    scenes: Scenes = 3000,
    clips: Clips = 300,
    small: Small = False,
    world: Twin = "luvira-like",
    beats: BeatsFile = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes.")] = 1,
    device: Device = "auto",
) -> None:
    """One part of the network changed or left out, trained anew, and compared."""
    from soundfix.studies.ablations import ablate as run

    if name != "acoustic":
        refuse_idle({"--beats": beats}, f"does nothing in the ablation {name}")
    setting = study_setting(minutes, root, audio, scenes, clips, small, beats, seed, workers, device, world)
    with progress("evaluating", clips) as advance:
        typer.echo(run(name, setting, out, say=say, progress=advance))


def study_setting(
    minutes: float, root: Path | None, audio: list[Path] | None, scenes: int, clips: int, small: bool,
    beats: Path | None, seed: int, workers: int, device: str, world: str,
) -> "Setting":  # fmt: skip
    """Where `reproduce` and `ablate` take place."""
    from soundfix.studies.setting import Setting
    from soundfix.studies.study import Budget
    from soundfix.training.request import chosen_device

    if root:
        refuse_idle({"--audio": audio}, "is for the simulated twin, and --root is LuViRA itself")
    budget = Budget(minutes=minutes, seed=seed, workers=workers, device=chosen_device(device), beats=beats)
    return Setting(budget=budget, root=root, audio=audio or [], scenes=scenes, clips=clips, small=small, world=world)
