"""Answers as a recording of Rerun (.rrd), written by the optional package rerun-sdk, to be watched in its viewer.

Entities: `microphones`, points coloured by their status; `room`, a box, where one was given; `sources`, points, and
`regions`, the ellipsoids that hold them with 90 %; `directions`, arrows, of an array too compact to tell how far. Metres,
z up. The timeline `recording` counts seconds from the start; where files tell when that was, `clock` has the time of day.
An answer stands at the middle of what it was made from, and stays until the next one.
"""

from datetime import UTC
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

from soundfix.atomic import discard, part_path, publish, refused, target_of
from soundfix.errors import MissingPackageError, OutputError
from soundfix.estimate import Estimate, Source
from soundfix.physics import REGION_90
from soundfix.report.recorded import Recorded, called

USED, LEFT_OUT = (60, 160, 70), (214, 69, 65)  # colours of microphones
SURE, UNSURE = (31, 119, 180), (240, 160, 40)  # of sources: ok and degraded; alternatives
ACCEPTED = ("ok", "inverted", "clipped")  # statuses of microphones that are used
MICROPHONE_M, SOURCE_M = 0.04, 0.06  # radii of points
ARROW = 0.5  # of the width of the array
TIMELINE, CLOCK = "recording", "clock"


class RerunWriter:
    """An .rrd file, whole at the end. Raises OutputError, and MissingPackageError without rerun-sdk."""

    def __init__(self, path: Path | str, recorded: Recorded) -> None:
        self._rerun, self._recorded = _rerun(), recorded
        self._target = target_of(path)
        self._part = part_path(self._target)

    def __enter__(self) -> "RerunWriter":
        self._stream = self._rerun.RecordingStream("soundfix")
        try:
            self._stream.save(self._part)
        except OSError as error:
            raise refused(self._target, error) from error
        self._stream.log("/", self._rerun.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        if self._recorded.room:
            low, high = np.array(self._recorded.room)
            box = self._rerun.Boxes3D(centers=[(low + high) / 2], half_sizes=[(high - low) / 2])
            self._stream.log("room", box, static=True)
        return self

    def write(self, estimate: Estimate) -> None:
        middle_s = (estimate.start_s + estimate.end_s) / 2
        self._stream.set_time(TIMELINE, duration=middle_s)
        if starts_at := self._recorded.starts_at:
            at = starts_at if starts_at.tzinfo else starts_at.replace(tzinfo=UTC)
            self._stream.set_time(CLOCK, timestamp=at.timestamp() + middle_s)
        self._log_microphones(estimate)
        self._log_sources(estimate)
        self._log_directions(estimate)

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self._stream.flush()
            self._stream.disconnect()
            if kind is None:
                publish(self._part, self._target)
        except (OSError, RuntimeError) as error:  # its writer is a thread, and says so late
            if kind is None:
                raise _unwritten(self._target, error) from error
        finally:
            discard(self._part)

    def _log_microphones(self, estimate: Estimate) -> None:
        microphones = self._recorded.microphones
        status = {report.name: report.status for report in estimate.microphones}
        shown = [(name, status.get(name, "ok")) for name in microphones.where(microphones.is_known).names]
        points = self._rerun.Points3D(
            microphones.positions[microphones.is_known], radii=MICROPHONE_M,
            colors=[USED if each in ACCEPTED else LEFT_OUT for _, each in shown],
            labels=[name if each == "ok" else f"{name} {each}" for name, each in shown],
        )  # fmt: skip
        self._stream.log("microphones", points)

    def _log_sources(self, estimate: Estimate) -> None:
        """None clears those of before."""
        found = () if estimate.direction else estimate.sources
        colour = UNSURE if estimate.verdict == "ambiguous" else SURE
        axes = [_ellipsoid(source) for source in found]
        places_m, colours = [source.position_m for source in found], [colour] * len(found)
        points = self._rerun.Points3D(
            places_m, radii=SOURCE_M, colors=colours,
            labels=[called(estimate, source) or estimate.verdict for source in found],
        )  # fmt: skip
        regions = self._rerun.Ellipsoids3D(
            centers=places_m, half_sizes=[half for half, _ in axes], colors=colours,
            quaternions=[self._rerun.Quaternion(xyzw=turn) for _, turn in axes],
        )  # fmt: skip
        self._stream.log("sources", points)
        self._stream.log("regions", regions)

    def _log_directions(self, estimate: Estimate) -> None:
        sides = estimate.direction.sides if estimate.direction else ()
        reach_m = ARROW * max(self._recorded.microphones.width_m, SOURCE_M)
        arrows = self._rerun.Arrows3D(
            origins=[side.from_m for side in sides], vectors=[reach_m * side.unit for side in sides],
            labels=[f"±{side.cone90_deg:.0f}°" for side in sides],
        )  # fmt: skip
        self._stream.log("directions", arrows)


def _unwritten(target: Path, error: OSError | RuntimeError) -> OutputError:
    if isinstance(error, OSError):
        return refused(target, error)
    return OutputError(f"cannot write {target}: {error}; no half-written file was left: is the disk full?")


def _rerun() -> ModuleType:
    try:
        return import_module("rerun")
    except ImportError as error:
        raise MissingPackageError("rerun-sdk", "rerun") from error


def _ellipsoid(source: Source) -> tuple[np.ndarray, np.ndarray]:
    """Half axes (m) of the region that holds 90 %, more where a height is known, and its turn: a quaternion x, y, z, w."""
    from scipy.spatial.transform import Rotation

    variances, axes = np.linalg.eigh(source.covariance_m2)
    axes[:, 2] *= np.sign(np.linalg.det(axes))  # a rotation, no mirror
    return np.sqrt(REGION_90 * np.maximum(variances, 0.0)), Rotation.from_matrix(axes).as_quat()
