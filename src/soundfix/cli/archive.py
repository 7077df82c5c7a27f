"""`soundfix archive`."""

from pathlib import Path
from typing import Annotated

import typer

from soundfix.cli.engines import Address, EngineName, Workers
from soundfix.cli.locate import Hop, Window
from soundfix.cli.options import (
    DEFAULT,
    BandText,
    Checkpoint,
    ClockSigma,
    HeightText,
    Method,
    MicrophoneFile,
    PositionSigma,
    SearchText,
    Speed,
    Temperature,
    Wind,
    app,
    parse_band,
    parse_clock,
    parse_search,
    refuse_idle,
)
from soundfix.cli.own_methods import warn_of
from soundfix.cli.stopping import stoppable
from soundfix.cli.terminal import show_lines


@app.command()
def archive(
    folder: Annotated[Path, typer.Argument(help="Of recordings, or of a folder for each recorder.")],
    microphones: MicrophoneFile,
    out: Annotated[Path, typer.Option(help="Folder for the answers; the same command goes on where it was.")],
    events: Annotated[
        Path | None, typer.Option(help="Locate these alone: a table of events or detections, or a folder of tables.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--every", help="Locate every window, not only those in which something stands out.")
    ] = False,
    starts: Annotated[
        Path | None, typer.Option(help="CSV of when files really began: file and start, or file and offset_s.")
    ] = None,
    method: Method = DEFAULT,
    checkpoint: Checkpoint = None,
    window: Window = None,
    hop: Hop = None,
    search: SearchText = None,
    height: HeightText = None,
    temperature: Temperature = None,
    speed_of_sound: Speed = None,
    wind: Wind = None,
    position_sigma: PositionSigma = None,
    clock_sigma: ClockSigma = None,
    band: BandText = None,
    crs: Annotated[str | None, typer.Option(help="Of the list's metres, for the map: EPSG:32632 and so on.")] = None,
    engine: EngineName = "local",
    address: Address = None,
    workers: Workers = 1,
) -> None:
    """A season of recordings: files that belong together are found, aligned and located, and all answers are one table."""
    from soundfix.archive.season import ArchiveRequest, run
    from soundfix.archive.work import Asked
    from soundfix.cli.archive_view import Hours
    from soundfix.engines.named import engine_named

    if events:
        idle = {"--window": window, "--hop": hop, "--every": every or None}
        refuse_idle(idle, "does nothing with --events, which are located one by one")
    warn_of(method)
    asked = Asked(
        method=method, checkpoint=checkpoint, window_s=window, hop_s=hop, search=parse_search(search, height),
        temperature_c=temperature, speed_of_sound_m_s=speed_of_sound, wind_m_s=wind, band_hz=parse_band(band), every=every,
    )  # fmt: skip
    request = ArchiveRequest(
        folder=folder, microphones=microphones, out=out, asked=asked, events=events, starts=starts,
        position_sigma_m=position_sigma, clock_sigma_s=parse_clock(clock_sigma), crs=crs,
    )  # fmt: skip
    with stoppable("piece") as stop, Hours(stop) as watch:
        report = run(request, engine_named(engine, workers, address), watch)
    show_lines(report.lines())
    typer.echo(f"answers: {out}")
    if stop():
        raise typer.Exit(stop.status)
