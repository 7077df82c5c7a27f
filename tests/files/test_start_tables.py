"""Tables of when files really began."""

from datetime import UTC, datetime

import pytest

from soundfix.errors import EventFileError
from soundfix.files.start_tables import Correction, read_starts
from soundfix.files.start_times import StartTime

AT = StartTime(datetime(2022, 6, 20, 14, 30, 0, 125_000, tzinfo=UTC), True)


def read(tmp_path, text):
    path = tmp_path / "starts.csv"
    path.write_text(text)
    return read_starts(path)


@pytest.mark.parametrize("column", ["start", "start_time", "start_timestamp"])
def test_times(tmp_path, column):
    found = read(tmp_path, f"file,{column}\nA\\One.WAV,2022-06-20T14:30:00.125Z\n")
    assert found == {"a/one.wav": Correction(AT)}


def test_offsets(tmp_path):
    assert read(tmp_path, "file,offset_s\none.wav,-0.25\n") == {"one.wav": Correction(None, -0.25)}


def test_a_time_wins_over_an_offset_and_either_may_be_blank(tmp_path):
    found = read(tmp_path, "file,start,offset_s\na.wav,2022-06-20T14:30:00.125Z,3\nb.wav,,3\n")
    assert found == {"a.wav": Correction(AT), "b.wav": Correction(None, 3.0)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,start\na,2022-06-20T14:30:00Z\n", "wanted file and start"),
        ("file,begin\na,2022-06-20T14:30:00Z\n", "wanted file and start"),
        ("file,start\na,yesterday\n", "line 2: 'yesterday' is no time"),
        ("file,offset_s\na,late\n", "line 2: offset_s is 'late'"),
        ("file,offset_s\na,1655735400\n", "is it a time"),
        ("file,offset_s\na,1\nA,2\n", "A is listed twice"),
        ("file,offset_s\na,\n", "offset_s is ''"),
    ],
)
def test_mistakes_name_the_line(tmp_path, text, message):
    with pytest.raises(EventFileError, match=message):
        read(tmp_path, text)


def test_no_table(tmp_path):
    with pytest.raises(EventFileError, match="cannot be read"):
        read_starts(tmp_path / "none.csv")
