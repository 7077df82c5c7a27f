"""Paths of files, of folders, and of folders of folders."""

import pytest

from soundfix.errors import AudioFileError
from soundfix.files.listing import Listed, listed, natural_key


def made(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_natural_order_survives_odd_digits():
    assert sorted(["x²", "x10", "x9", "9", "x"], key=natural_key) == ["9", "x", "x9", "x10", "x²"]


def test_a_folder_for_each_recorder_is_all_that_is_below_it(tmp_path):
    made(tmp_path, "m10/a.wav", "m2/Data/2.WAV", "m2/Data/10.wav", "m2/notes.txt", "m3/._a.wav", "list.csv")
    m2 = tmp_path / "m2"
    assert listed([tmp_path]) == [
        Listed(m2, (m2 / "Data/2.WAV", m2 / "Data/10.wav")),
        Listed(tmp_path / "m10", (tmp_path / "m10/a.wav",)),
    ]
    assert all(each.is_folder for each in listed([tmp_path]))


def test_beside_files_folders_do_not_count(tmp_path):
    made(tmp_path, "a.wav", "old/b.wav")
    (file,) = listed([tmp_path])
    assert file == Listed(tmp_path / "a.wav", (tmp_path / "a.wav",))
    assert not file.is_folder


def test_what_is_listed_twice_in_folders_is_refused(tmp_path):
    made(tmp_path, "m1/a.wav")
    with pytest.raises(AudioFileError, match="listed twice"):
        listed([tmp_path, tmp_path / "m1"])
