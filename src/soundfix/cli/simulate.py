"""`soundfix simulate`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundfix.cli.options import app, parse_room, refuse_idle
from soundfix.cli.terminal import progress
from soundfix.errors import SoundfixError

if TYPE_CHECKING:
    from soundfix.datasets.simulated import Simulated


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(help="Folder for the scenes.")],
    world: Annotated[
        str, typer.Option(help="clean-rooms, random-rooms (with all that goes wrong), luvira-twin or luvira-hard.")
    ] = "clean-rooms",
    room: Annotated[str | None, typer.Option(help="Your own room: x0,y0,z0,x1,y1,z1 (m); with --microphones.")] = None,
    microphones: Annotated[
        Path | None, typer.Option("--microphones", "-m", help="File with your microphones' positions in it.")
    ] = None,
    scenes: Annotated[int, typer.Option(min=1, help="How many; each in a folder of its own if more than 1.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same scenes.")] = 0,
    audio: Annotated[
        list[Path] | None, typer.Option(help="Folder of dry recordings, built-in sounds without it; may repeat.")
    ] = None,
    part: Annotated[str | None, typer.Option(help="Only the speakers of this part: train, valid or test.")] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of the world, such as rt60_s=[0.2,0.6]; may repeat.")
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help="KIND:MICROPHONE[:AMOUNT], such as dead:3 or late:2:0.005; may repeat.")
    ] = None,
    shards: Annotated[
        bool, typer.Option("--shards", help="Tar shards to train on; goes on where it was interrupted.")
    ] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that make shards; 1 without it.")] = None,
) -> None:
    """Make rooms with sounds, microphones and, if you like, faults; the truth is written beside them.

    A scene is a folder with scene.wav, microphones.csv and truth.json, or with --shards a part of a tar file.
    """
    from soundfix.datasets.simulated import Simulated
    from soundfix.datasets.writing import write_set
    from soundfix.files.microphones import read_microphones
    from soundfix.overrides import apply_overrides
    from soundfix.simulation.soundbank import open_sounds
    from soundfix.simulation.worlds import in_room, world_named

    refuse_idle(
        {"--fault": fault if shards else None}, "would break one scene, not a set: --set share_faulty=1 breaks them all"
    )
    refuse_idle({"--workers": None if shards else workers}, "belongs to --shards")
    refuse_idle({"--part": None if audio else part}, "is of no use: built-in sounds have no parts; give --audio too")
    chosen = apply_overrides(world_named(world), change or [])
    if box := parse_room(room):
        if microphones is None:
            raise SoundfixError("--room without --microphones: where do they stand in it?")
        chosen = in_room(chosen, box, read_microphones(microphones))
    else:
        refuse_idle({"--microphones": microphones}, "stand in a --room: give it too")
    simulated = Simulated(world=chosen, sounds=open_sounds(audio or [], part=part), seed=seed, count=scenes)
    with progress("simulating", scenes) as advance:
        if shards:
            write_set(out, simulated, workers=workers or 1, progress=advance)
        else:
            write_folders(out, simulated, fault or [], advance)
    typer.echo(f"{scenes} scene{'s' * (scenes > 1)} of {world} in {out}")


def write_folders(out: Path, simulated: "Simulated", faults: list[str], advance: Callable[[int], None]) -> None:
    """Scenes, broken alike, in folders of their own."""
    import numpy as np

    from soundfix.files.scenes import write_scene
    from soundfix.simulation.faults import break_scene, parse_fault

    parsed = [parse_fault(text) for text in faults]
    for number in range(len(simulated)):
        scene = break_scene(simulated[number], parsed, np.random.default_rng([simulated.seed, number, 1]))
        write_scene(out / f"{number:04d}" if len(simulated) > 1 else out, scene)
        advance(1)
