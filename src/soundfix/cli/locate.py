"""`soundfix locate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundfix.cli.options import (
    Audio,
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
    refuse_idle,
    tuned,
)
from soundfix.cli.terminal import Shown, Thinned, progress, say_rest, show_lines, writers

if TYPE_CHECKING:
    from soundfix.api.locate import LocateRequest
    from soundfix.estimate import Estimate
    from soundfix.report.geojson import GeoJsonWriter

ESTIMATES_DRAWN = 2000


@app.command()
def locate(
    audio: Audio,
    microphones: MicrophoneFile,
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
    geojson: Annotated[Path | None, typer.Option(help="Write the sources, for a map, to this GeoJSON file.")] = None,
    crs: Annotated[str | None, typer.Option(help="Of the list's metres, for --geojson: EPSG:32632 and so on.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the answers: .png, or .html to turn in 3-D.")] = None,
) -> None:
    """Where the sounds in a recording came from, and what is wrong with the microphones."""
    from soundfix.api.locate import LocateRequest, run
    from soundfix.report.summary import summary_lines
    from soundfix.survey.requirement import parse_requirement

    box, contract = parse_room(room), parse_requirement(require) if require else None
    region = parse_search(search, height)
    check_outputs([path for path in (json, csv, geojson, plot) if path], [microphones, *audio], plot)
    sound, band_hz = tuned(opened(audio, microphones), band)
    request = LocateRequest(
        sound=sound, band_hz=band_hz, method=method, checkpoint=checkpoint, beats=beats, explain=explain,
        window_s=window, hop_s=hop, smooth=smooth, room=box, search=region, temperature_c=temperature,
        speed_of_sound_m_s=speed_of_sound, require=contract,
    )  # fmt: skip
    to_map = writer_of_map(geojson, crs, request)
    show_promise(request)
    drawn, show = Thinned(request.count, ESTIMATES_DRAWN), Shown()
    with writers(json, csv, method, to_map) as (write, conclude), progress("locating", request.count) as advance:

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


def check_outputs(outputs: list[Path], inputs: list[Path], plot: Path | None) -> None:
    """Whether they can be written, and whether there is such a kind of picture, is found out before the work."""
    from soundfix.report.canvas import checked_suffix
    from soundfix.report.exports import check_targets
    from soundfix.report.plots import WRITERS

    check_targets(outputs, inputs)
    if plot:
        checked_suffix(plot, WRITERS)


def show_promise(request: "LocateRequest") -> None:
    """What the array can keep of the contract, if there is one."""
    from soundfix.report.requirement import promise_lines

    if promise := request.promise():
        show_lines(promise_lines(promise))


def writer_of_map(path: Path | None, crs: str | None, request: "LocateRequest") -> "GeoJsonWriter | None":
    """That nothing says the system of coordinates is found out before the work, too."""
    if path is None:
        refuse_idle({"--crs": crs}, "does nothing without --geojson")
        return None
    from soundfix.report.geojson import GeoJsonWriter, crs_of

    return GeoJsonWriter(path, crs_of(request.sound.microphones, crs))


def draw(estimates: "list[Estimate]", request: "LocateRequest", path: Path) -> None:
    """Draw these answers, and say so."""
    from soundfix.report.plots import plot_estimates

    plot_estimates(estimates, request.sound.microphones, request.room, path)
    typer.echo(f"drawn: {path}")
