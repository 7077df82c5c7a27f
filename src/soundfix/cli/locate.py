"""`soundfix locate`."""

from pathlib import Path
from typing import Annotated

import typer

from soundfix.cli.answering import Targets, answer
from soundfix.cli.delays import DelayFile, check_either, locate_delays, opened_delays
from soundfix.cli.events import EventsFile, RavenFile, read_table
from soundfix.cli.options import (
    AudioOrNone,
    BandText,
    BeatsFile,
    Checkpoint,
    ClockSigma,
    HeightText,
    MicrophoneFile,
    PositionSigma,
    Require,
    RoomText,
    SearchText,
    Speed,
    Temperature,
    app,
    opened,
    parse_band,
    parse_clock,
    parse_room,
    parse_search,
)
from soundfix.cli.turns import TurnsFile


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
    position_sigma: PositionSigma = None,
    clock_sigma: ClockSigma = None,
    require: Require = None,
    band: BandText = None,
    events: EventsFile = None,
    raven: RavenFile = None,
    json: Annotated[Path | None, typer.Option(help="Write all answers to this JSON file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write one row a source to this CSV file.")] = None,
    geojson: Annotated[Path | None, typer.Option(help="Write the sources, for a map, to this GeoJSON file.")] = None,
    crs: Annotated[str | None, typer.Option(help="Of the list's metres, for --geojson: EPSG:32632 and so on.")] = None,
    turns: TurnsFile = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the answers: .png, or .html to turn in 3-D.")] = None,
) -> None:
    """Where the sounds in a recording came from, and what is wrong with the microphones."""
    from soundfix.api.locate import LocateRequest, heard_as, with_errors
    from soundfix.survey.requirement import parse_requirement

    box, contract = parse_room(room), parse_requirement(require) if require else None
    region, table = parse_search(search, height), read_table(events, raven)
    targets = Targets(json, csv, plot, raven, geojson, turns, crs)
    targets.check([path for path in (microphones, delays, events, *(audio or ())) if path])
    idle = [checkpoint, beats, explain, window, hop, smooth, room, clock_sigma, require, band, events, geojson, turns]
    check_either(audio, delays, idle)
    if delays:
        locate_delays(opened_delays(delays, microphones, region, temperature, speed_of_sound), json, csv, plot)
        return
    take = with_errors(opened(audio or [], microphones), position_sigma, parse_clock(clock_sigma))
    sound, band_hz, listed = heard_as(take, parse_band(band), table)
    request = LocateRequest(
        sound=sound, band_hz=band_hz, method=method, checkpoint=checkpoint, beats=beats, explain=explain,
        window_s=window, hop_s=hop, smooth=smooth, tracks=turns is not None, room=box, search=region,
        temperature_c=temperature, speed_of_sound_m_s=speed_of_sound, require=contract, events=listed,
    )  # fmt: skip
    answer(request, targets, table)
