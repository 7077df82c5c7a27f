"""position_array of LOCATA as a list of microphones."""

import numpy as np
import pytest

from helpers.locata import write_recording
from soundfix.errors import MicrophoneFileError
from soundfix.files.locata import clock, rows_of
from soundfix.files.microphones import read_microphones

POSITIONS = np.array([[1.0, 2.0, 1.2], [1.1, 2.0, 1.2], [1.0, 2.1, 1.25], [1.1, 2.1, 1.3]])
TABLE = "position_array_benchmark2.txt"


@pytest.fixture
def recorded(tmp_path):
    def write(**changed):
        return write_recording(tmp_path / "r", np.zeros((1600, 4)) + 0.1, 16_000, POSITIONS, {}, **changed) / TABLE

    return write


def test_microphones_where_they_mostly_were(recorded):
    read = read_microphones(recorded(moves=lambda s: (0.01 * (s > 0.09), 0, 0)))
    np.testing.assert_allclose(read.positions, POSITIONS, atol=1e-6)
    assert (read.names, read.channels) == (("mic1", "mic2", "mic3", "mic4"), (1, 2, 3, 4))


def test_an_array_that_is_carried_about_is_refused(recorded):
    with pytest.raises(MicrophoneFileError, match=r"this array moves, by 0\.\d\d m"):
        read_microphones(recorded(moves=lambda s: (2 * s, 0, 0)))


@pytest.mark.parametrize(
    ("was", "now", "message"),
    [
        ("mic4_z", "mic4_q", "no column mic4_z"),
        ("minute", "minutes", "no column minute"),
        ("1.250000\t", "x\t", "row 1: wanted a number"),
        ("1.250000\t", "nan\t", "row 1: wanted a number"),
        ("1.250000\t", "1e999\t", "row 1: wanted a number"),
        ("2017", "0", "is no time"),
        ("2017", "1e300", "is no time"),
    ],
)
def test_what_is_no_such_table_is_refused(recorded, was, now, message):
    path = recorded()
    path.write_text(path.read_text().replace(was, now, 1))
    with pytest.raises(MicrophoneFileError, match=message):
        read_microphones(path)


def test_a_table_cut_short_is_refused(recorded):
    path = recorded()
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:5], lines[5][:100]]))
    with pytest.raises(MicrophoneFileError, match="row 5"):
        read_microphones(path)
    path.write_text(lines[0])
    with pytest.raises(MicrophoneFileError, match="has 0 rows"):
        read_microphones(path)


def test_rows_and_clocks():
    assert rows_of("a\tb\n1\t2\n\n 3 \t4\n") == (["a", "b"], [["1", "2"], ["3", "4"]])
    assert rows_of("a,b\n1,2\n") == (["a", "b"], [["1", "2"]])
    assert rows_of("") == ([], [])
    assert clock([2017.0, 7.0, 11.0, 15.0, 2.0, 59.25], "x").isoformat() == "2017-07-11T15:02:59.250000+00:00"
