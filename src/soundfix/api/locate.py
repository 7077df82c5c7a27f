"""`soundfix.locate`, as the command: a whole recording located, window by window."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from soundfix.api.events import Listed as ListedEvent
from soundfix.api.events import event_estimates, listed_events
from soundfix.api.listening import listened
from soundfix.api.located import Located
from soundfix.api.provenance import request_dict
from soundfix.api.request import LocateRequest
from soundfix.api.sound import Audio, Listed, Sound, open_sound
from soundfix.api.windows import followed, heard_windows
from soundfix.errors import SceneError
from soundfix.estimate import Estimate, Localizer
from soundfix.files.events.reading import EventTable, read_events
from soundfix.files.polygons import told_region
from soundfix.methods.catalog import DEFAULT
from soundfix.microphones import Microphones
from soundfix.scene import Band, Room
from soundfix.search_region import Numbers, SearchRegion
from soundfix.session.ahead import checked_jobs, working_ahead
from soundfix.session.session import Session
from soundfix.session.summary import Interruption, Summary
from soundfix.survey.requirement import Requirement, parse_requirement


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while a recording was located. summary: of the windows until then; located: these windows."""

    def __init__(self, summary: Summary) -> None:
        super().__init__("the exception's `located` holds what was located until then")
        self.summary = summary
        self.located: Located | None = None


def run(
    request: LocateRequest,
    watch: Callable[[Estimate], None],
    passed: Callable[[], None] = lambda: None,
    stop: Callable[[], bool] = lambda: False,
    jobs: int = 1,
) -> Summary:
    """Locate as asked: `watch` is told every estimate as it comes, `passed` is called for every window in which nothing
    stands out; what all say together comes back. No window begins once `stop` says so. Keeps no window. jobs: processes that
    locate windows. Raises Interrupted on KeyboardInterrupt."""
    jobs = checked_jobs(jobs)
    session, done = request.session(), 0
    try:
        with working_ahead(session, jobs):
            for estimate in _estimates(request, session, passed, stop):
                watch(estimate)
                done += 1
    except KeyboardInterrupt as error:
        raise Interrupted(_concluded(request, session, done)) from error
    return _concluded(request, session, done if stop() else None)


def _concluded(request: LocateRequest, session: Session, done: int | None) -> Summary:
    """What all windows say together; done: how many estimates there are, where somebody stopped it."""
    said = session.conclusion()
    if done is not None and done + said.passed_over < request.count:
        said = replace(said, interrupted=Interruption(done + said.passed_over, request.count))
    return said if request.events is not None else replace(said, silences=request.sound.silences)


def _estimates(
    request: LocateRequest, session: Session, passed: Callable[[], None], stop: Callable[[], bool]
) -> Iterator[Estimate]:
    """Of all events, or all windows, until `stop`; what waits to be smoothed still comes."""
    if request.events is not None:
        return event_estimates(session, request.sound, request.events, stop)
    heard = heard_windows(
        request.sound, request.span_s, session, follows=request.tracks, passes_over=request.passes_over,
        passed=passed, stop=stop,
    )  # fmt: skip
    return followed(heard, tracks=request.tracks, smooth=request.smooth)


def locate(
    audio: Audio,
    sample_rate: float | None = None,
    microphones: Listed | None = None,
    *,
    method: str | Localizer = DEFAULT,
    checkpoint: str | Path | None = None,
    beats: str | Path | None = None,
    explain: bool = False,
    window_s: float | None = None,
    hop_s: float | None = None,
    smooth: bool = False,
    tracks: bool = False,
    room: Room | None = None,
    search: SearchRegion | Numbers | str | Path | None = None,
    height_m: Numbers | None = None,
    temperature_c: float | None = None,
    speed_of_sound_m_s: float | None = None,
    wind_m_s: float | None = None,
    position_sigma_m: float | None = None,
    clock_sigma_s: float | None = None,
    require: str | Requirement | None = None,
    band_hz: Band | None = None,
    events: str | Path | EventTable | None = None,
    jobs: int = 1,
    positions: ArrayLike | Microphones | None = None,
) -> Located:
    """Where the sounds of a recording came from, window by window, and what is wrong with the microphones.

        located = soundfix.locate("take.wav", microphones="microphones.csv")
        located = soundfix.locate(audio, 16000, positions)

    audio: a Take, paths of files or a folder, or an array (M, T) of M microphones, for which sample_rate is its rate in Hz
    (above 16000 Hz it is resampled). microphones: path of a list, Microphones, or positions (M, 3) in metres, a row of NaN
    for an unknown one; a Take has its own.
    method: a name of `soundfix methods`, or a Localizer. checkpoint, beats: files of weights, for a method that takes them;
    explain: estimates say what a network made of every pair.
    window_s: seconds of sound for an answer; half a second, or more for a large array, without it. hop_s: from window to
    window; window_s without it. smooth: one source that moves as people do: smooth its places over time.
    tracks: follow who is who: sources say their track, level (dB of full scale) and kind of sound, `Located.turns` who
    sounded when; with smooth, places are those of the tracks.
    room: ((x0, y0, z0), (x1, y1, z1)) in metres, where walls are, known to 10 cm: their echoes are listened for.
    search: where a source may be, which says nothing of walls: such a box, the corners (x, y) of a polygon, or their file.
    height_m: of the source, or the lowest and the highest; told to 5 cm it is known, and 3 microphones are enough.
    temperature_c: of the air, in °C; speed_of_sound_m_s, in m/s, wins over it; 343.2 m/s with neither.
    wind_m_s: standard error of the wind along each axis, in m/s, where all that is known of it is how strong it may be.
    position_sigma_m, clock_sigma_s: standard errors of positions (m) and clocks (s), where the list says none: what these
    explain is held against nobody. Outdoors, in arrays wider than 25 m, usual ones are taken where nothing is told.
    require: what must hold when microphones are lost, such as "20cm 95% minus 2": estimates say where it is at risk.
    band_hz: (lowest, highest) frequency that is listened to, in Hz; without it up to 8 kHz, or, where microphones share
    nothing there, the band above that they share.
    events: the path of a Raven selection table, of Audacity labels, or of detections of locaR, BirdNET or OpenSoundscape:
    an answer for each of them, in its own time and band (band_hz: that of all), by the stations that hear it.
    jobs: processes that locate windows side by side; the answers are the same, in the same order.
    positions: the former name of microphones, deprecated.

    Raises SceneError on what cannot be right, AudioFileError, MicrophoneFileError and EventFileError on files,
    UnknownMethodError, CheckpointError and ConfigError on options: each in a sentence with the likely cause.
    """
    if positions is not None:
        microphones = _renamed(positions, microphones)
    table = read_events(events) if isinstance(events, str | Path) else events
    sound = with_errors(open_sound(audio, sample_rate, microphones), position_sigma_m, clock_sigma_s)
    sound, band_hz, listed = heard_as(sound, band_hz, table)
    request = LocateRequest(
        sound=sound,
        band_hz=band_hz,
        method=method,
        checkpoint=checkpoint,
        beats=beats,
        explain=explain,
        window_s=window_s,
        hop_s=hop_s,
        smooth=smooth,
        tracks=tracks,
        room=room,
        search=told_region(search, height_m),
        temperature_c=temperature_c,
        speed_of_sound_m_s=speed_of_sound_m_s,
        wind_m_s=wind_m_s,
        require=parse_requirement(require) if require else None,
        events=listed,
    )
    return result(request, table, jobs=jobs)


def result(
    request: LocateRequest,
    table: EventTable | None = None,
    *,
    jobs: int = 1,
    watch: Callable[..., None] = lambda *_: None,
) -> Located:
    """What was asked for, located; table: of its events; jobs: processes; `watch` is called after every window,
    with its estimate, or with nothing where nothing stands out. Raises Interrupted, which holds what there was."""
    estimates, told = list[Estimate](), request_dict(request, table)

    def located(summary: Summary) -> Located:
        return Located(
            estimates=tuple(estimates),
            summary=summary,
            listed=request.sound.microphones,
            method=request.method_name,
            room=request.room,
            notes=request.sound.notes,
            table=table,
            request=told,
            has_tracks=request.tracks,
            asked=request,
        )

    def heard(estimate: Estimate) -> None:
        estimates.append(estimate)
        watch(estimate)

    try:
        return located(run(request, heard, watch, jobs=jobs))
    except Interrupted as stopped:
        stopped.located = located(stopped.summary)
        raise


def with_errors(sound: Sound, position_sigma_m: float | None, clock_sigma_s: float | None) -> Sound:
    """The recording, whose list says so (m, s) where it said nothing."""
    return replace(sound, microphones=sound.microphones.with_errors(position_sigma_m, clock_sigma_s))


def heard_as(
    sound: Sound, band_hz: Band | None, table: EventTable | None
) -> tuple[Sound, Band | None, tuple[ListedEvent, ...] | None]:
    """The recording at the rate that suits its band, or its events; that band (Hz), and those events."""
    if table is None:
        return *listened(sound, band_hz), None
    sound, listed = listed_events(sound, table, band_hz)
    return sound, None, listed


def _renamed(positions: ArrayLike | Microphones, microphones: Listed | None) -> Listed:
    """The argument under its former name."""
    if microphones is not None:
        raise SceneError("both microphones and positions were given: positions is the former name, leave it out")
    warnings.warn("positions= is called microphones= now", DeprecationWarning, stacklevel=3)
    return positions if isinstance(positions, Microphones) else np.asarray(positions)
