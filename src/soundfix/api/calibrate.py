"""`soundfix.calibrate`, as the command: where microphones really stand and how their clocks run."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from soundfix.api.listening import listened
from soundfix.api.result import Image, dataframe, html_table, picture, shortened, write_json
from soundfix.api.sound import Audio, Listed, Sound, open_sound, scenes
from soundfix.calibration.bundle import Arrivals
from soundfix.calibration.calibrate import Clocks
from soundfix.calibration.calibrate import calibrate as solve_for
from soundfix.calibration.event_arrivals import FEWEST_HEARD, event_arrivals
from soundfix.calibration.field import tell_clocks
from soundfix.calibration.findings import Calibration, MicrophoneFinding
from soundfix.calibration.observations import Observations, moments, observe
from soundfix.files.microphones import write_microphones
from soundfix.files.take import window_for
from soundfix.microphones import Microphones
from soundfix.networks import checkpoint
from soundfix.physics import radius90
from soundfix.report import calibration as report
from soundfix.scene import OUTDOORS_M, Band, Room, Scene, checked_speed
from soundfix.session.standing_out import Window, is_field, standing_out

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
    def speed_m_s(self) -> float:
        """Speed of sound, as it was told."""
        return checked_speed(self.speed_of_sound_m_s, self.temperature_c)

    @property
    def tells_clocks_only(self) -> bool:
        """Whether recorders stand in the field, all of known positions: of what few sounds there tell."""
        microphones = self.sound.microphones
        is_wide = self.room is None and microphones.width_m > OUTDOORS_M
        return bool(is_wide and microphones.is_known.all() and len(microphones) >= FEWEST_HEARD)

    @property
    def span_s(self) -> tuple[float, float]:
        """Length of a window, which suits the array, and from window to window."""
        window_s = window_for(self.sound.microphones, self.speed_m_s)
        if self.tells_clocks_only:  # a whole song, and its way across the array
            return 2 * window_s, window_s
        return moments(self.sound.duration_s, window_s)

    @property
    def count(self) -> int:
        """Windows to listen to."""
        return self.sound.count_windows(*self.span_s)


Heard = Observations | Arrivals


def hear(request: CalibrateRequest, watch: Callable[[], None] = lambda: None) -> Heard:
    """Listen to the whole recording; `watch` is called after every window."""
    if request.tells_clocks_only:
        return event_arrivals(_outstanding(request, watch))
    windows = scenes(
        request.sound, *request.span_s, room=request.room, temperature_c=request.temperature_c,
        speed=request.speed_of_sound_m_s, band_hz=request.band_hz, watch=watch,
    )  # fmt: skip
    return observe(checkpoint.load(checkpoint.PACKAGED), windows)


def _outstanding(request: CalibrateRequest, watch: Callable[[], None]) -> Iterator[Scene]:
    """Of a long recording only windows in which something stands out."""
    sound, windows = request.sound, request.sound.windows(*request.span_s)
    told: Iterable[tuple[Window, bool]] = ((window, True) for window in windows)
    if is_field(sound.microphones, request.count):
        reach_s = sound.microphones.width_m / request.speed_m_s
        told = standing_out(windows, sound.sample_rate, reach_s=reach_s, band_hz=request.band_hz)
    for (start_s, audio), stands_out in told:
        if stands_out:
            yield Scene(
                audio=audio, sample_rate=sound.sample_rate, microphones=sound.microphones, start_s=start_s,
                temperature_c=request.temperature_c, speed_of_sound_m_s=request.speed_of_sound_m_s,
                band_hz=request.band_hz,
            )  # fmt: skip
        watch()


def solve(request: CalibrateRequest, heard: Heard, watch: Callable[[str], None] = lambda step: None) -> Calibration:
    """What is behind it, as asked; `watch` is told what is done now."""
    if isinstance(heard, Arrivals):
        watch("whose clock is off")
        return tell_clocks(
            heard, request.sound.microphones, request.speed_m_s, clocks=request.clocks, seed=request.seed
        )
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

    In the field, where microphones are more than 25 m apart and no room is told, positions stay as listed, and a few loud
    sounds at different places tell clocks.
    Raises SceneError on what cannot be right, or too little that is heard, or moves; AudioFileError and
    MicrophoneFileError on files.
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
