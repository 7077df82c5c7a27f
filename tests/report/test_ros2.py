"""A bag, read with rosbags' own reader and the types of ROS."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.foreign import BEGUN, RECORDED, answer, direction, source
from soundfix.errors import MissingPackageError, OutputError
from soundfix.report.recorded import Recorded
from soundfix.report.ros2 import BagWriter, nanoseconds

COVARIANCE = [[0.04, 0.01, 0.0], [0.01, 0.09, 0.02], [0.0, 0.02, 0.25]]


def read(path):
    from rosbags.highlevel import AnyReader

    with AnyReader([Path(path)]) as bag:
        return [(connection, at, bag.deserialize(raw, connection.msgtype)) for connection, at, raw in bag.messages()]


def write(path, *estimates, recorded=RECORDED):
    with BagWriter(path, recorded) as writer:
        for estimate in estimates:
            writer.write(estimate)
    return path


@pytest.fixture
def clocked(monkeypatch):
    monkeypatch.setattr(Recorded, "starts_at", BEGUN)
    return RECORDED


def test_a_pose_with_its_covariance(tmp_path, clocked):
    ((connection, at, message),) = read(
        write(tmp_path / "bag", answer(source(1, 2, 3, covariance=COVARIANCE)), recorded=clocked)
    )
    assert (connection.topic, connection.msgtype) == (
        "/soundfix/sources",
        "geometry_msgs/msg/PoseWithCovarianceStamped",
    )
    place, turn = message.pose.pose.position, message.pose.pose.orientation
    assert (place.x, place.y, place.z) == (1.0, 2.0, 3.0)
    assert (turn.x, turn.y, turn.z, turn.w) == (0.0, 0.0, 0.0, 1.0)
    covariance = message.pose.covariance.reshape(6, 6)
    np.testing.assert_array_equal(covariance[:3, :3], COVARIANCE)
    np.testing.assert_allclose(covariance[3:, 3:], np.pi**2 / 3 * np.eye(3))
    assert not covariance[:3, 3:].any()
    assert message.header.frame_id == "map"
    stamp = message.header.stamp
    assert stamp.sec * 10**9 + stamp.nanosec == at == nanoseconds(BEGUN) + 1_250_000_000


def test_without_a_clock_stamps_count_from_the_start(tmp_path):
    ((_, at, _),) = read(write(tmp_path / "bag", answer(source(1, 2, 3))))
    assert at == 1_250_000_000


def test_nanoseconds_are_exact_and_a_time_without_a_zone_is_utc():
    assert nanoseconds(BEGUN) == 1_749_988_800_250_000_000
    assert nanoseconds(BEGUN.replace(tzinfo=None)) == nanoseconds(BEGUN)
    assert nanoseconds(None) == 0


def test_a_message_a_place_of_alternatives_the_likeliest_of_a_direction_none(tmp_path):
    two = (source(1, 2, 3), source(4, 5, 6))
    messages = read(write(tmp_path / "bag", answer(*two), answer(*two, verdict="ambiguous"), direction(), answer()))
    assert [message.pose.pose.position.x for _, _, message in messages] == [1.0, 4.0, 1.0]


def test_a_bag_is_whole_or_not_there(tmp_path):
    class OwnError(Exception):
        pass

    def broken():
        with BagWriter(tmp_path / "bag", RECORDED) as writer:
            writer.write(answer(source(1, 2, 3)))
            raise OwnError

    with pytest.raises(OwnError):
        broken()
    assert list(tmp_path.iterdir()) == []
    write(tmp_path / "bag")
    assert sorted(path.name for path in (tmp_path / "bag").iterdir()) == ["bag.db3", "metadata.yaml"]
    assert [path.name for path in tmp_path.iterdir()] == ["bag"]


def test_what_is_there_already_is_left_alone(tmp_path):
    (tmp_path / "bag").mkdir()
    with pytest.raises(OutputError, match="it is there already"):
        BagWriter(tmp_path / "bag", RECORDED)
    with pytest.raises(OutputError, match="there is no folder"):
        BagWriter(tmp_path / "none" / "bag", RECORDED)


def test_without_rosbags_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rosbags.rosbag2", None)
    with pytest.raises(MissingPackageError, match=r"rosbags is not installed; .*soundfix\[interop\]"):
        BagWriter(tmp_path / "bag", replace(RECORDED))


def filled(writer, error, *, at, also=None):
    """Write an answer, and close; `at` one of the two the disk is full."""
    with writer:
        close = writer._bag.close

        def full(*_):
            if at == "close":
                close()
            raise error

        setattr(writer._bag, at, full)
        writer.write(answer(source(1, 2, 3)))
        if also:
            raise also


@pytest.mark.parametrize("at", ["write", "close"])
@pytest.mark.parametrize("error", [sqlite3.OperationalError("database or disk is full"), OSError(28, "No space left")])
def test_a_disk_that_is_full_is_one_sentence(tmp_path, error, at):
    with pytest.raises(OutputError, match=r"cannot write .*bag: .*disk is full"):
        filled(BagWriter(tmp_path / "bag", RECORDED), error, at=at)
    assert list(tmp_path.iterdir()) == []


def test_what_went_wrong_first_is_told(tmp_path):
    with pytest.raises(KeyError):
        filled(BagWriter(tmp_path / "bag", RECORDED), OSError(28, "No space left"), at="close", also=KeyError)
