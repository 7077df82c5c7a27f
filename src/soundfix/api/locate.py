"""`soundfix.locate`, as the command: a whole recording located, window by window."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from soundfix import __version__
from soundfix.api.events import Listed as ListedEvent
from soundfix.api.events import listed_events, run_events
from soundfix.api.listening import listened
from soundfix.api.result import Image, dataframe, html_table, picture, shortened
from soundfix.api.sound import Audio, Listed, Sound, open_sound
from soundfix.api.windows import followed, heard_windows
from soundfix.calibration.hypotheses import FaultHypothesis
from soundfix.errors import ConfigError, SceneError
from soundfix.estimate import Air, Estimate, Localizer, MicrophoneReport
from soundfix.files.events.reading import EventTable, read_events
from soundfix.files.polygons import told_region
from soundfix.files.silences import Silence
from soundfix.files.take import window_for
from soundfix.methods.catalog import DEFAULT, load
from soundfix.microphones import Microphones
from soundfix.report.exports import CSV_COLUMNS, CsvWriter, JsonWriter, source_rows
from soundfix.report.geojson import GeoJsonWriter, crs_of
from soundfix.report.plots import plot_estimates
from soundfix.report.raven import write_raven
from soundfix.report.summary import summary_dict, summary_lines
from soundfix.report.text import describe, describe_direction
from soundfix.report.turns import write_turns
from soundfix.scene import Band, Room, checked_speed
from soundfix.search_region import Numbers, SearchRegion
from soundfix.session.microphone_history import Event
from soundfix.session.session import Session
from soundfix.session.summary import Summary
from soundfix.survey.requirement import Promise, Requirement, known_array, parse_requirement, promise
from soundfix.survey.start_offsets import StartOffset
from soundfix.tracking.turns import Turn, turns

HEAD = ("start (s)", "verdict", "x (m)", "y (m)", "z (m)", "90 % (cm)", "reasons")


@dataclass(frozen=True, kw_only=True, eq=False)
class LocateRequest:
    """What was asked for; the options are those of `locate`. require, events: read already. Raises ConfigError."""

    sound: Sound
    method: str | Localizer = DEFAULT
    checkpoint: str | Path | None = None
    beats: str | Path | None = None
    explain: bool = False
    window_s: float | None = None
    hop_s: float | None = None
    smooth: bool = False
    tracks: bool = False
    room: Room | None = None
    search: SearchRegion | None = None
    temperature_c: float | None = None
    speed_of_sound_m_s: float | None = None
    require: Requirement | None = None
    band_hz: Band | None = None
    events: tuple[ListedEvent, ...] | None = None

    def __post_init__(self) -> None:
        idle = {"window": self.window_s, "hop": self.hop_s, "require": self.require}
        idle |= {"smooth": self.smooth or None, "tracks": self.tracks or None}
        given = [name for name, value in idle.items() if value is not None]
        if self.events is not None and given:
            raise ConfigError(f"{given[0]} does nothing with events, which are located one by one: leave it out")

    @property
    def speed(self) -> float:
        """Of sound (m/s)."""
        return checked_speed(self.speed_of_sound_m_s, self.temperature_c)

    @property
    def span_s(self) -> tuple[float, float]:
        """Length of a window, which without one suits the array, and from window to window: its length without a hop."""
        window_s = window_for(self.sound.microphones, self.speed) if self.window_s is None else self.window_s
        return window_s, window_s if self.hop_s is None else self.hop_s

    @property
    def count(self) -> int:
        """Windows, or events, to go through."""
        return self.sound.count_windows(*self.span_s) if self.events is None else len(self.events)

    def promise(self) -> Promise | None:
        """What the array can keep of the contract, if there is one."""
        if self.require is None:
            return None
        return promise(self.require, known_array(self.sound.microphones, self.room, self.search))

    def localizer(self) -> Localizer:
        """The method, with the options that were given: it takes only those it knows."""
        told = {"checkpoint": self.checkpoint, "beats": self.beats, "explains": self.explain}
        options = {name: value for name, value in told.items() if value not in (None, False)}
        if isinstance(self.method, str):
            return load(self.method, **options)
        if options:
            raise ConfigError(f"{min(options)} does nothing for {self.method!r}: give it where that is made")
        return self.method

    def session(self) -> Session:
        """With the method loaded, before the first window."""
        return Session(
            localizer=self.localizer(),
            microphones=self.sound.microphones,
            room=self.room,
            search=self.search,
            temperature_c=self.temperature_c,
            speed_of_sound_m_s=self.speed_of_sound_m_s,
            require=self.require,
            band_hz=self.band_hz,
        )


def run(
    request: LocateRequest, watch: Callable[[Estimate], None], passed: Callable[[], None] = lambda: None
) -> Summary:
    """Locate as asked: `watch` is told every estimate as it comes, `passed` is called for every window in which nothing
    stands out; what all say together comes back. Keeps no window."""
    session = request.session()
    if request.events is not None:
        run_events(session, request.sound, request.events, watch)
        return session.conclusion()
    heard = heard_windows(request.sound, request.span_s, session, with_level=request.tracks, passed=passed)
    for estimate in followed(heard, tracks=request.tracks, smooth=request.smooth):
        watch(estimate)
    return replace(session.conclusion(), silences=request.sound.silences)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Located:
    """A whole recording, located: what `soundfix locate` prints and writes.

    estimates: one a window, places in m, times in s. microphones: the verdict on every microphone over all windows; events:
    when one changed (s from the start). explanations: by name, why one is bad. starts: microphones that do not begin with
    the others. listed: the microphones as they were given, positions (M, 3) in m. method: its name. room: the box that was
    given (m). speed_m_s: of sound. notes: what was assumed of the files. band_hz: that was listened to, where it was not the
    usual one. silences: when files of some microphones have no sound, but others have. list_unit: in which the positions fit
    the sound, where that is not metres. passed_over: windows in which nothing stood out. air: the speed of sound that fits
    all of it, of wide arrays, and air_contradicts: whether that is not speed_m_s. table: of events, where one was given;
    then an estimate is one of its events. has_tracks: whether sources say which track they are of.
    """

    estimates: tuple[Estimate, ...]
    microphones: tuple[MicrophoneReport, ...]
    listed: Microphones
    method: str
    speed_m_s: float
    room: Room | None = None
    events: tuple[Event, ...] = ()
    explanations: Mapping[str, FaultHypothesis] = field(default_factory=dict)
    starts: tuple[StartOffset, ...] = ()
    notes: tuple[str, ...] = ()
    band_hz: Band | None = None
    silences: tuple[Silence, ...] = ()
    list_unit: str | None = None
    passed_over: int = 0
    air: Air | None = None
    air_contradicts: bool = False
    table: EventTable | None = None
    has_tracks: bool = False

    @property
    def summary(self) -> Summary:
        """What all windows together say of the microphones."""
        return Summary(
            events=self.events,
            microphones=self.microphones,
            explanations=self.explanations,
            speed_m_s=self.speed_m_s,
            starts=self.starts,
            band_hz=self.band_hz,
            silences=self.silences,
            list_unit=self.list_unit,
            passed_over=self.passed_over,
            air=self.air,
            air_contradicts=self.air_contradicts,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers (m, s, Hz), named as in the JSON file of the command."""
        head = {"method": self.method, "version": __version__}
        return head | {"estimates": [each.to_dict() for each in self.estimates]} | summary_dict(self.summary)

    def to_json(self, path: str | Path) -> None:
        """Write the JSON file of `soundfix locate --json`. Raises OutputError where it cannot be written."""
        with JsonWriter(path, self.method, __version__) as writer:
            for estimate in self.estimates:
                writer.write(estimate)
            writer.conclude(self.summary)

    def to_csv(self, path: str | Path) -> None:
        """Write the CSV file of `soundfix locate --csv`: a row a source. Raises OutputError where it cannot be written."""
        with CsvWriter(path) as writer:
            for estimate in self.estimates:
                writer.write(estimate)

    def to_geojson(self, path: str | Path, crs: str | None = None) -> None:
        """Write the GeoJSON file of `soundfix locate --geojson`: of every source a point and its region, in degrees.

        crs: of the positions (m), such as "EPSG:32632", where their list does not say it. Raises ConfigError where neither
        does, MissingPackageError without pyproj, OutputError where it cannot be written."""
        with GeoJsonWriter(path, crs_of(self.listed, crs)) as writer:
            for estimate in self.estimates:
                writer.write(estimate)

    def to_raven(self, path: str | Path) -> None:
        """Write the table of events with its answers (m), as `soundfix locate --raven`: a selection table of Raven.

        Raises ConfigError where there were no events, OutputError where it cannot be written.
        """
        if self.table is None:
            raise ConfigError("no table of events was located, wanted soundfix.locate(..., events=FILE)")
        write_raven(path, self.table, self.estimates)

    def turns(self) -> list[Turn]:
        """Who sounded when (s) and where (m), in order of time; of recordings that were located with tracks=True.

        Raises ConfigError of others."""
        if not self.has_tracks:
            raise ConfigError("no tracks were followed, wanted soundfix.locate(..., tracks=True)")
        return turns(self.estimates)

    def to_turns(self, path: str | Path, recording: str = "recording") -> None:
        """Write them, as `soundfix locate --turns`: a .csv file, or .rttm with this name of the recording.

        Raises ConfigError without tracks, OutputError for another suffix and where it cannot be written."""
        write_turns(path, self.turns(), recording)

    def to_dataframe(self) -> Any:
        """A pandas.DataFrame with the columns of the CSV file, a row a source (m, s); coordinates are missing where there
        is no answer. Raises MissingPackageError without pandas."""
        return dataframe((row for each in self.estimates for row in source_rows(each)), CSV_COLUMNS)

    def plot(self, path: str | Path | None = None) -> Image | None:
        """Draw microphones and sources (m): to a .png or .html file, or without a path as an Image that a notebook shows.

        Raises OutputError for another suffix, MissingPackageError without matplotlib or plotly.
        """
        return picture(partial(plot_estimates, self.estimates, self.listed, self.room), path)

    def __repr__(self) -> str:
        lines, what = shortened(map(describe, self.estimates)), "windows" if self.table is None else "events"
        return "\n".join([f"Located by {self.method}: {len(self.estimates)} {what}", *lines, *self._told()])

    def _repr_html_(self) -> str:
        rows = [row for estimate in self.estimates for row in _html_rows(estimate)]
        return html_table(HEAD, rows, self._told())

    def _told(self) -> list[str]:
        return shortened(summary_lines(self.summary))


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
    position_sigma_m: float | None = None,
    clock_sigma_s: float | None = None,
    require: str | Requirement | None = None,
    band_hz: Band | None = None,
    events: str | Path | EventTable | None = None,
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
    tracks: follow who is who: sources say their track and level (dB of full scale), and `Located.turns` who sounded when;
    with smooth, places are those of the tracks.
    room: ((x0, y0, z0), (x1, y1, z1)) in metres, where walls are, known to 10 cm: their echoes are listened for.
    search: where a source may be, which says nothing of walls: such a box, the corners (x, y) of a polygon, or their file.
    height_m: of the source, or the lowest and the highest; told to 5 cm it is known, and 3 microphones are enough.
    temperature_c: of the air, in °C; speed_of_sound_m_s, in m/s, wins over it; 343.2 m/s with neither.
    position_sigma_m, clock_sigma_s: standard errors of positions (m) and clocks (s), where the list says none: what these
    explain is held against nobody. Outdoors, in arrays wider than 25 m, usual ones are taken where nothing is told.
    require: what must hold when microphones are lost, such as "20cm 95% minus 2": estimates say where it is at risk.
    band_hz: (lowest, highest) frequency that is listened to, in Hz; without it up to 8 kHz, or, where microphones share
    nothing there, the band above that they share.
    events: the path of a Raven selection table, of Audacity labels, or of detections of locaR, BirdNET or OpenSoundscape:
    an answer for each of them, in its own time and band (band_hz: that of all), by the stations that hear it.
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
        require=parse_requirement(require) if require else None,
        events=listed,
    )
    estimates: list[Estimate] = []
    return _located(request, run(request, estimates.append), estimates, table)


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


def _located(request: LocateRequest, summary: Summary, estimates: list[Estimate], table: EventTable | None) -> Located:
    return Located(
        estimates=tuple(estimates),
        microphones=summary.microphones,
        listed=request.sound.microphones,
        method=request.method if isinstance(request.method, str) else request.method.name,
        speed_m_s=summary.speed_m_s,
        room=request.room,
        events=summary.events,
        explanations=summary.explanations,
        starts=summary.starts,
        notes=request.sound.notes,
        band_hz=summary.band_hz,
        silences=summary.silences,
        list_unit=summary.list_unit,
        passed_over=summary.passed_over,
        air=summary.air,
        air_contradicts=summary.air_contradicts,
        table=table,
        has_tracks=request.tracks,
    )


def _renamed(positions: ArrayLike | Microphones, microphones: Listed | None) -> Listed:
    """The argument under its former name."""
    if microphones is not None:
        raise SceneError("both microphones and positions were given: positions is the former name, leave it out")
    warnings.warn("positions= is called microphones= now", DeprecationWarning, stacklevel=3)
    return positions if isinstance(positions, Microphones) else np.asarray(positions)


def _html_rows(estimate: Estimate) -> list[tuple[str, ...]]:
    """A row a source, in metres and centimetres."""
    span, reasons = (f"{estimate.start_s:.2f}", estimate.verdict), " ".join(estimate.reasons)
    if estimate.direction:
        return [(*span, "", "", "", "", f"{describe_direction(estimate.direction)} {reasons}")]
    if not estimate.sources:
        return [(*span, "", "", "", "", reasons)]
    return [
        (*span, *(f"{coordinate:.2f}" for coordinate in source.position_m), f"{100 * source.radius90_m:.0f}", reasons)
        for source in estimate.sources
    ]
