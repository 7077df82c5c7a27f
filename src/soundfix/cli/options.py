"""What the commands share: the app, their options, and what is made of the words."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundfix.cli.terminal import say
from soundfix.errors import SoundfixError

if TYPE_CHECKING:
    from soundfix.api.sound import Sound
    from soundfix.files.take import Take
    from soundfix.scene import Band, Room
    from soundfix.search_region import SearchRegion

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

RECORDING = "One multichannel file, a file or a folder for each microphone, or a folder of them."
Audio = Annotated[list[Path], typer.Argument(help=RECORDING)]
AudioOrNone = Annotated[list[Path] | None, typer.Argument(help=RECORDING)]
LIST = typer.Option("--microphones", "-m", help="CSV, YAML or JSON: name,x,y,z in metres, or latitude, longitude.")
MicrophoneFile = Annotated[Path, LIST]
MicrophoneFileOrNone = Annotated[Path | None, LIST]
RoomText = Annotated[
    str | None, typer.Option("--room", help="Where walls are: x0,y0,z0,x1,y1,z1 in metres; see --search.")
]
SearchText = Annotated[
    str | None,
    typer.Option(
        "--search", help="Where a source may be, walls or not: x0,y0,z0,x1,y1,z1, or a CSV of a polygon's x,y."
    ),
]
HeightText = Annotated[str | None, typer.Option("--height", help="Of the source, in metres; or LOWEST,HIGHEST.")]
BandText = Annotated[
    str | None,
    typer.Option(
        "--band", help="lo,hi in Hz: what is listened to. Without it up to 8 kHz, or a higher band that all share."
    ),
]
Temperature = Annotated[float | None, typer.Option(help="Of the air, in °C; 343.2 m/s (20 °C) without it.")]
Speed = Annotated[float | None, typer.Option(help="Speed of sound in m/s, instead of a temperature.")]
Wind = Annotated[float | None, typer.Option(help="Standard error of the wind in m/s along each axis; else still air.")]
PositionSigma = Annotated[
    float | None, typer.Option(help="Standard error of listed positions in metres, where the list says none.")
]
ClockSigma = Annotated[
    str | None, typer.Option(help="Of the recorders' clocks: 0.5ms, 200us or 0.001s, where the list says none.")
]
DEFAULT = "three-stream"
Method = Annotated[str, typer.Option(help="See `soundfix methods`; or MODULE:FACTORY, of your own.")]
Require = Annotated[
    str | None,
    typer.Option(help='What losses must not harm: "20cm 95% minus 2" (radius, share of places, microphones).'),
]
Checkpoint = Annotated[Path | None, typer.Option(help="Trained weights (.safetensors) for a method that needs them.")]
BeatsFile = Annotated[
    Path | None, typer.Option("--beats", help="Published BEATs file, for a network that listens with it.")
]

Minutes = Annotated[float, typer.Option(min=0.01, help="Of training, for every method that learns.")]
LuviraFolder = Annotated[Path | None, typer.Option("--root", help="LuViRA on disk; its simulated twin without it.")]
DrySounds = Annotated[list[Path] | None, typer.Option("--audio", help="Folder of dry recordings; may repeat.")]
Scenes = Annotated[int, typer.Option(min=1, help="Simulated to train on.")]
Clips = Annotated[int, typer.Option(min=1, help="Tested; a window of each under every condition.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, or auto: cuda where there is one.")]


def opened(audio: list[Path], microphones: Path) -> "Take":
    """The take; what was assumed on the way to stderr."""
    from soundfix.files.take import read

    take = read(audio, microphones)
    for note in take.notes:
        say(note)
    return take


def tuned(take: "Take", band: str | None) -> "tuple[Sound, Band | None]":
    """The take at the rate at which it is listened to, and its band (Hz) where that is not the usual one."""
    from soundfix.api.listening import listened

    return listened(take, parse_band(band))


def parse_band(text: str | None) -> "Band | None":
    """lo,hi in Hz."""
    if text is None:
        return None
    try:
        lowest, highest = (float(number) for number in text.split(","))
    except ValueError:
        raise SoundfixError(f"--band {text!r}: wanted two numbers lo,hi in Hz, such as 35000,90000") from None
    return lowest, highest


def parse_clock(text: str | None) -> float | None:
    """0.5ms, 200us, 0.001s or 0.001 as seconds."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9.]+(?:e-?\d+)?)\s*(us|ms|s|)", text)
    try:
        return float(found[1]) * {"us": 1e-6, "ms": 1e-3}.get(found[2], 1.0) if found else float("")
    except ValueError:
        raise SoundfixError(f"--clock-sigma {text!r}: wanted a time such as 0.5ms, 200us or 0.001s") from None


def parse_room(text: str | None) -> "Room | None":
    """x0,y0,z0,x1,y1,z1 as two corners."""
    if text is None:
        return None
    try:
        x0, y0, z0, x1, y1, z1 = (float(number) for number in text.split(","))
    except ValueError:
        raise SoundfixError(
            f"--room {text!r}: wanted six numbers x0,y0,z0,x1,y1,z1 in metres, lowest corner first"
        ) from None
    return (x0, y0, z0), (x1, y1, z1)


def parse_search(search: str | None, height: str | None) -> "SearchRegion | None":
    """A box as for --room, or the path of a polygon; a height, or two."""
    from soundfix.files.polygons import told_region

    box = None if search is None else _numbers(search)
    if box is not None and len(box) != 6:
        raise SoundfixError(
            f"--search {search!r}: wanted six numbers x0,y0,z0,x1,y1,z1 in metres, or the path of a polygon"
        )
    heights = None if height is None else _numbers(height)
    if height is not None and heights is None:
        raise SoundfixError(f"--height {height!r}: wanted a number in metres, or LOWEST,HIGHEST")
    return told_region(search if box is None else (box[:3], box[3:]), heights)


def _numbers(text: str) -> tuple[float, ...] | None:
    """Those between commas, where there is nothing else."""
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        return None


def refuse_idle(options: Mapping[str, object], why: str) -> None:
    """Options that were given and would do nothing are refused, not ignored."""
    for name, value in options.items():
        if value is not None:
            raise SoundfixError(f"{name} {why}")
