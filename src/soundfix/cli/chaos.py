"""`soundfix chaos`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundfix import __version__
from soundfix.cli.options import (
    Audio,
    Checkpoint,
    MicrophoneFile,
    RoomText,
    Speed,
    Temperature,
    app,
    opened,
    parse_room,
    refuse_idle,
)
from soundfix.cli.terminal import progress, show_lines, watched

if TYPE_CHECKING:
    from soundfix.estimate import Localizer
    from soundfix.scene import Scene


@app.command()
def chaos(
    audio: Audio,
    microphones: MicrophoneFile,
    room: RoomText = None,
    temperature: Temperature = None,
    speed_of_sound: Speed = None,
    method: Annotated[str | None, typer.Option(help="See `soundfix methods`; three-stream without it.")] = None,
    checkpoint: Checkpoint = None,
    localizer: Annotated[
        str | None, typer.Option(help="MODULE:FACTORY of a method of your own; its contract is checked first.")
    ] = None,
    fault: Annotated[list[str] | None, typer.Option(help="A kind of fault, all without it; may repeat.")] = None,
    broken: Annotated[int, typer.Option(min=1, help="Microphones that break at once.")] = 1,
    tries: Annotated[int, typer.Option(min=1, help="Of every kind.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed breaks the same.")] = 0,
    seconds: Annotated[float, typer.Option(min=0.5, help="Of the recording, from its start.")] = 20.0,
    out: Annotated[Path | None, typer.Option(help="Folder for chaos.md, chaos.json (every try) and chaos.png.")] = None,
) -> None:
    """Break a clean recording in every way there is: does a method notice, name the broken and still locate?

    Errors are measured from the truth.json beside the recording, or without one from the method's own clean answers.
    """
    from soundfix.atomic import make_folder
    from soundfix.evaluation.chaos import ChaosRequest, attempts, hear_clean
    from soundfix.evaluation.chaos_report import FILES, describe_clean, lines_of, plain, write_report
    from soundfix.report.canvas import library
    from soundfix.report.outputs import check_targets
    from soundfix.simulation.faults import KINDS

    request = ChaosRequest(kinds=tuple(fault or KINDS), broken=broken, tries=tries, seed=seed)
    if localizer:
        refuse_idle({"--method": method, "--checkpoint": checkpoint}, "and --localizer exclude each other")
    scene = whole_scene(audio, microphones, room, seconds, temperature, speed_of_sound)
    chosen = chosen_method(localizer, method, checkpoint)
    if out:
        library("matplotlib.figure")  # that there is one is found out now, not after the tries
        make_folder(out)
        check_targets([out / name for name in FILES], [microphones, *audio])
    clean = hear_clean(scene, chosen)
    show_lines(describe_clean(clean))
    with progress("breaking", request.count) as advance:
        done = list(watched(attempts(clean, request), advance))
    show_lines(plain(lines_of(done)))
    if out:
        write_report(out, clean, done, {"version": __version__, "seed": seed, "broken": broken})
        typer.echo(f"written: {', '.join(str(out / name) for name in FILES)}")


def chosen_method(localizer: str | None, method: str | None, checkpoint: Path | None) -> "Localizer":
    """One of your own, that obeys the contract, or one of the catalog."""
    from soundfix.methods.catalog import DEFAULT, load
    from soundfix.testing import load_checked

    if localizer:
        return load_checked(localizer)
    return load(method or DEFAULT, **({"checkpoint": checkpoint} if checkpoint else {}))


def whole_scene(
    audio: list[Path], microphones: Path, room: str | None, seconds: float, temperature: float | None, speed: float | None
) -> "Scene":  # fmt: skip
    """The start of a recording in memory, with the truth that lies beside it, if it does."""
    from soundfix.datasets.folder import TRUTH, read_truth
    from soundfix.scene import Scene

    take = opened(audio, microphones)
    truth = (audio[0] if audio[0].is_dir() else audio[0].parent) / TRUTH
    return Scene(
        audio=take.beginning(seconds), sample_rate=take.sample_rate, microphones=take.microphones, room=parse_room(room),
        temperature_c=temperature, speed_of_sound_m_s=speed, truth=read_truth(truth) if truth.exists() else None,
    )  # fmt: skip
