"""Rows of the list and channels of the files: by file, by number, by name, in order; what clashes is named."""

from pathlib import Path

import numpy as np
import pytest

from helpers.lists import channels, microphones
from soundfix.errors import MicrophoneFileError, SceneError
from soundfix.files.audio import Channel
from soundfix.files.pairing import arrange, pair
from soundfix.microphones import Microphones


def test_without_columns_rows_follow_the_channels():
    order, notes = arrange(channels(2, 1), microphones())
    assert order == [0, 1, 2]
    assert notes == ("The list has no file and no channel column; its rows are, in turn: t0.wav channels 1-2, t1.wav.",)


def test_a_channel_column_counts_through_all_files():
    order, notes = arrange(channels(2, 2), microphones(channels=(3, 1, 2)))
    assert order == [2, 0, 1]
    assert notes[0] == ("The list has no file column; its rows are, in turn: t1.wav channel 1, t0.wav channels 1-2.")
    assert notes[1] == "Not in the list of microphones and left out: channel 2 of t1.wav."


@pytest.mark.parametrize(
    "files", [("t1.wav", "t0.wav", "t2.wav"), ("/rec/t1.wav", "rec\\t0.wav", "../elsewhere/t2.wav")]
)
def test_files_are_matched_by_name_relative_or_absolute(files):
    assert arrange(channels(1, 1, 1), microphones(files=files)) == ([1, 0, 2], ())


def named(*names):
    """A file of one channel for each name."""
    return [Channel(file=Path("/rec") / name, number=1) for name in names]


@pytest.mark.parametrize(
    ("files", "rows", "order"),
    [
        (("mic1.wav", "mic10.wav", "mic2.wav"), ("mic1", "mic2", "mic10"), [0, 2, 1]),
        (("b.flac", "A.WAV"), ("a", "B.wav"), [1, 0]),
        (("mic02.wav", "mic01.wav"), ("mic1", "mic2"), [1, 0]),
        (("de\u0301.wav", "a.wav"), ("a", "d\u00e9"), [1, 0]),
    ],
)
def test_a_file_for_each_microphone_goes_to_the_row_of_its_name(files, rows, order):
    microphones = Microphones(positions=np.eye(3)[: len(rows)], names=rows)
    found, notes = arrange(named(*files), microphones)
    assert found == order
    assert notes == (f"Files went to the rows of their names: {', '.join(files[k] for k in order)}.",)
    assert arrange(named(*files), microphones, is_named=False)[0] == list(range(len(files)))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            ("mic1.wav", "mic2.wav", "take.wav"),
            r"/rec/take\.wav have the name of no row and mic3 are rows that no file",
        ),
        (("mic1.wav", "mic2.wav"), "mic3 are rows that no file is named after"),
        (("mic1.wav", "mic2.wav", "mic3.wav", "mic4.wav"), r"/rec/mic4\.wav have the name of no row"),
        (("mic1.wav", "mic1.flac", "mic2.wav"), r"/rec/mic1\.wav, /rec/mic1\.flac are files for one row"),
    ],
)
def test_names_that_clash_are_refused(files, message):
    with pytest.raises(MicrophoneFileError, match=f"{message}.*wanted a file for each row.*column file"):
        arrange(named(*files), microphones())


def test_rows_that_one_file_may_mean_are_refused():
    rows = Microphones(positions=np.eye(3)[:2], names=("mic1", "mic01"))
    with pytest.raises(MicrophoneFileError, match="mic1, mic01 are rows for one file"):
        arrange(named("mic1.wav", "mic2.wav"), rows)


def test_files_of_several_channels_have_no_say_by_name():
    given = [Channel(file=Path("mic2.wav"), number=1), Channel(file=Path("mic2.wav"), number=2), *named("mic1.wav")]
    assert arrange(given, microphones())[0] == [0, 1, 2]


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


def test_long_notes_are_shortened():
    (note,) = arrange(channels(*[1] * 40), microphones(40))[1]
    assert len(note) < 200
    assert note.endswith("t6.wav, ..., t39.wav.")


def test_a_row_whose_file_was_not_given_has_none_where_three_others_have():
    rows = microphones(4, files=("t0.wav", "t1.wav", "t9.wav", "t2.wav"))
    assert pair(channels(1, 1, 1), rows) == ([0, 1, None, 2], ())
    with pytest.raises(MicrophoneFileError, match=r"mic3 is in t9\.wav, but given were .*a typo"):
        arrange(channels(1, 1, 1), rows)
    with pytest.raises(MicrophoneFileError, match=r"mic3 is in t9\.wav, but given were .*a typo"):
        pair(channels(1, 1, 1, 1), rows)  # t3.wav may be meant
    with pytest.raises(MicrophoneFileError, match="mic3 is in t9"):
        pair(channels(1, 1), microphones(3, files=("t0.wav", "t1.wav", "t9.wav")))


def test_a_row_with_a_blank_file_has_none_even_where_one_is_left_over():
    rows = microphones(4, files=("t0.wav", "t1.wav", "", "t2.wav"))
    order, notes = pair(channels(1, 1, 1, 1), rows)
    assert order == [0, 1, None, 2]
    assert notes == ("Not in the list of microphones and left out: channel 1 of t3.wav.",)
    with pytest.raises(MicrophoneFileError, match="mic3 is in no file"):
        pair(channels(1, 1), microphones(3, files=("t0.wav", "t1.wav", "")))


def test_a_row_that_no_file_is_named_after_has_none_where_three_others_have():
    assert pair(named("mic1.wav", "mic4.wav", "mic2.wav"), microphones(4))[0] == [0, 2, None, 1]
    with pytest.raises(MicrophoneFileError, match="mic3 has no file"):
        arrange(named("mic1.wav", "mic4.wav", "mic2.wav"), microphones(4))
    with pytest.raises(MicrophoneFileError, match=r"take\.wav have the name of no row and mic3 are rows"):
        pair(named("mic1.wav", "mic4.wav", "mic2.wav", "take.wav"), microphones(4))


def recorder(path, *names, count=1):
    """The channels of a recorder that goes by other names too."""
    return [Channel(file=Path(path), number=c + 1, names=tuple(map(Path, names))) for c in range(count)]


def test_recorders_go_by_what_is_left_of_their_files_names_and_by_their_folders():
    given = [
        *recorder("/rec/b_20220620_120000.wav", "/rec/b"),
        *recorder("/rec/a/20220620_120000.wav", "/rec/a"),
        *recorder("/rec/c", "/rec/c/1.wav", "/rec/c/2.wav"),
    ]
    rows = Microphones(positions=np.eye(3), names=("a", "b", "c"))
    assert pair(given, rows)[0] == [1, 0, 2]
    for files in (
        ("a", "b", "c"),
        ("a/20220620_120000.wav", "b_20220620_120000.wav", "c/2.wav"),
        ("/rec/a", "rec/b", "2.wav"),
    ):
        assert pair(given, microphones(files=files))[0] == [1, 0, 2]


def test_a_recorder_of_several_channels_is_named_with_its_channel():
    given = [*recorder("/rec/c", "/rec/c/1.wav", count=2), *recorder("/rec/d")]
    assert pair(given, microphones(files=("c", "c", "d"), channels=(2, 1, 1)))[0] == [1, 0, 2]
