"""DCASE's metadata: frames in a row are an event."""

import pytest

from soundfix.errors import EventFileError
from soundfix.files.events.reading import read_events


def read(tmp_path, *lines):
    (tmp_path / "d.csv").write_text("\n".join(lines) + "\n")
    return read_events(tmp_path / "d.csv")


def test_frames_of_one_source_in_a_row_are_an_event(tmp_path):
    found = read(tmp_path, "10,1,0,-50,30,181", "11,1,0,-49,30,182", "12,1,0,-49,30,182", "14,1,0,-49,30,182")
    assert [(round(each.start_s, 6), round(each.end_s, 6), each.rows) for each in found.events] == [
        (1.0, 1.3, (0, 1, 2)),
        (1.4, 1.5, (3,)),
    ]
    assert {each.label for each in found.events} == {"1"}


def test_classes_and_sources_are_apart(tmp_path):
    found = read(tmp_path, "0,1,0,0,0", "0,1,1,90,0", "0,7,0,0,0", "1,1,0,0,0", "1,7,0,0,0", "1,1,1,90,0")
    assert sorted((each.label, each.rows) for each in found.events) == [("1", (0, 3)), ("1", (1, 5)), ("7", (2, 4))]


def test_frames_may_be_in_any_order(tmp_path):
    (event,) = read(tmp_path, "3,1,0,0,0", "2,1,0,0,0").events
    assert (round(event.start_s, 6), round(event.end_s, 6)) == (0.2, 0.4)


@pytest.mark.parametrize(
    "line", ["3,1,0", "3,1,0,0,0,0,0", "3,x,0,0,0", "-3,1,0,0,0", "3,1,0,nan,0", "3.5,1,0,0,0", "9999999999,1,0,0,0"]
)
def test_a_line_of_something_else_is_named(tmp_path, line):
    with pytest.raises(EventFileError, match="line 2 is"):
        read(tmp_path, "2,1,0,0,0", line)
