"""`soundfix check` and `soundfix calibrate`: what is known of an array."""

from pathlib import Path
from typing import Annotated

import typer

from soundfix.cli.options import (
    Audio,
    MicrophoneFile,
    Require,
    RoomText,
    Speed,
    Temperature,
    app,
    opened,
    parse_room,
    partial_scene,
)
from soundfix.cli.terminal import progress, steps, watched


@app.command()
def check(
    audio: Audio,
    microphones: MicrophoneFile,
    room: RoomText = None,
    temperature: Temperature = None,
    speed_of_sound: Speed = None,
    require: Require = None,
    json: Annotated[Path | None, typer.Option(help="Write the report to this JSON file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the map of predicted errors (.png).")] = None,
) -> None:
    """Grade the microphones and their geometry before you trust them: what this array can and can never tell."""
    import json as json_format

    from soundfix.atomic import atomic_path
    from soundfix.report.exports import check_targets
    from soundfix.report.survey import survey_dict, survey_lines
    from soundfix.survey.requirement import parse_requirement
    from soundfix.survey.survey import survey

    box, contract = parse_room(room), parse_requirement(require) if require else None
    check_targets([path for path in (json, plot) if path], [microphones, *audio])
    take = opened(audio, microphones)
    scene = partial_scene(take, box, temperature, speed_of_sound)
    with progress("listening", take.count_windows(0.5, 0.5)) as advance:
        windows = (scene(audio=part, start_s=start) for start, part in watched(take.windows(0.5, 0.5), advance))
        result = survey(take.microphones, room=box, windows=windows, require=contract)
    for line in survey_lines(result):
        typer.echo(line)
    if json:
        with atomic_path(json) as path:
            path.write_text(json_format.dumps(survey_dict(result), indent=1, allow_nan=False) + "\n")
    if plot:
        from soundfix.report.survey import plot_survey

        plot_survey(result, plot)
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
    json: Annotated[Path | None, typer.Option(help="Write everything that was found to this JSON file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the array as listed and as found (.png).")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the places that are tried.")] = 0,
) -> None:
    """Where microphones really stand and how their clocks run, from seconds to minutes of a sound that moves.

    Walk through the whole room and talk, at different heights. Blank positions are solved for, wrong ones corrected.
    """
    import json as json_format

    from soundfix.atomic import atomic_path
    from soundfix.calibration.calibrate import calibrate as solve
    from soundfix.calibration.observations import moments, observe
    from soundfix.files.microphones import write_microphones
    from soundfix.networks import checkpoint
    from soundfix.report import calibration as report
    from soundfix.report.exports import check_targets

    box = parse_room(room)
    check_targets([path for path in (out, json, plot) if path], [microphones, *audio])
    take = opened(audio, microphones)
    window, hop = moments(take.recording.duration_s)
    scene = partial_scene(take, box, temperature, speed_of_sound)
    with progress("listening", take.count_windows(window, hop)) as advance:
        parts = watched(take.windows(window, hop), advance)
        hearing = observe(
            checkpoint.load(checkpoint.PACKAGED), (scene(audio=part, start_s=start) for start, part in parts)
        )
    with steps("solving") as watch:
        result = solve(
            hearing, take.microphones, room=box, clocks="free" if free_clocks else "common", seed=seed, watch=watch
        )
    for line in report.lines(result, take.microphones):
        typer.echo(line)
    write_microphones(out, result.microphones)
    typer.echo(f"written: {out}")
    if json:
        with atomic_path(json) as path:
            path.write_text(json_format.dumps(report.as_dict(result), indent=1, allow_nan=False) + "\n")
    if plot:
        report.plot(result, take.microphones, box, plot)
        typer.echo(f"drawn: {plot}")
