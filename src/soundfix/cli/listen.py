"""`soundfix listen`."""

from pathlib import Path
from typing import Annotated

import typer

from soundfix.cli.options import (
    DEFAULT,
    BandText,
    ClockSigma,
    HeightText,
    Method,
    MicrophoneFile,
    PositionSigma,
    RoomText,
    SearchText,
    Speed,
    Temperature,
    Wind,
    app,
    parse_band,
    parse_clock,
    parse_room,
    parse_search,
)

SOURCE = (
    "card or card:NAME, a sound card; -, raw samples on standard input; tcp://HOST:PORT or udp://HOST:PORT, the network; "
    "or a recording, played as if it were live."
)
Source = Annotated[str, typer.Argument(help=SOURCE)]
Rate = Annotated[float, typer.Option(help="Of a card, standard input or senders, in Hz.")]
Channels = Annotated[int | None, typer.Option(help="Of a card or standard input; as many as microphones without it.")]
SampleFormat = Annotated[str, typer.Option("--format", help="Of standard input: s16le, s24le, s32le, f32le.")]


@app.command()
def listen(
    source: Source,
    microphones: MicrophoneFile,
    rate: Rate = 16_000.0,
    channels: Channels = None,
    sample_format: SampleFormat = "s16le",
    method: Method = DEFAULT,
    window: Annotated[float | None, typer.Option(help="Seconds of sound an answer is made from.")] = None,
    hop: Annotated[float, typer.Option(help="Seconds from answer to answer.")] = 0.1,
    patience: Annotated[
        float, typer.Option(help="Seconds that are waited for a microphone that does not deliver.")
    ] = 0.2,
    every: Annotated[
        bool, typer.Option("--every", help="Answer every window, however long that takes; skip none.")
    ] = False,
    room: RoomText = None,
    search: SearchText = None,
    height: HeightText = None,
    temperature: Temperature = None,
    speed_of_sound: Speed = None,
    wind: Wind = None,
    position_sigma: PositionSigma = None,
    clock_sigma: ClockSigma = None,
    band: BandText = None,
    json: Annotated[Path | None, typer.Option(help="Write all answers to this JSON file too.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write one row a source to this CSV file.")] = None,
    odas: Annotated[str | None, typer.Option(help="HOST:PORT of a viewer that takes ODAS' tracked sources.")] = None,
    odas_potential: Annotated[str | None, typer.Option(help="HOST:PORT, for ODAS' potential sources.")] = None,
) -> None:
    """Where sounds come from while they are made: a line of JSON an answer, and on a terminal a map."""
    from soundfix.cli.listening import run
    from soundfix.cli.live_outputs import Outputs
    from soundfix.files.microphones import read_microphones
    from soundfix.streaming.sources import Shape, told
    from soundfix.streaming.stream import Stream

    outputs = Outputs(json, csv, odas, odas_potential)
    outputs.check([microphones])
    listed, box, band_hz = read_microphones(microphones), parse_room(room), parse_band(band)
    heard = told(source, microphones, band_hz)
    stream = Stream(
        listed, sample_rate=rate if isinstance(heard, str) else heard.sample_rate, window_s=window, hop_s=hop,
        method=method, room=box, search=parse_search(search, height), temperature_c=temperature,
        speed_of_sound_m_s=speed_of_sound, wind_m_s=wind, position_sigma_m=position_sigma,
        clock_sigma_s=parse_clock(clock_sigma), band_hz=band_hz, patience_s=patience, tracks=True,
    )  # fmt: skip
    shape = Shape(sample_rate=rate, channels=channels or len(listed), sample_format=sample_format)
    run(stream, heard, shape, outputs, method=method, room=box, is_every=every)
