"""Answers as a ROS 2 bag (rosbag2, SQLite), written by the optional package rosbags.

One topic of geometry_msgs/PoseWithCovarianceStamped, a message a place: position and its covariance in metres, in the axes
of the list of microphones, which are those of a map in ROS (REP 103: right-handed, z up). A sound has no orientation: it is
that of the axes, with the variance of any angle at all. Stamps are the middle of what was listened to, by the recording's
clock; without one, seconds from its start.
A bag is a folder; it appears whole, at the end.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from soundfix.atomic import discard, part_path, refused
from soundfix.errors import MissingPackageError, OutputError
from soundfix.estimate import Estimate, Source
from soundfix.report.recorded import Recorded, places

TOPIC, KIND, FRAME = "/soundfix/sources", "geometry_msgs/msg/PoseWithCovarianceStamped", "map"
ANY_ANGLE = np.pi**2 / 3  # variance (rad²) of an angle of which nothing is known
VERSION = 8  # of bags that every ROS 2 since Humble reads
SECOND = 10**9  # in ns


class BagWriter:
    """A bag in this folder, which must not be there yet. Raises OutputError, and MissingPackageError without rosbags."""

    def __init__(self, path: Path | str, recorded: Recorded) -> None:
        self._rosbags, self._types = rosbags("rosbags.rosbag2"), rosbags("rosbags.typesys")
        self._target, self._recorded = _free(Path(path)), recorded
        self._part = part_path(self._target)
        self._store = self._types.get_typestore(self._types.Stores.ROS2_HUMBLE)

    def __enter__(self) -> "BagWriter":
        with _refusing(self._target):
            self._part.mkdir()
            self._bag = self._rosbags.Writer(
                self._part / self._target.name, version=VERSION
            )  # names its files after it
            self._bag.open()
            self._topic = self._bag.add_connection(TOPIC, KIND, typestore=self._store)
        return self

    def write(self, estimate: Estimate) -> None:
        stamp = _stamp(estimate, self._recorded.starts_at)
        with _refusing(self._target):
            for source in places(estimate):
                message = _message(source, stamp, self._store.types)
                self._bag.write(self._topic, stamp, self._store.serialize_cdr(message, KIND))

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            with _refusing(self._target):
                self._bag.close()
                if kind is None:
                    os.rename(self._part / self._target.name, self._target)
        except OutputError:
            if kind is None:  # else something else went wrong before
                raise
        finally:
            discard(self._part)


@contextmanager
def _refusing(target: Path) -> Iterator[None]:
    """What the system, or SQLite, refuses is an OutputError."""
    try:
        yield
    except OSError as error:
        raise refused(target, error) from error
    except sqlite3.Error as error:
        raise OutputError(f"cannot write {target}: {error}; no half-written bag was left. Free some space?") from error


def rosbags(module: str) -> Any:
    """A module of it. Raises MissingPackageError."""
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingPackageError("rosbags", "interop") from error


def _free(path: Path) -> Path:
    """Raises OutputError where a bag cannot be made there."""
    if not path.absolute().parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {path.absolute().parent}; make it first?")
    if path.exists():
        raise OutputError(
            f"cannot write {path}: it is there already, wanted the name of a folder that is not: a bag is a folder"
        )
    return path.absolute()


def _stamp(estimate: Estimate, starts_at: datetime | None) -> int:
    """Nanoseconds, of the middle; a time without a zone is taken for UTC."""
    middle_s = (estimate.start_s + estimate.end_s) / 2
    return nanoseconds(starts_at) + round(middle_s * SECOND)


def nanoseconds(at: datetime | None) -> int:
    """Since 1970, without the error that a float of so many seconds has; 0 for none."""
    if at is None:
        return 0
    since = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * SECOND + since.microseconds * 1000


def _message(source: Source, stamp: int, types: Any) -> Any:
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = source.covariance_m2
    covariance[3:, 3:] = ANY_ANGLE * np.eye(3)
    x, y, z = source.position_m.tolist()
    time = types["builtin_interfaces/msg/Time"](sec=stamp // SECOND, nanosec=stamp % SECOND)
    pose = types["geometry_msgs/msg/Pose"](
        position=types["geometry_msgs/msg/Point"](x=x, y=y, z=z),
        orientation=types["geometry_msgs/msg/Quaternion"](x=0.0, y=0.0, z=0.0, w=1.0),
    )
    return types[KIND](
        header=types["std_msgs/msg/Header"](stamp=time, frame_id=FRAME),
        pose=types["geometry_msgs/msg/PoseWithCovariance"](pose=pose, covariance=covariance.ravel()),
    )
