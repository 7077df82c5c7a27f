"""A whole recording, located: what `soundfix.locate` and `soundfix.locate_delays` give back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from soundfix import __version__
from soundfix.api.formats import recorded
from soundfix.api.page import plot_recording
from soundfix.api.request import LocateRequest
from soundfix.api.result import Image, dataframe, html_table, picture, shortened
from soundfix.calibration.hypotheses import FaultHypothesis
from soundfix.errors import ConfigError
from soundfix.estimate import Air, Estimate, MicrophoneReport
from soundfix.files.events.reading import EventTable
from soundfix.files.silences import Silence
from soundfix.microphones import Microphones
from soundfix.report.exports import CSV_COLUMNS, CsvWriter, JsonWriter, source_rows
from soundfix.report.formats import open_format
from soundfix.report.geojson import GeoJsonWriter, crs_of
from soundfix.report.plots import plot_estimates
from soundfix.report.raven import write_raven
from soundfix.report.recorded import Listener, Recorded
from soundfix.report.summary import summary_dict, summary_lines
from soundfix.report.text import describe, describe_direction
from soundfix.report.turns import write_turns
from soundfix.scene import Band, Room
from soundfix.session.microphone_history import Event
from soundfix.session.summary import Interruption, Summary
from soundfix.survey.start_offsets import StartOffset
from soundfix.tracking.turns import Turn, of_kinds, turns

HEAD = ("start (s)", "verdict", "x (m)", "y (m)", "z (m)", "90 % (cm)", "reasons")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Located:
    """A whole recording, located: what `soundfix locate` prints and writes.

    estimates: one a window, places in m, times in s. summary: what all windows together say of the microphones; its fields
    are attributes here too. listed: the microphones as they were given, positions (M, 3) in m. method: its name. room: the
    box that was given (m). notes: what was assumed of the files. table: of events, where one was given; then an estimate is
    one of its events. request: what went in, as in the JSON file, where that is known. has_tracks: whether sources say which
    track they are of. asked: the recording and the options, where there was one.
    """

    estimates: tuple[Estimate, ...]
    summary: Summary
    listed: Microphones
    method: str
    room: Room | None = None
    notes: tuple[str, ...] = ()
    table: EventTable | None = None
    request: Mapping[str, Any] | None = None
    has_tracks: bool = False
    asked: LocateRequest | None = None

    @property
    def microphones(self) -> tuple[MicrophoneReport, ...]:
        """The verdict on every microphone over all windows."""
        return self.summary.microphones

    @property
    def events(self) -> tuple[Event, ...]:
        """When one of them changed (s from the start)."""
        return self.summary.events

    @property
    def explanations(self) -> Mapping[str, FaultHypothesis]:
        """Why a microphone is bad, by its name."""
        return self.summary.explanations

    @property
    def speed_m_s(self) -> float:
        """Of sound (m/s), as it was told."""
        return self.summary.speed_m_s

    @property
    def starts(self) -> tuple[StartOffset, ...]:
        """Microphones that do not begin with the others."""
        return self.summary.starts

    @property
    def band_hz(self) -> Band | None:
        """That was listened to (Hz), where it was not the usual one."""
        return self.summary.band_hz

    @property
    def silences(self) -> tuple[Silence, ...]:
        """When files of some microphones have no sound, but others have."""
        return self.summary.silences

    @property
    def exchanged(self) -> tuple[tuple[str, str], ...]:
        """Each channel that hears as if it stood at another's row of the list, and whose."""
        return self.summary.exchanged

    @property
    def list_unit(self) -> str | None:
        """In which the positions fit the sound, where that is not metres."""
        return self.summary.list_unit

    @property
    def passed_over(self) -> int:
        """Windows in which nothing stood out."""
        return self.summary.passed_over

    @property
    def air(self) -> Air | None:
        """The speed of sound (m/s) that fits all of it, of wide arrays."""
        return self.summary.air

    @property
    def interrupted(self) -> Interruption | None:
        """After how many windows, or events, of how many it was stopped, if it was."""
        return self.summary.interrupted

    @property
    def air_contradicts(self) -> bool:
        """Whether that is not `speed_m_s`."""
        return self.summary.air_contradicts

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers (m, s, Hz), named as in the JSON file of the command."""
        head: dict[str, Any] = {"method": self.method, "version": __version__}
        head |= {"request": self.request} if self.request else {}
        return head | {"estimates": [each.to_dict() for each in self.estimates]} | summary_dict(self.summary)

    def to_json(self, path: str | Path) -> None:
        """Write the JSON file of `soundfix locate --json`. Raises OutputError where it cannot be written."""
        with JsonWriter(path, self.method, __version__, self.request) as writer:
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

    def write_as(
        self, name: str, path: str | Path, *, listener_m: ArrayLike | None = None, heading_deg: float = 0.0
    ) -> None:
        """Write another program's file, as `soundfix locate --as NAME:PATH`: audacity, birdnet, dcase, odas, opensoundscape,
        rerun or ros2.

        listener_m: (3,) in m, of who hears it, for dcase; heading_deg: the way ahead, from the x axis towards the y axis.
        Raises ConfigError on another name and where a listener or windows are missing, OutputError where it cannot be
        written, MissingPackageError without its package."""
        listener = None if listener_m is None else Listener(np.asarray(listener_m, dtype=float), heading_deg)
        told = Recorded(microphones=self.listed, room=self.room, speed_m_s=self.speed_m_s, listener=listener)
        told = told if self.asked is None else recorded(self.asked, self.table, listener)
        with open_format(name, path, told) as writer:
            for estimate in self.estimates:
                writer.write(estimate)

    def turns(self, only: str | Iterable[str] = ()) -> list[Turn]:
        """Who sounded when (s) and where (m), in order of time; of recordings that were located with tracks=True.

        only: kinds of sound, of "speech", "music", "other" and "none" (noise): other turns are left out; all without.
        Raises ConfigError without tracks, and on another kind."""
        if not self.has_tracks:
            raise ConfigError("no tracks were followed, wanted soundfix.locate(..., tracks=True)")
        return of_kinds(turns(self.estimates), only)

    def to_turns(self, path: str | Path, recording: str = "recording", *, only: str | Iterable[str] = ()) -> None:
        """Write them, as `soundfix locate --turns`: a .csv file, or .rttm with this name of the recording.

        only: as in `turns`. Raises ConfigError without tracks and on another kind, OutputError for another suffix and where
        it cannot be written."""
        write_turns(path, self.turns(only), recording)

    def to_dataframe(self) -> Any:
        """A pandas.DataFrame with the columns of the CSV file, a row a source (m, s); coordinates are missing where there
        is no answer. Raises MissingPackageError without pandas."""
        return dataframe((row for each in self.estimates for row in source_rows(each)), CSV_COLUMNS)

    def plot(self, path: str | Path | None = None) -> Image | None:
        """Draw microphones and sources (m): to a .png, .svg, .pdf, .gif or .mp4 file, as a page of its own (.html), or
        without a path as an Image that a notebook shows.

        Raises OutputError for another suffix, MissingPackageError without matplotlib.
        """
        return picture(self._plot, path)

    def _plot(self, path: Path) -> None:
        if self.asked is None:
            plot_estimates(self.estimates, self.listed, self.room, path)
        else:
            plot_recording(self.estimates, self.asked, self.summary, path, self.request)

    def __repr__(self) -> str:
        lines, what = shortened(map(describe, self.estimates)), "windows" if self.table is None else "events"
        return "\n".join([f"Located by {self.method}: {len(self.estimates)} {what}", *lines, *self._told()])

    def _repr_html_(self) -> str:
        rows = [row for estimate in self.estimates for row in _html_rows(estimate)]
        return html_table(HEAD, rows, self._told())

    def _told(self) -> list[str]:
        return shortened(summary_lines(self.summary))


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
