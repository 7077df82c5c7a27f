"""Lists of microphones: three formats, one meaning; every mistake is named with its line."""

import numpy as np
import pytest

from helpers.lists import PLAIN, microphones
from soundfix.errors import OutputError
from soundfix.files.microphones import read_microphones, write_microphones
from soundfix.microphones import Microphones


def test_all_columns_are_read(listed):
    read = listed(
        "name,x,y,z,file,channel,sigma_m,offset_s,drift_ppm\na,0,0,0,l.wav,2,0.1,-0.5,30\nb,1,0,0,r.wav,,,,\n"
    )
    assert (read.files, read.channels) == (("l.wav", "r.wav"), (2, 1))
    assert [read.sigma_m.tolist(), read.offset_s.tolist(), read.drift_ppm.tolist()] == [[0.1, 0], [-0.5, 0], [30, 0]]


def test_missing_names_are_given(listed):
    assert listed("x,y,z\n0,0,0\n1,0,0\n").names == ("mic1", "mic2")
    assert listed("name,x,y,z\nb,0,0,0\n,1,0,0\n").names == ("b", "mic2")


@pytest.mark.parametrize("names", [("a", "b", "c"), ("#1", "a, b", 'the "big" one'), ("null", "=1+1", "Küche 猫")])
@pytest.mark.parametrize(
    "where", [{}, {"files": ("a b.wav", "x/y.wav", "#.wav"), "channels": (1, 2, 16)}, {"channels": (3, 2, 1)}]
)
def test_what_is_written_reads_back_to_the_last_bit(tmp_path, rng, names, where):
    positions = rng.normal(size=(3, 3)) / 3
    positions[1] = np.nan
    columns = {column: rng.random(3) / 7 for column in ("sigma_m", "offset_s", "drift_ppm")}
    written = Microphones(positions=positions, names=names, **columns, **where)
    write_microphones(tmp_path / "m.csv", written)
    read = read_microphones(tmp_path / "m.csv")
    np.testing.assert_array_equal(read.border_positions(), positions)
    assert (read.names, read.files, read.channels) == (names, written.files, written.channels)
    for column, values in columns.items():
        np.testing.assert_array_equal(getattr(read, column), values)


@pytest.mark.parametrize("name", ["", " a", "a\nb"])
def test_a_name_that_would_not_survive_is_refused(tmp_path, name):
    with pytest.raises(OutputError, match="would read back differently"):
        write_microphones(tmp_path / "m.csv", microphones(names=("x", "y", name)))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_list(tmp_path, monkeypatch):
    (tmp_path / "m.csv").write_text(PLAIN)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OutputError, match="the disk is full"):
        write_microphones(tmp_path / "m.csv", microphones())
    assert (tmp_path / "m.csv").read_text() == PLAIN


def test_a_recorder_that_wrote_no_file_has_a_blank(tmp_path, listed):
    read = listed("name,x,y,z,file,channel\na,0,0,1,a.wav,2\nb,1,0,1,,\n")
    assert (read.files, read.channels) == (("a.wav", ""), (2, 1))
    write_microphones(tmp_path / "again.csv", read)
    assert read_microphones(tmp_path / "again.csv").files == read.files
