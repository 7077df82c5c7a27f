"""Lists of microphones: three formats, one meaning; every mistake is named with its line."""

import numpy as np
import pytest

from helpers.lists import PLAIN, channels, microphones
from soundfix.errors import MicrophoneFileError, OutputError, SceneError
from soundfix.files.microphones import arrange, read_microphones, write_microphones
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


def test_without_columns_rows_follow_the_channels():
    order, notes = arrange(channels(2, 1), microphones())
    assert order == [0, 1, 2]
    assert notes == (
        "The list of microphones has no file and no channel column: row 1 is channel 1 of t0.wav, "
        "row 2 is channel 2 of t0.wav, row 3 is channel 1 of t1.wav.",
    )


def test_a_channel_column_counts_through_all_files():
    order, notes = arrange(channels(2, 2), microphones(channels=(3, 1, 2)))
    assert order == [2, 0, 1]
    assert "no file column: row 1 is channel 1 of t1.wav" in notes[0]
    assert notes[1] == "Not in the list of microphones and left out: channel 2 of t1.wav."


@pytest.mark.parametrize(
    "files", [("t1.wav", "t0.wav", "t2.wav"), ("/rec/t1.wav", "rec\\t0.wav", "../elsewhere/t2.wav")]
)
def test_files_are_matched_by_name_relative_or_absolute(files):
    assert arrange(channels(1, 1, 1), microphones(files=files)) == ([1, 0, 2], ())


def test_files_are_matched_with_their_channel():
    order, notes = arrange(channels(2, 2), microphones(2, files=("t1.wav", "t0.wav"), channels=(2, 1)))
    assert order == [3, 0]
    assert notes == ("Not in the list of microphones and left out: channel 2 of t0.wav, channel 1 of t1.wav.",)


def test_a_folder_tells_two_files_of_one_name_apart():
    given = [*channels(1, folder="/rec/left"), *channels(1, folder="/rec/right")]
    assert arrange(given, microphones(2, files=("right/t0.wav", "left/t0.wav")))[0] == [1, 0]
    with pytest.raises(MicrophoneFileError, match=r"/rec/left/t0\.wav, /rec/right/t0\.wav: name the folder too"):
        arrange(given, microphones(1, files=("t0.wav",)))


@pytest.mark.parametrize(
    ("given", "columns", "error", "message"),
    [
        (channels(2), {}, SceneError, r"2 channels \(t0\.wav\) for 3 microphones: is a file missing"),
        (channels(2, 2), {}, SceneError, r"4 channels \(t0\.wav, t1\.wav\) for 3 microphones: is a microphone missing"),
        (channels(3), {"channels": (1, 2, 4)}, SceneError, r"mic3 is channel 4, but .* has 3 .*count from 1"),
        (channels(3), {"channels": (1, 2, 2)}, MicrophoneFileError, r"mic2 and mic3 are both channel 2 of t0\.wav"),
        (channels(1), {"files": ("t0.wav", "a", "b")}, MicrophoneFileError, r"mic2 is in a, but given were t0\.wav"),
        (channels(1, 1), {"files": ("t0.wav", "t1.wav", ".")}, MicrophoneFileError, r"in \., but given were"),
        (channels(2), {"files": ("t0.wav",) * 3, "channels": (1, 2, 3)}, MicrophoneFileError, r"channel 3 of .* has 2"),
        (channels(2), {"files": ("t0.wav",) * 3}, MicrophoneFileError, r"mic1 and mic2 are both channel 1 of t0\.wav"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_named(given, columns, error, message):
    with pytest.raises(error, match=message):
        arrange(given, microphones(**columns))
