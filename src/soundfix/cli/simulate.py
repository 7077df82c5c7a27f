"""`soundfix simulate`."""

from pathlib import Path
from typing import Annotated

import typer

from soundfix.cli.engines import Address, EngineName
from soundfix.cli.options import app, parse_room
from soundfix.cli.terminal import progress


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(help="Folder for the scenes.")],
    world: Annotated[
        str,
        typer.Option(help="clean-rooms, random-rooms (with all that goes wrong), rough-rooms, luvira-twin, -hard."),
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
    engine: EngineName = "local",
    address: Address = None,
) -> None:
    """Make rooms with sounds, microphones and, if you like, faults; the truth is written beside them.

    A scene is a folder with scene.wav, microphones.csv and truth.json, or with --shards a part of a tar file.
    """
    from soundfix.api.simulate import SimulateRequest, run

    request = SimulateRequest(
        world=world, scenes=scenes, seed=seed, room=parse_room(room), microphones=microphones, audio=audio or (),
        part=part, changes=change or (), faults=fault or (),
    )  # fmt: skip
    with progress("simulating", scenes) as advance:
        run(request).write(out, shards=shards, workers=workers, engine=engine, address=address, progress=advance)
    typer.echo(f"{scenes} scene{'s' * (scenes > 1)} of {world} in {out}")
