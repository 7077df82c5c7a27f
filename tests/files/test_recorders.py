"""Which files are one recorder's, and what one that cannot be read costs."""

from datetime import datetime

import pytest

from helpers.recordings import RATE, cut_to, saved
from soundfix.errors import AudioFileError
from soundfix.files.recorders import open_recorders, some

NOON = datetime(2022, 6, 20, 12)


@pytest.fixture
def made(tmp_path, rng):
    """Write files of a second of noise."""

    def make(*names, seconds=1.0, channels=1):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            saved(tmp_path / name, rng.normal(size=(round(seconds * RATE), channels)), subtype="PCM_16")
        return tmp_path

    return make


def parts(opened):
    """Of each recorder its name, and its files with their starts."""
    return {
        recorder.path.name: [(part.file.path.name, part.start_s) for part in recorder.parts]
        for recorder in opened.recorders
    }


def test_files_that_differ_in_their_times_only_are_in_a_row(made):
    folder = made("a_20220620_120000.wav", "a_20220620_120003.wav", "b_20220620_120003.wav")
    opened = open_recorders([folder])
    assert parts(opened) == {
        "a": [("a_20220620_120000.wav", 0), ("a_20220620_120003.wav", 3)],
        "b_20220620_120003.wav": [("b_20220620_120003.wav", 3)],
    }
    assert opened.starts_at == NOON
    assert opened.notes == ("The take begins at 2022-06-20 12:00:00, as files tell.", "a wrote 2 files in a row.")
    first, second = opened.recorders
    assert folder / "a_20220620_120003.wav" in first.names
    assert folder / "b" in second.names
    assert folder not in (*first.names, *second.names)  # which of them?


def test_files_that_overlap_are_of_several_recorders(made):
    folder = made("rec_20220620_120000.wav", "rec_20220620_120001.wav", "rec_20220620_120002.wav", seconds=5.0)
    assert [len(recorder.parts) for recorder in open_recorders([folder]).recorders] == [1, 1, 1]


def test_each_folder_is_a_recorder(made):
    folder = made("m2/20220620_120000.WAV", "m2/20220620_120002.WAV", "m10/20220620_120000.WAV")
    opened = open_recorders([folder])
    assert list(parts(opened)) == ["m2", "m10"]
    assert [part.start_s for part in opened.recorders[0].parts] == [0, 2]
    given = open_recorders([folder / "m2", folder / "m10" / "20220620_120000.WAV"])
    assert [recorder.path.name for recorder in given.recorders] == ["m2", "20220620_120000.WAV"]
    assert folder / "m10" in given.recorders[1].names


def test_overlaps_in_a_folder_are_told(made):
    folder = made("m1/20220620_120000.wav", "m1/20220620_120002.wav", "m2/20220620_120000.wav", seconds=3.5)
    (note,) = [note for note in open_recorders([folder]).notes if "before" in note]
    assert note.startswith("20220620_120002.wav begins 1.50 s before 20220620_120000.wav ends")


def test_files_of_a_folder_that_tell_no_time_are_refused(made):
    folder = made("m1/ZOOM0001.wav", "m1/ZOOM0002.wav", "m2/ZOOM0001.wav")
    with pytest.raises(AudioFileError, match=r"m1 holds 2 files of a recorder, but ZOOM0001.wav, ZOOM0002.wav tell no"):
        open_recorders([folder])


def test_who_tells_no_time_begins_with_the_first_and_it_is_told(made):
    opened = open_recorders([made("a_20220620_120005.wav", "b.wav", "c_20220620_120005.wav")])
    assert [recorder.parts[0].start_s for recorder in opened.recorders] == [0, 0, 0]
    assert "b.wav tell no time; they are taken to begin when the take begins." in opened.notes


def test_without_times_all_begin_together(made):
    opened = open_recorders([made("a.wav", "b.wav")])
    assert (opened.starts_at, opened.notes) == (None, ())


def test_a_name_and_a_header_that_disagree_are_told(made):
    folder = made("a_20220620_120000.wav", "b_20220620_120000.wav")
    with (folder / "b_20220620_120000.wav").open("ab") as file:
        file.write(b"guan\x1e\0\0\0Timestamp: 2022-06-20T11:00:00")
    opened = open_recorders([folder])
    assert opened.starts_at == NOON
    assert opened.notes[1] == (
        "b_20220620_120000.wav says 2022-06-20 12:00:00 by its name and 2022-06-20 11:00:00 by its header: "
        "its name is believed."
    )


@pytest.mark.parametrize("content", [b"", bytes(4096), b"a letter", b"RIFF"])
def test_one_file_that_cannot_be_read_costs_one_recorder(made, content):
    folder = made("1.wav", "2.wav", "3.wav", "4.wav")
    (folder / "2.wav").write_bytes(content)
    opened = open_recorders([folder])
    assert [len(recorder.parts) for recorder in opened.recorders] == [1, 0, 1, 1]
    assert opened.recorders[1].channels == 1
    assert str(folder / "2.wav") in opened.recorders[1].trouble[0]
    (folder / "3.wav").write_bytes(content)
    with pytest.raises(AudioFileError, match=r"2\.wav"):
        open_recorders([folder])


def test_a_bad_file_in_a_row_is_a_hole(made):
    folder = made("m1/20220620_120000.wav", "m1/20220620_120001.wav", "m1/20220620_120002.wav", channels=4)
    cut_to(folder / "m1/20220620_120001.wav", 0)
    opened = open_recorders([folder])
    assert [part.start_s for part in opened.recorders[0].parts] == [0, 2]
    assert "20220620_120001.wav is empty (0 bytes)" in opened.notes[-1]


def test_a_file_of_other_channels_in_a_row_is_left_out(made):
    made("m1/20220620_120000.wav", "m1/20220620_120001.wav", channels=2)
    opened = open_recorders([made("m1/20220620_120002.wav")])
    assert (opened.recorders[0].channels, len(opened.recorders[0].parts)) == (2, 2)
    assert opened.notes[-1] == "20220620_120002.wav is left out: it has 1 channels, the others of m1 2"


def test_a_clock_that_was_never_set_is_left_out(made):
    folder = made("a_20220620_120000.wav", "b_20220620_120000.wav", "c_20220620_120000.wav", "d_19700101_000000.wav")
    opened = open_recorders([folder])
    assert [len(recorder.parts) for recorder in opened.recorders] == [1, 1, 1, 0]
    assert "begins at 1970-01-01 00:00:00, days from the others" in opened.recorders[3].trouble[0]


def test_a_file_that_is_not_there_is_a_typo(made):
    folder = made("1.wav", "2.wav", "3.wav", "4.wav")
    with pytest.raises(AudioFileError, match=r"no such file: .*5\.wav"):
        open_recorders([*sorted(folder.iterdir()), folder / "5.wav"])


def test_names_are_shortened():
    assert [some(["a", "b", "c"]), some(["a", "b", "c", "d"])] == ["a, b, c", "a and 3 more"]
