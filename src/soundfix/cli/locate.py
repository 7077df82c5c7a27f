"""`soundfix locate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundfix.cli.delays import DelayFile, check_either, locate_delays, opened_delays
from soundfix.cli.options import (
    AudioOrNone,
    BandText,
    BeatsFile,
    Checkpoint,
    HeightText,
    MicrophoneFile,
    Require,
    RoomText,
    SearchText,
    Speed,
    Temperature,
    app,
    opened,
    parse_room,
    parse_search,
    tuned,
)
from soundfix.cli.terminal import Shown, Thinned, progress, say_rest, show_lines, writers

if TYPE_CHECKING:
    from soundfix.api.locate import LocateRequest
    from soundfix.estimate import Estimate

ESTIMATES_DRAWN = 2000


@app.command()
def locate(
    microphones: MicrophoneFile,
    audio: AudioOrNone = None,
    delays: DelayFile = None,
    method: Annotated[str, typer.Option(help="See `soundfix methods`.")] = "three-stream",
    checkpoint: Checkpoint = None,
    beats: BeatsFile = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Put into the JSON what a network made of each pair.")
    ] = False,
    window: Annotated[float, typer.Option(help="Seconds of sound an answer is made from.")] = 0.5,
    hop: Annotated[
        float | None, typer.Option(help="Seconds from window to window; the window's length without it.")
    ] = None,
    smooth: Annotated[
        bool, typer.Option("--smooth", help="One source that moves as people do: smooth its places over time.")
    ] = False,
    room: RoomText = None,
    search: SearchText = None,
    height: HeightText = None,
    temperature: Temperature = None,
    speed_of_sound: Speed = None,
    require: Require = None,
    band: BandText = None,
    json: Annotated[Path | None, typer.Option(help="Write all answers to this JSON file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write one row a source to this CSV file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the answers: .png, or .html to turn in 3-D.")] = None,
) -> None:
    """Where the sounds in a recording came from, and what is wrong with the microphones."""
    from soundfix.api.locate import LocateRequest
    from soundfix.report.exports import check_targets
    from soundfix.survey.requirement import parse_requirement

    box, contract = parse_room(room), parse_requirement(require) if require else None
    region = parse_search(search, height)
    check_either(audio, delays, [checkpoint, beats, explain, hop, smooth, room, require, band])
    inputs = [path for path in (microphones, delays, *(audio or ())) if path]
    check_targets([path for path in (json, csv, plot) if path], inputs)
    if plot:
        check_picture(plot)
    if delays:
        locate_delays(opened_delays(delays, microphones, region, temperature, speed_of_sound), json, csv, plot)
        return
    sound, band_hz = tuned(opened(audio or [], microphones), band)
    request = LocateRequest(
        sound=sound, band_hz=band_hz, method=method, checkpoint=checkpoint, beats=beats, explain=explain,
        window_s=window, hop_s=hop, smooth=smooth, room=box, search=region, temperature_c=temperature,
        speed_of_sound_m_s=speed_of_sound, require=contract,
    )  # fmt: skip
    locate_sound(request, method, json, csv, plot)


def locate_sound(request: "LocateRequest", method: str, json: Path | None, csv: Path | None, plot: Path | None) -> None:
    """Locate as asked: print, write and draw the answers."""
    from soundfix.api.locate import run
    from soundfix.report.requirement import promise_lines
    from soundfix.report.summary import summary_lines

    if promise := request.promise():
        show_lines(promise_lines(promise))
    drawn, show = Thinned(request.count, ESTIMATES_DRAWN), Shown()
    with writers(json, csv, method) as (write, conclude), progress("locating", request.count) as advance:

        def watch(estimate: "Estimate") -> None:
            write(estimate)
            show(estimate)
            if plot:
                drawn(estimate)
            advance()

        conclude(summary := run(request, watch))
    say_rest(request.count, json, csv)
    show_lines(summary_lines(summary))
    if plot:
        draw(drawn.kept, request, plot)


def check_picture(path: Path) -> None:
    """Whether there is such a kind of picture is found out before the work."""
    from soundfix.report.canvas import checked_suffix
    from soundfix.report.plots import WRITERS

    checked_suffix(path, WRITERS)


def draw(estimates: "list[Estimate]", request: "LocateRequest", path: Path) -> None:
    """Draw these answers, and say so."""
    from soundfix.report.plots import plot_estimates

    plot_estimates(estimates, request.sound.microphones, request.room, path)
    typer.echo(f"drawn: {path}")
