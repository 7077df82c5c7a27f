"""What a reader raises is an error of ours, with what it was given and what the parser said."""

import pytest

from soundfix.errors import DatasetError, SceneError
from soundfix.gate import LONGEST, gate


@gate(DatasetError)
def read(path, fail=None):
    if fail:
        raise fail
    return path.upper()


@pytest.mark.parametrize(
    "error", [KeyError("fs"), OverflowError("too large"), RecursionError(), MemoryError(), AssertionError()]
)
def test_any_exception_of_a_reader_is_one_of_ours(error):
    with pytest.raises(
        DatasetError, match=rf"^room.npz cannot be read \({type(error).__name__}: .*\): is it damaged"
    ) as told:
        read("room.npz", error)
    assert told.value.__cause__ is error


def test_what_is_ours_already_stays():
    with pytest.raises(SceneError, match=r"^as it was$"):
        read("room.npz", fail=SceneError("as it was"))


def test_nobody_stops_somebody_who_wants_to_stop():
    with pytest.raises(KeyboardInterrupt):
        read("room.npz", KeyboardInterrupt())


def test_what_is_read_comes_through():
    assert read("room.npz") == "ROOM.NPZ"


def test_a_long_message_is_cut():
    with pytest.raises(DatasetError) as told:
        read("room.npz", ValueError("x" * 10_000))
    assert LONGEST < len(str(told.value)) < LONGEST + 120


def test_what_was_given_may_be_named_otherwise():
    named = gate(DatasetError, what="the scene")(read.__wrapped__)
    with pytest.raises(DatasetError, match=r"^the scene cannot be read"):
        named(b"\x00" * 100, ValueError("no"))
