"""`soundfix locate --delays`: places from a table of delays, without any sound."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundfix.cli.options import refuse_idle
from soundfix.cli.stopping import stoppable
from soundfix.cli.targets import Files, Targets
from soundfix.cli.terminal import Shown, progress, say, show_summary
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
    "--band", "--events", "--turns", "--geojson",
)  # fmt: skip


def check_given(
    audio: list[Path] | None, microphones: Path | None, delays: Path | None, idle: Sequence[object]
) -> Path:
    """Sound or delays, not both; options that only sound needs (the values of IDLE) are refused with delays. The list."""
    if microphones is None:
        raise typer.BadParameter("wanted -m LIST, or --again FILE of answers that were made before", param_hint="-m")
    if bool(audio) == (delays is not None):
        got = "both a recording and --delays" if audio else "neither a recording nor --delays"
        raise SoundfixError(f"{got}: wanted the files of a recording, or --delays FILE, and -m LIST with either")
    if delays is not None:
        refuse_idle(
            {name: value or None for name, value in zip(IDLE, idle, strict=True)},
            "does nothing with --delays, which is located without any sound: leave it out",
        )
    return microphones


def opened_delays(
    delays: Path, microphones: Path, region: "SearchRegion | None", air: tuple[float | None, float | None, float | None]
) -> "DelaysRequest":
    """The request; what is odd about the delays to stderr. air: temperature (°C), speed of sound, wind (m/s)."""
    from soundfix.api.delays import DelaysRequest, notes
    from soundfix.files.delays import read_delays
    from soundfix.files.microphones import read_microphones

    listed = read_microphones(microphones)
    temperature_c, speed_m_s, wind_m_s = air
    request = DelaysRequest(
        events=read_delays(delays, listed), microphones=listed, search=region, temperature_c=temperature_c,
        speed_of_sound_m_s=speed_m_s, wind_m_s=wind_m_s,
    )  # fmt: skip
    for note in notes(request):
        say(note)
    return request


def locate_delays(request: "DelaysRequest", targets: Targets) -> None:
    """Answers as `soundfix locate` prints, writes and draws them."""
    from soundfix.api.delays import run
    from soundfix.localization.delay_answer import METHOD
    from soundfix.report.plots import plot_estimates
    from soundfix.report.recorded import Recorded

    kept: list[Estimate] = []
    show, count = Shown(), len(request.events)
    recorded = Recorded(microphones=request.microphones, speed_m_s=request.around.speed_m_s, listener=targets.listener)
    files = Files(targets, METHOD, recorded=recorded)
    with stoppable() as stop, targets.lines():
        with files, progress("locating", count) as advance:

            def watch(estimate: "Estimate") -> None:
                for tell in (*files.writes, show, kept.append):
                    stop.tell(tell, estimate)
                stop.has_begun = True
                advance()

            files.conclude(summary := run(request, watch, stop))
        stop.tell(show_summary, summary, count, targets.complete)
        if targets.plot:
            plot_estimates(kept, request.microphones, None, targets.plot)
            typer.echo(f"drawn: {targets.plot}")
    if stop():
        raise typer.Exit(stop.status)
