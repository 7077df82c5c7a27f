"""`soundfix locate`."""

from typing import Annotated

import typer

from soundfix.cli.again import AgainFile, locate_again
from soundfix.cli.answering import answer
from soundfix.cli.array import parse_require
from soundfix.cli.delays import DelayFile, check_given, locate_delays, opened_delays
from soundfix.cli.events import EventsFile, RavenFile, read_table
from soundfix.cli.formats import AsFiles, ListenerText, parse_as
from soundfix.cli.options import (
    DEFAULT,
    AudioOrNone,
    BandText,
    BeatsFile,
    Checkpoint,
    ClockSigma,
    HeightText,
    Method,
    MicrophoneFileOrNone,
    PositionSigma,
    Require,
    RoomText,
    SearchText,
    Speed,
    Temperature,
    Wind,
    app,
    opened,
    parse_band,
    parse_clock,
    parse_room,
    parse_search,
)
from soundfix.cli.own_methods import warn_of
from soundfix.cli.targets import CrsText, CsvFile, GeoJsonFile, JsonFile, JsonLinesFile, PlotFile, Targets
from soundfix.cli.turns import OnlyKinds, TurnsFile

Explain = Annotated[bool, typer.Option("--explain", help="Put into the JSON what a network made of each pair.")]
Window = Annotated[
    float | None, typer.Option(help="Seconds of sound an answer is made from; 0.5, or more for a large array.")
]
Hop = Annotated[float | None, typer.Option(help="Seconds from window to window; the window's length without it.")]
Smooth = Annotated[
    bool, typer.Option("--smooth", help="One source that moves as people do: smooth its places over time.")
]
Jobs = Annotated[int, typer.Option(min=1, help="Processes that locate windows side by side: the same answers, sooner.")]


@app.command()
def locate(
    microphones: MicrophoneFileOrNone = None,
    audio: AudioOrNone = None,
    delays: DelayFile = None,
    again: AgainFile = None,
    method: Method = DEFAULT,
    checkpoint: Checkpoint = None,
    beats: BeatsFile = None,
    explain: Explain = False,
    window: Window = None,
    hop: Hop = None,
    smooth: Smooth = False,
    room: RoomText = None,
    search: SearchText = None,
    height: HeightText = None,
    temperature: Temperature = None,
    speed_of_sound: Speed = None,
    wind: Wind = None,
    position_sigma: PositionSigma = None,
    clock_sigma: ClockSigma = None,
    require: Require = None,
    band: BandText = None,
    events: EventsFile = None,
    raven: RavenFile = None,
    turns: TurnsFile = None,
    only: OnlyKinds = None,
    json: JsonFile = None,
    jsonl: JsonLinesFile = None,
    csv: CsvFile = None,
    geojson: GeoJsonFile = None,
    crs: CrsText = None,
    as_files: AsFiles = None,
    listener: ListenerText = None,
    plot: PlotFile = None,
    jobs: Jobs = 1,
) -> None:
    """Where the sounds in a recording came from, and what is wrong with the microphones."""
    from soundfix.api.locate import heard_as, with_errors
    from soundfix.api.request import LocateRequest

    targets = Targets(json, jsonl, csv, plot, raven, geojson, turns, crs, only or (), *parse_as(as_files, listener))
    idle = [checkpoint, beats, explain, window, hop, smooth, room, clock_sigma, require, band, events, turns, geojson]
    if again:
        others = [microphones, delays, search, height, temperature, speed_of_sound, wind, position_sigma]
        locate_again(again, audio, targets, [*others, method if method != DEFAULT else None, *idle[:-1]])
        return
    box, contract = parse_room(room), parse_require(require)
    region, table = parse_search(search, height), read_table(events, raven)
    targets.check([path for path in (microphones, delays, events, *(audio or ())) if path])
    listed_in = check_given(audio, microphones, delays, idle)
    if delays:
        locate_delays(opened_delays(delays, listed_in, region, (temperature, speed_of_sound, wind)), targets)
        return
    warn_of(method)
    take = with_errors(opened(audio or [], listed_in), position_sigma, parse_clock(clock_sigma))
    sound, band_hz, listed = heard_as(take, parse_band(band), table)
    request = LocateRequest(
        sound=sound, band_hz=band_hz, method=method, checkpoint=checkpoint, beats=beats, explain=explain,
        window_s=window, hop_s=hop, smooth=smooth, tracks=targets.follow(listed), room=box, search=region,
        temperature_c=temperature, speed_of_sound_m_s=speed_of_sound, wind_m_s=wind, require=contract, events=listed,
    )  # fmt: skip
    answer(request, targets, table, jobs=jobs)
