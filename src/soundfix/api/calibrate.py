"""`soundfix.calibrate`, as the command: where microphones really stand and how their clocks run."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from soundfix.api.listening import listened
from soundfix.api.result import Image, dataframe, html_table, picture, shortened, write_json
from soundfix.api.sound import Audio, Listed, Sound, open_sound, scenes
from soundfix.calibration.calibrate import Clocks
from soundfix.calibration.calibrate import calibrate as solve_for
from soundfix.calibration.findings import Calibration, MicrophoneFinding
from soundfix.calibration.observations import Observations, moments, observe
from soundfix.files.microphones import write_microphones
from soundfix.files.take import window_for
from soundfix.microphones import Microphones
from soundfix.networks import checkpoint
from soundfix.physics import radius90
from soundfix.report import calibration as report
from soundfix.scene import Band, Room, checked_speed

COLUMNS = (
    "name", "finding", "x_m", "y_m", "z_m", "radius90_m", "moved_m", "offset_s", "offset_sigma_s", "drift_ppm",
    "drift_sigma_ppm", "before_m", "after_m", "other",
)  # fmt: skip
HEAD = ("microphone", "finding", "x (m)", "y (m)", "z (m)", "offset (ms)")
MOST_TOLD = 16  # lines of a repr


@dataclass(frozen=True, kw_only=True, eq=False)
class CalibrateRequest:
    """What was asked for; the options are those of `calibrate`."""

    sound: Sound
    clocks: Clocks = "common"
    room: Room | None = None
    temperature_c: float | None = None
    speed_of_sound_m_s: float | None = None
    seed: int = 0
    band_hz: Band | None = None

    @property
    def span_s(self) -> tuple[float, float]:
        """Length of a window, which suits the array, and from window to window."""
        speed_m_s = checked_speed(self.speed_of_sound_m_s, self.temperature_c)
        return moments(self.sound.duration_s, window_for(self.sound.microphones, speed_m_s))

    @property
    def count(self) -> int:
        """Windows to listen to."""
        return self.sound.count_windows(*self.span_s)


def hear(request: CalibrateRequest, watch: Callable[[], None] = lambda: None) -> Observations:
    """Listen to the whole recording; `watch` is called after every window."""
    windows = scenes(
        request.sound, *request.span_s, room=request.room, temperature_c=request.temperature_c,
        speed=request.speed_of_sound_m_s, band_hz=request.band_hz, watch=watch,
    )  # fmt: skip
    return observe(checkpoint.load(checkpoint.PACKAGED), windows)


def solve(
    request: CalibrateRequest, heard: Observations, watch: Callable[[str], None] = lambda step: None
) -> Calibration:
    """What is behind it, as asked; `watch` is told what is done now."""
    return solve_for(
        heard, request.sound.microphones, room=request.room, clocks=request.clocks, seed=request.seed, watch=watch
    )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Calibrated:
    """An array, calibrated: what `soundfix calibrate` prints and writes.

    calibration: all that was found. listed: the microphones as they were given, positions (M, 3) in m. room: the
    box that was given (m). notes: what was assumed of the files.
    """

    calibration: Calibration
    listed: Microphones
    room: Room | None = None
    notes: tuple[str, ...] = ()

    @property
    def microphones(self) -> Microphones:
        """The corrected list, to locate with: positions (M, 3) in m, clocks in s and ppm."""
        return self.calibration.microphones

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers (m, s, m/s), named as in the JSON file of the command."""
        return report.as_dict(self.calibration)

    def to_json(self, path: str | Path) -> None:
        """Write the JSON file of `soundfix calibrate --json`. Raises OutputError where it cannot be written."""
        write_json(path, self.to_dict())

    def to_csv(self, path: str | Path) -> None:
        """Write the corrected list, as `soundfix calibrate --out`. Raises OutputError where it cannot be written."""
        write_microphones(path, self.microphones)

    def to_dataframe(self) -> Any:
        """A pandas.DataFrame, a row a microphone: what was found, its place (m) and its clock (s, ppm).

        Raises MissingPackageError without pandas.
        """
        return dataframe(map(_row, self.calibration.repairs), COLUMNS)

    def plot(self, path: str | Path | None = None) -> Image | None:
        """Draw the array as listed and as found: to a .png file, or without a path as an Image that a notebook shows.

        Raises OutputError for another suffix, MissingPackageError without matplotlib.
        """
        return picture(partial(report.plot, self.calibration, self.listed, self.room), path)

    def __repr__(self) -> str:
        return "\n".join(shortened(report.lines(self.calibration, self.listed), MOST_TOLD))

    def _repr_html_(self) -> str:
        lines = list(report.lines(self.calibration, self.listed))
        rows = [_html_row(repair) for repair in self.calibration.repairs]
        return html_table(HEAD, rows, [lines[0], *lines[1 + len(rows) :]])


def calibrate(
    audio: Audio,
    microphones: Listed | None = None,
    *,
    sample_rate: float | None = None,
    clocks: Clocks = "common",
    room: Room | None = None,
    temperature_c: float | None = None,
    speed_of_sound_m_s: float | None = None,
    seed: int = 0,
    band_hz: Band | None = None,
) -> Calibrated:
    """Where microphones really stand and how their clocks run, from seconds to minutes of a sound that moves.

        calibrated = soundfix.calibrate("walk.wav", "microphones.csv")
        located = soundfix.locate("take.wav", microphones=calibrated.microphones)

    audio: a Take, paths of files or a folder, or an array (M, T) of M microphones with its sample_rate in Hz. microphones:
    path of a list, Microphones, or positions (M, 3) in metres; a row of NaN is solved for, a wrong one corrected; a Take has
    its own. clocks: "common", or "free" where every recorder has its own (offsets in s and drifts in ppm unknown).
    room: ((x0, y0, z0), (x1, y1, z1)) in metres. temperature_c: of the air, in °C; speed_of_sound_m_s, in m/s, wins over it;
    343.2 m/s with neither. seed: of the places that are tried.
    band_hz: (lowest, highest) frequency that is listened to, in Hz, as in `soundfix.locate`.

    Raises SceneError on what cannot be right, or too little that moves; AudioFileError and MicrophoneFileError on files.
    """
    sound, band_hz = listened(open_sound(audio, sample_rate, microphones), band_hz)
    request = CalibrateRequest(
        sound=sound,
        band_hz=band_hz,
        clocks=clocks,
        room=room,
        temperature_c=temperature_c,
        speed_of_sound_m_s=speed_of_sound_m_s,
        seed=seed,
    )
    found = solve(request, hear(request))
    return Calibrated(calibration=found, listed=request.sound.microphones, room=room, notes=request.sound.notes)


def _row(repair: MicrophoneFinding) -> list[Any]:
    radius_m = radius90(repair.covariance_m2) if repair.covariance_m2.any() else 0.0
    clock = [repair.offset_s, repair.offset_sigma_s, repair.drift_ppm, repair.drift_sigma_ppm]
    misfit = [repair.before_m, repair.after_m]
    return [
        repair.name, repair.finding, *repair.position_m.tolist(), radius_m, repair.moved_m, *clock, *misfit, repair.other
    ]  # fmt: skip


def _html_row(repair: MicrophoneFinding) -> tuple[str, ...]:
    place = (f"{coordinate:.2f}" for coordinate in repair.position_m)
    return repair.name, repair.finding, *place, f"{1e3 * repair.offset_s:+.2f}"
