"""`soundfix check` and `soundfix calibrate`: what is known of an array."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundfix.cli.options import (
    Audio,
    BandText,
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
from soundfix.cli.terminal import progress, show_lines, steps

if TYPE_CHECKING:
    from soundfix.survey.requirement import Requirement


@app.command()
def check(
    audio: Audio,
    microphones: MicrophoneFile,
    room: RoomText = None,
    search: SearchText = None,
    height: HeightText = None,
    temperature: Temperature = None,
    speed_of_sound: Speed = None,
    require: Require = None,
    band: BandText = None,
    json: Annotated[Path | None, typer.Option(help="Write the report to this JSON file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the map of predicted errors (.png).")] = None,
) -> None:
    """Grade the microphones and their geometry before you trust them: what this array can and can never tell."""
    from soundfix.api.check import Checked, CheckRequest, run
    from soundfix.report.listening import listening_lines
    from soundfix.report.outputs import check_targets
    from soundfix.report.survey import survey_lines

    box, contract = parse_room(room), parse_require(require)
    check_targets([path for path in (json, plot) if path], [microphones, *audio])
    sound, band_hz = tuned(opened(audio, microphones), band)
    request = CheckRequest(
        sound=sound,
        band_hz=band_hz,
        room=box,
        search=parse_search(search, height),
        temperature_c=temperature,
        speed_of_sound_m_s=speed_of_sound,
        require=contract,
    )
    with progress("listening", request.count) as advance:
        checked = Checked(survey=run(request, advance))
    show_lines([*listening_lines(band_hz), *survey_lines(checked.survey)])
    if json:
        checked.to_json(json)
    if plot:
        checked.plot(plot)
        typer.echo(f"drawn: {plot}")


@app.command()
def calibrate(
    audio: Audio,
    microphones: MicrophoneFile,
    out: Annotated[Path, typer.Option(help="Write the corrected list of microphones to this CSV file.")],
    free_clocks: Annotated[
        bool, typer.Option("--free-clocks", help="Every recorder has its own clock: offsets and drifts are unknown.")
    ] = False,
    room: RoomText = None,
    temperature: Temperature = None,
    speed_of_sound: Speed = None,
    band: BandText = None,
    json: Annotated[Path | None, typer.Option(help="Write everything that was found to this JSON file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the array as listed and as found (.png).")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the places that are tried.")] = 0,
) -> None:
    """Where microphones really stand and how their clocks run, from seconds to minutes of a sound that moves.

    Walk through the whole room and talk, at different heights. Blank positions are solved for, wrong ones corrected. Of
    recorders in the field, more than 25 m apart, a few loud sounds tell clocks; positions stay as listed.
    """
    from soundfix.api.calibrate import Calibrated, CalibrateRequest, hear, solve
    from soundfix.report.calibration import lines
    from soundfix.report.listening import listening_lines
    from soundfix.report.outputs import check_targets

    box = parse_room(room)
    check_targets([path for path in (out, json, plot) if path], [microphones, *audio])
    sound, band_hz = tuned(opened(audio, microphones), band)
    request = CalibrateRequest(
        sound=sound, band_hz=band_hz, clocks="free" if free_clocks else "common", room=box,
        temperature_c=temperature, speed_of_sound_m_s=speed_of_sound, seed=seed,
    )  # fmt: skip
    with progress("listening", request.count) as advance:
        heard = hear(request, advance)
    with steps("solving") as watch:
        found = solve(request, heard, watch)
    calibrated = Calibrated(calibration=found, listed=request.sound.microphones, room=box)
    show_lines([*listening_lines(band_hz), *lines(found, request.sound.microphones)])
    calibrated.to_csv(out)
    typer.echo(f"written: {out}")
    if json:
        calibrated.to_json(json)
    if plot:
        calibrated.plot(plot)
        typer.echo(f"drawn: {plot}")


def parse_require(text: str | None) -> "Requirement | None":
    """What --require asks for, if anything."""
    from soundfix.survey.requirement import parse_requirement

    return parse_requirement(text) if text else None
