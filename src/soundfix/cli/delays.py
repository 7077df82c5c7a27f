"""`soundfix locate --delays`: places from a table of delays, without any sound."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundfix.cli.options import refuse_idle
from soundfix.cli.terminal import Shown, progress, say, say_rest, show_lines, writers
from soundfix.errors import SoundfixError

if TYPE_CHECKING:
    from soundfix.api.delays import DelaysRequest
    from soundfix.estimate import Estimate
    from soundfix.search_region import SearchRegion

DelayFile = Annotated[
    Path | None, typer.Option("--delays", help="CSV of delays to locate from, instead of sound: event,mic,delay_s ...")
]


IDLE = (
    "--checkpoint", "--beats", "--explain", "--window", "--hop", "--smooth", "--room", "--clock-sigma", "--require",
    "--band", "--events", "--geojson", "--turns",
)  # fmt: skip


def check_either(audio: list[Path] | None, delays: Path | None, idle: Sequence[object]) -> None:
    """Sound or delays, not both; options that only sound needs (the values of IDLE) are refused with delays."""
    if bool(audio) == (delays is not None):
        got = "both a recording and --delays" if audio else "neither a recording nor --delays"
        raise SoundfixError(f"{got}: wanted the files of a recording, or --delays FILE, and -m LIST with either")
    if delays is not None:
        refuse_idle(
            {name: value or None for name, value in zip(IDLE, idle, strict=True)},
            "does nothing with --delays, which is located without any sound: leave it out",
        )


def opened_delays(
    delays: Path, microphones: Path, region: "SearchRegion | None", temperature: float | None, speed: float | None
) -> "DelaysRequest":
    """The request; what is odd about the delays to stderr."""
    from soundfix.api.delays import DelaysRequest, notes
    from soundfix.files.delays import read_delays
    from soundfix.files.microphones import read_microphones

    listed = read_microphones(microphones)
    request = DelaysRequest(
        events=read_delays(delays, listed), microphones=listed, search=region, temperature_c=temperature,
        speed_of_sound_m_s=speed,
    )  # fmt: skip
    for note in notes(request):
        say(note)
    return request


def locate_delays(request: "DelaysRequest", json: Path | None, csv: Path | None, plot: Path | None) -> None:
    """Answers as `soundfix locate` prints, writes and draws them."""
    from soundfix.api.delays import run
    from soundfix.localization.delay_answer import METHOD
    from soundfix.report.plots import plot_estimates
    from soundfix.report.summary import summary_lines

    kept: list[Estimate] = []
    show, count = Shown(), len(request.events)
    with writers(json, csv, METHOD) as (write, conclude), progress("locating", count) as advance:

        def watch(estimate: "Estimate") -> None:
            write(estimate)
            show(estimate)
            kept.append(estimate)
            advance()

        conclude(summary := run(request, watch))
    say_rest(count, json, csv)
    show_lines(summary_lines(summary))
    if plot:
        plot_estimates(kept, request.microphones, None, plot)
        typer.echo(f"drawn: {plot}")
