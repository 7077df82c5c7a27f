"""`soundfix locate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from soundfix.cli.events import Answers, EventsFile, RavenFile, read_table, say_heard
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
    parse_band,
    parse_room,
    parse_search,
)
from soundfix.cli.terminal import Shown, Thinned, progress, say_rest, show_lines, writers

if TYPE_CHECKING:
    from soundfix.api.locate import LocateRequest
    from soundfix.estimate import Estimate
    from soundfix.files.events.reading import EventTable

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
    window: Annotated[
        float | None, typer.Option(help="Seconds of sound an answer is made from; 0.5, or more for a large array.")
    ] = None,
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
    events: EventsFile = None,
    raven: RavenFile = None,
    json: Annotated[Path | None, typer.Option(help="Write all answers to this JSON file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write one row a source to this CSV file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the answers: .png, or .html to turn in 3-D.")] = None,
) -> None:
    """Where the sounds in a recording came from, and what is wrong with the microphones."""
    from soundfix.api.locate import LocateRequest, heard_as
    from soundfix.report.exports import check_targets
    from soundfix.survey.requirement import parse_requirement

    box, contract = parse_room(room), parse_requirement(require) if require else None
    region, table = parse_search(search, height), read_table(events, raven)
    targets = Targets(json, csv, plot, raven)
    check_targets([path for path in targets if path], [microphones, *audio, *([events] if events else [])])
    if plot:
        check_picture(plot)
    sound, band_hz, listed = heard_as(opened(audio, microphones), parse_band(band), table)
    request = LocateRequest(
        sound=sound, band_hz=band_hz, method=method, checkpoint=checkpoint, beats=beats, explain=explain,
        window_s=window, hop_s=hop, smooth=smooth, room=box, search=region, temperature_c=temperature,
        speed_of_sound_m_s=speed_of_sound, require=contract, events=listed,
    )  # fmt: skip
    answer(request, targets, table)


class Targets(NamedTuple):
    """The files that are asked for."""

    json: Path | None
    csv: Path | None
    plot: Path | None
    raven: Path | None


def answer(request: "LocateRequest", targets: Targets, table: "EventTable | None") -> None:
    """Do what was asked for: print the answers, and fill the files with them."""
    from soundfix.api.locate import run
    from soundfix.report.requirement import promise_lines
    from soundfix.report.summary import summary_lines

    say_heard(request)
    if promise := request.promise():
        show_lines(promise_lines(promise))
    json, csv, plot, raven = targets
    drawn, show, kept = Thinned(request.count, ESTIMATES_DRAWN), Shown(), Answers(table, raven)
    method = request.method if isinstance(request.method, str) else request.method.name
    with writers(json, csv, method) as (write, conclude), progress("locating", request.count) as advance:

        def watch(estimate: "Estimate") -> None:
            write(estimate)
            show(estimate)
            kept(estimate)
            if plot:
                drawn(estimate)
            advance()

        conclude(summary := run(request, watch, passed=advance))
    say_rest(request.count - summary.passed_over, json, csv)
    show_lines(summary_lines(summary))
    kept.write()
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
