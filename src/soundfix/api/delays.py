"""`soundfix.locate_delays`, as the command: places from delays that another program measured."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from soundfix import physics
from soundfix.api.located import Located
from soundfix.api.sound import Listed
from soundfix.delays import Delays, arrivals
from soundfix.errors import SceneError
from soundfix.estimate import Estimate, MicrophoneReport
from soundfix.files.delays import read_delays
from soundfix.files.polygons import told_region
from soundfix.files.take import listed_microphones
from soundfix.localization.delay_answer import METHOD, Surroundings
from soundfix.localization.delay_answer import locate_delays as locate_event
from soundfix.microphones import Microphones
from soundfix.scene import checked_wind
from soundfix.search_region import Numbers, SearchRegion
from soundfix.session.summary import Interruption, Summary

Given = str | Path | Sequence[Delays] | ArrayLike
LARGEST_SPREAD = 3.0  # times the width of the array: no sound takes so long from microphone to microphone
SOME, FEWEST_EVENTS = 5, 3  # events that are tried with the opposite sign; wrong in so many, a microphone is bad
CLEARLY = 1.5  # times as many delays agree


@dataclass(frozen=True, kw_only=True, eq=False)
class DelaysRequest:
    """What was asked for; the options are those of `locate_delays`. Raises SceneError where delays cannot be in seconds."""

    events: tuple[Delays, ...]
    microphones: Microphones
    search: SearchRegion | None = None
    temperature_c: float | None = None
    speed_of_sound_m_s: float | None = None
    wind_m_s: float | None = None

    def __post_init__(self) -> None:
        speed_m_s = self.around.speed_m_s
        if not 100 <= speed_m_s <= 7000:
            raise SceneError(f"speed of sound {speed_m_s:g} m/s, wanted 100 to 7000: air is about 343, water 1480")
        _check_units(self.events, self.microphones.width_m / speed_m_s)

    @property
    def around(self) -> Surroundings:
        """What all events have in common."""
        speed_m_s = physics.chosen_speed(self.speed_of_sound_m_s, self.temperature_c)
        wind_share = (checked_wind(self.wind_m_s) or 0.0) / speed_m_s
        return Surroundings(
            microphones=self.microphones, search=self.search, speed_m_s=speed_m_s, wind_share=wind_share
        )


def run(request: DelaysRequest, watch: Callable[[Estimate], None], stop: Callable[[], bool] = lambda: False) -> Summary:
    """Locate as asked: `watch` is told every estimate as it comes; what all say of the microphones comes back. No event
    begins once `stop` says so."""
    reports: list[tuple[MicrophoneReport, ...]] = []
    events = takewhile(lambda _: not stop(), request.events)
    for estimate in _estimates(events, request.around):
        reports.append(estimate.microphones if estimate.sources else ())
        watch(estimate)
    done, of = len(reports), len(request.events)
    return Summary(
        microphones=_over_all(reports, request),
        speed_m_s=request.around.speed_m_s,
        interrupted=Interruption(done, of) if done < of else None,
    )


def notes(request: DelaysRequest) -> tuple[str, ...]:
    """Whether the delays have the opposite sign: then those of most events agree far better when they are turned round."""
    some = request.events[:SOME]
    as_told, turned = (
        sum(_agreeing(each, request.microphones.width_m) for each in _estimates(events, request.around))
        for events in (some, tuple(each.reversed() for each in some))
    )
    if turned < CLEARLY * as_told + len(some):
        return ()
    return (
        f"With the opposite sign {turned:.0f} delays agree with each other, as they are {as_told:.0f}: wanted is how much "
        "later mic1 hears than mic2, or when a microphone hears (later is larger). Turn the sign round?",
    )


def locate_delays(
    delays: Given,
    microphones: Listed,
    *,
    search: SearchRegion | Numbers | str | Path | None = None,
    height_m: Numbers | None = None,
    temperature_c: float | None = None,
    speed_of_sound_m_s: float | None = None,
    wind_m_s: float | None = None,
) -> Located:
    """Where sounds came from, by delays that another program measured; wrong ones are found, named and left out.

        located = soundfix.locate_delays("tdoas.csv", "microphones.csv", height_m=1.5)

    delays: path of a table (docs/command-line.md), arrivals (E, M) in s of E sounds, NaN where one was not heard, or several
    soundfix.delays.Delays. microphones: path of a list, Microphones, or positions (M, 3) in metres; their sigma_m counts.
    search: where a source may be: a box ((x0, y0, z0), (x1, y1, z1)), corners (x, y) of a polygon (m), or their file.
    height_m: of the source, or the lowest and the highest. temperature_c: of the air, in °C;
    speed_of_sound_m_s, in m/s, wins over it; 343.2 m/s with neither.
    wind_m_s: standard error of the wind along each axis, in m/s.
    The event of each has the label of its sound; start_s and end_s are when it was made, by the clock of the arrivals.

    Raises SceneError on what cannot be right, DelayFileError and MicrophoneFileError on files.
    """
    listed = listed_microphones(microphones)
    request = DelaysRequest(
        events=_events(delays, listed),
        microphones=listed,
        search=told_region(search, height_m),
        temperature_c=temperature_c,
        speed_of_sound_m_s=speed_of_sound_m_s,
        wind_m_s=wind_m_s,
    )
    estimates: list[Estimate] = []
    summary = run(request, estimates.append)
    return Located(
        estimates=tuple(estimates),
        summary=summary,
        listed=listed,
        method=METHOD,
        notes=notes(request),
    )


def _events(given: Given, microphones: Microphones) -> tuple[Delays, ...]:
    if isinstance(given, str | Path):
        return read_delays(given, microphones)
    if isinstance(given, list | tuple) and given and all(isinstance(each, Delays) for each in given):
        return tuple(given)
    times_s = np.asarray(given, dtype=np.float64)
    if times_s.ndim != 2 or times_s.shape[1] != len(microphones):
        raise SceneError(
            f"delays have shape {times_s.shape}, wanted (sounds, {len(microphones)}): an arrival a microphone"
        )
    return arrivals(times_s)


def _estimates(events: Iterable[Delays], around: Surroundings) -> Iterable[Estimate]:
    """A function of the event alone, whichever others there are."""
    return (locate_event(each, around, np.random.default_rng(0)) for each in events)


def _agreeing(estimate: Estimate, widest_m: float) -> float:
    """How many microphones agree on a place that is surer than the array is wide; what is far away fits anything."""
    is_sure = len(estimate.sources) > 0 and estimate.sources[0].radius90_m < widest_m
    return sum(report.weight for report in estimate.microphones) if is_sure else 0.0


def _check_units(events: Sequence[Delays], widest_s: float) -> None:
    """Delays in milliseconds for seconds are far longer than the array; one wrong delay may be."""
    spreads = [np.median(np.abs(each.delay_s - (each.second is None) * np.median(each.delay_s))) for each in events]
    if spreads and widest_s > 0 and min(spreads) > LARGEST_SPREAD * widest_s:
        raise SceneError(
            f"delays of {np.median(spreads):.3g} s, but sound crosses the array in {widest_s:.3g} s: are they in "
            "milliseconds (delay_ms), or positions not in metres?"
        )


def _over_all(
    estimates: Sequence[tuple[MicrophoneReport, ...]], request: DelaysRequest
) -> tuple[MicrophoneReport, ...]:
    """A microphone is bad that was wrong in most events that it heard, and in several."""
    names = range(len(request.microphones))
    return tuple(_summed([reports[m] for reports in estimates if reports], m, request.microphones) for m in names)


def _summed(reports: Sequence[MicrophoneReport], m: int, microphones: Microphones) -> MicrophoneReport:
    heard = [report for report in reports if report.pull_m is not None]
    bad = [report for report in heard if report.status == "excluded"]
    is_bad = len(bad) >= FEWEST_EVENTS and 2 * len(bad) > len(heard)
    pulls = [report.pull_m for report in (bad if is_bad else heard) if report.pull_m is not None]
    return MicrophoneReport(
        name=microphones.names[m],
        status="excluded" if is_bad else "ok" if microphones.is_known[m] else "unknown-position",
        weight=float(np.mean([report.weight for report in heard])) if heard else 0.0,
        position_m=microphones.positions[m] if microphones.is_known[m] else None,
        pull_m=float(np.median(pulls)) if pulls else None,
    )
