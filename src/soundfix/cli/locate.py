"""`soundfix locate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundfix.cli.options import (
    Audio,
    BeatsFile,
    Checkpoint,
    MicrophoneFile,
    Require,
    RoomText,
    Speed,
    Temperature,
    app,
    given,
    opened,
    parse_room,
)
from soundfix.cli.terminal import LINES_SHOWN, progress, say_rest, writers

if TYPE_CHECKING:
    from soundfix.estimate import Estimate

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
    temperature: Temperature = None,
    speed_of_sound: Speed = None,
    require: Require = None,
    json: Annotated[Path | None, typer.Option(help="Write all answers to this JSON file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write one row a source to this CSV file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the answers: .png, or .html to turn in 3-D.")] = None,
) -> None:
    """Where the sounds in a recording came from, and what is wrong with the microphones."""
    from soundfix.methods.catalog import load
    from soundfix.report.exports import check_targets
    from soundfix.report.summary import summary_lines
    from soundfix.report.text import describe
    from soundfix.session.session import Session
    from soundfix.survey.requirement import known_array, parse_requirement, promise, requirement_note
    from soundfix.tracking.smoother import smoothed

    box, contract = parse_room(room), parse_requirement(require) if require else None
    check_targets([path for path in (json, csv, plot) if path], [microphones, *audio])
    if plot:
        from soundfix.report.canvas import checked_suffix
        from soundfix.report.plots import WRITERS

        checked_suffix(plot, WRITERS)
    take = opened(audio, microphones)
    session = Session(
        localizer=load(method, **given(checkpoint=checkpoint, beats=beats, explains=explain)),
        microphones=take.microphones,
        room=box,
        temperature_c=temperature,
        speed_of_sound_m_s=speed_of_sound,
        require=contract,
    )
    if contract:
        for line in promise(contract, known_array(take.microphones, box)).lines():
            typer.echo(line)
    hop = window if hop is None else hop
    count = take.count_windows(window, hop)
    drawn: list[Estimate] = []
    warning: str | None = None
    with writers(json, csv, method) as (write, conclude), progress("locating", count) as advance:
        heard = (session.hear(start, part, take.sample_rate) for start, part in take.windows(window, hop))
        for number, estimate in enumerate(smoothed(heard) if smooth else heard):
            write(estimate)
            if number < LINES_SHOWN:
                typer.echo(describe(estimate))
            if requirement_note(estimate) not in (None, warning):
                typer.echo(f"{estimate.start_s:8.2f} s  {requirement_note(estimate)}")
            warning = requirement_note(estimate)
            if plot and number % (count // ESTIMATES_DRAWN + 1) == 0:
                drawn.append(estimate)
            advance()
        conclude(summary := session.conclusion())
    say_rest(count, json, csv)
    for line in summary_lines(summary):
        typer.echo(line)
    if plot:
        from soundfix.report.plots import plot_estimates

        plot_estimates(drawn, take.microphones, box, plot)
        typer.echo(f"drawn: {plot}")
