"""`soundfix.check`, as the command: what an array can and can never tell."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from soundfix.api.listening import listened
from soundfix.api.result import Image, dataframe, html_table, picture, shortened, write_json
from soundfix.api.sound import Audio, Listed, Sound, open_sound, scenes
from soundfix.calibration.order_check import OrderCheck
from soundfix.files.polygons import told_region
from soundfix.files.take import window_for
from soundfix.report.survey import plot_survey, survey_dict, survey_lines
from soundfix.scene import Band, Room, Scene, checked_speed
from soundfix.search_region import Numbers, SearchRegion
from soundfix.survey.channel_grades import MicrophoneGrade
from soundfix.survey.requirement import Requirement, parse_requirement
from soundfix.survey.survey import Survey, survey

COLUMNS = ("name", "grade", "why", "is_used", "x_m", "y_m", "z_m", "level_db", "shared", "median_error_without_m")
HEAD = ("microphone", "grade", "level (dB)", "why")


@dataclass(frozen=True, kw_only=True, eq=False)
class CheckRequest:
    """What was asked for; the options are those of `check`. require: read already."""

    sound: Sound
    room: Room | None = None
    search: SearchRegion | None = None
    temperature_c: float | None = None
    speed_of_sound_m_s: float | None = None
    require: Requirement | None = None
    band_hz: Band | None = None

    @property
    def window_s(self) -> float:
        """Length of a window, which suits the array."""
        speed_m_s = checked_speed(self.speed_of_sound_m_s, self.temperature_c)
        return window_for(self.sound.microphones, speed_m_s)

    @property
    def count(self) -> int:
        """Windows to listen to."""
        return self.sound.count_windows(self.window_s, self.window_s)


def run(request: CheckRequest, watch: Callable[[], None] = lambda: None) -> Survey:
    """Check as asked; `watch` is called after every window."""
    order = OrderCheck()
    windows = scenes(
        request.sound, request.window_s, request.window_s, room=request.room, temperature_c=request.temperature_c,
        speed=request.speed_of_sound_m_s, band_hz=request.band_hz, watch=watch,
    )  # fmt: skip
    found = survey(
        request.sound.microphones, room=request.room, search=request.search, windows=_told(order, windows),
        require=request.require,
    )  # fmt: skip
    return replace(found, exchanged=order.exchanged())


def _told(order: OrderCheck, windows: Iterator[Scene]) -> Iterator[Scene]:
    """The same, each told to the check on the way."""
    for scene in windows:
        order.hear(scene)
        yield scene


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Checked:
    """An array, judged: what `soundfix check` prints and writes. survey: all of it. notes: what was assumed of the files."""

    survey: Survey
    notes: tuple[str, ...] = ()

    @property
    def microphones(self) -> tuple[MicrophoneGrade, ...]:
        """The grade of each, and why; positions in m, levels in dB."""
        return self.survey.microphones

    @property
    def exchanged(self) -> tuple[tuple[str, str], ...]:
        """Each channel that hears as if it stood at another's row of the list, and whose."""
        return self.survey.exchanged

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers (m, s), named as in the JSON file of the command."""
        return survey_dict(self.survey)

    def to_json(self, path: str | Path) -> None:
        """Write the JSON file of `soundfix check --json`. Raises OutputError where it cannot be written."""
        write_json(path, self.to_dict())

    def to_dataframe(self) -> Any:
        """A pandas.DataFrame, a row a microphone: its grade, place (m), level (dB), and the median error without it (m).

        Raises MissingPackageError without pandas.
        """
        without_m = {loss.name: loss.error_m for loss in self.survey.losses}
        rows = zip(self.microphones, self.survey.is_used, strict=True)
        return dataframe((_row(each, bool(is_used), without_m.get(each.name)) for each, is_used in rows), COLUMNS)

    def plot(self, path: str | Path | None = None) -> Image | None:
        """Draw the map of predicted errors: to a .png file, or without a path as an Image that a notebook shows.

        Raises OutputError for another suffix, MissingPackageError without matplotlib.
        """
        return picture(partial(plot_survey, self.survey), path)

    def __repr__(self) -> str:
        """How many are usable, those that are not good, and the geometry."""
        first, *rest = survey_lines(self.survey)
        doubtful = [line for line, each in zip(rest, self.microphones, strict=False) if each.grade != "good"]
        others = [line for line in rest[len(self.microphones) :] if line]
        return "\n".join([first, *shortened(doubtful), *shortened(others)])

    def _repr_html_(self) -> str:
        rows = [(each.name, each.grade, _level(each), each.why) for each in self.microphones]
        lines = [line.strip() for line in survey_lines(self.survey) if line]
        return html_table(HEAD, rows, [lines[0], *lines[1 + len(rows) :]])


def check(
    audio: Audio,
    microphones: Listed | None = None,
    *,
    sample_rate: float | None = None,
    room: Room | None = None,
    search: SearchRegion | Numbers | str | Path | None = None,
    height_m: Numbers | None = None,
    temperature_c: float | None = None,
    speed_of_sound_m_s: float | None = None,
    require: str | Requirement | None = None,
    band_hz: Band | None = None,
) -> Checked:
    """Grade the microphones and their geometry before you trust them: what this array can and can never tell.

        checked = soundfix.check("take.wav", "microphones.csv", room=((0, 0, 0), (6, 5, 3)))

    audio: a Take, paths of files or a folder, or an array (M, T) of M microphones with its sample_rate in Hz. microphones:
    path of a list, Microphones, or positions (M, 3) in metres, a row of NaN for an unknown one; a Take has its own.
    room: ((x0, y0, z0), (x1, y1, z1)) in metres. search, height_m: where a source may be, as for locate.
    temperature_c: of the air, in °C; speed_of_sound_m_s, in m/s, wins over it; 343.2 m/s with neither. require: what must
    hold when microphones are lost, such as "20cm 95% minus 2".
    band_hz: (lowest, highest) frequency that is listened to, in Hz, as in `soundfix.locate`.

    Raises SceneError on what cannot be right, AudioFileError and MicrophoneFileError on files, ConfigError on require.
    """
    sound, band_hz = listened(open_sound(audio, sample_rate, microphones), band_hz)
    request = CheckRequest(
        sound=sound,
        band_hz=band_hz,
        room=room,
        search=told_region(search, height_m),
        temperature_c=temperature_c,
        speed_of_sound_m_s=speed_of_sound_m_s,
        require=parse_requirement(require) if require else None,
    )
    return Checked(survey=run(request), notes=request.sound.notes)


def _row(graded: MicrophoneGrade, is_used: bool, without_m: float | None) -> list[Any]:
    place = [None] * 3 if graded.position_m is None else graded.position_m.tolist()
    return [graded.name, graded.grade, graded.why, is_used, *place, graded.level_db, graded.shared, without_m]


def _level(graded: MicrophoneGrade) -> str:
    return "" if graded.level_db is None else f"{graded.level_db:+.0f}"
