"""A take: rows of sound in the order of the list, whichever channel they are in."""

from datetime import datetime

import numpy as np
import pytest
import soundfile

from soundfix.errors import SceneError
from soundfix.files.take import listed_microphones, read, window_for
from soundfix.microphones import Microphones

RATE = 16_000


@pytest.fixture
def audio(tmp_path, rng):
    samples = 0.1 * rng.standard_normal((RATE, 3)).astype(np.float32)
    soundfile.write(tmp_path / "take.wav", samples, RATE, subtype="FLOAT")
    return samples.T


def listed(folder, *rows):
    (folder / "mics.csv").write_text("\n".join(["name,x,y,z,channel", *rows]))
    return folder / "mics.csv"


def test_rows_of_sound_follow_the_list(tmp_path, audio):
    take = read([tmp_path / "take.wav"], listed(tmp_path, "a,0,0,0,3", "b,1,0,0,1"))
    windows = list(take.windows(0.5, 0.5))
    assert [start_s for start_s, _ in windows] == [0.0, 0.5]
    assert len(windows) == take.count_windows(0.5, 0.5)
    assert np.array_equal(np.hstack([part for _, part in windows]), audio[[2, 0]])
    assert np.array_equal(take.beginning(0.25), audio[[2, 0], : RATE // 4])
    assert any("channel 2" in note for note in take.notes)


def test_a_list_of_another_take_is_refused(tmp_path, audio):
    with pytest.raises(SceneError):
        read([tmp_path / "take.wav"], listed(tmp_path, "a,0,0,0,4"))


def test_a_path_alone_and_a_list_in_memory(tmp_path, audio):
    """One file as text; the list as Microphones or as positions in metres."""
    positions = np.eye(3)
    for given in (positions, positions.tolist(), Microphones(positions=positions)):
        take = read(str(tmp_path / "take.wav"), given)
        assert np.array_equal(take.microphones.positions, positions)
        assert np.array_equal(take.beginning(1.0), audio)
    assert take.duration_s == 1.0
    assert repr(take) == "Take(3 microphones, 1.00 s at 16000 Hz)"


def test_a_folder_of_files_in_natural_order(tmp_path, audio):
    (tmp_path / "tracks").mkdir()
    for m in range(3):
        soundfile.write(tmp_path / "tracks" / f"Track {m + 9}.wav", audio[m], RATE, subtype="FLOAT")
    assert np.array_equal(read(tmp_path / "tracks", np.eye(3)).beginning(1.0), audio)


def test_files_go_to_rows_by_name_where_rows_have_names(tmp_path, audio):
    """The shell lists mic1, mic10, mic2; positions in memory have no names, so files go to them as they are given."""
    paths = [tmp_path / f"mic{number}.wav" for number in (1, 10, 2)]
    for path, sound in zip(paths, audio, strict=True):
        soundfile.write(path, sound, RATE, subtype="FLOAT")
    (tmp_path / "mics.csv").write_text("name,x,y,z\nmic10,0,0,0\nmic1,1,0,0\nmic2,0,1,0\n")
    assert np.array_equal(read(paths, tmp_path / "mics.csv").beginning(1.0), audio[[1, 0, 2]])
    assert np.array_equal(read(paths, np.eye(3)).beginning(1.0), audio[[0, 2, 1]])
    by_hand = [paths[2], paths[0], paths[1]]
    for unnamed in (np.eye(3), Microphones(positions=np.eye(3))):
        assert np.array_equal(read(by_hand, unnamed).beginning(1.0), audio[[2, 0, 1]])


@pytest.mark.parametrize(
    ("microphones", "message"),
    [(None, "no microphones: wanted the path"), (np.zeros((3, 2)), r"wanted \(microphones, 3\)")],
)
def test_what_is_no_list_is_refused(microphones, message):
    with pytest.raises(SceneError, match=message):
        listed_microphones(microphones)


def test_a_take_can_be_heard_at_another_rate(tmp_path, audio):
    soundfile.write(tmp_path / "fast.wav", np.repeat(audio.T[:, :1], 2, axis=0), 2 * RATE, subtype="FLOAT")
    rows = [
        "name,x,y,z,file,channel",
        "a,0,0,0,take.wav,3",
        "b,1,0,0,take.wav,1",
        "c,1,1,0,take.wav,2",
        "d,0,1,0,fast.wav,1",
    ]
    (tmp_path / "all.csv").write_text("\n".join(rows))
    take = read([tmp_path / "take.wav", tmp_path / "fast.wav"], tmp_path / "all.csv")
    fast = take.at(take.native_rate)
    assert (take.sample_rate, fast.sample_rate) == (RATE, 2 * RATE)
    assert (fast.duration_s, fast.order) == (take.duration_s, take.order)
    assert any("resampled to 32000 Hz" in note for note in fast.notes)
    assert not any("resampled to 16000 Hz" in note for note in fast.notes)
    assert len(fast.notes) == len(take.notes)


@pytest.fixture
def recorders(tmp_path, rng):
    """A folder for each of five recorders, of which the third wrote nothing, and the fourth begins half a second later."""
    sounds = 0.1 * rng.standard_normal((5, 2 * RATE)).astype(np.float32)
    for m, fraction in ((0, "000"), (1, "000"), (3, "500"), (4, "000")):
        (tmp_path / f"m{m + 1}").mkdir()
        path = tmp_path / f"m{m + 1}" / f"20220620_120000.{fraction}.wav"
        soundfile.write(path, sounds[m, RATE // 2 * (m == 3) :], RATE, subtype="FLOAT")
    (tmp_path / "mics.csv").write_text("name,x,y,z\nm1,0,0,0\nm4,1,0,0\nm3,0,1,0\nm2,1,1,0\nm5,1,1,1\n")
    return tmp_path, sounds


def test_where_a_recorder_has_no_sound_its_row_is_missing(recorders):
    folder, sounds = recorders
    take = read(folder, folder / "mics.csv")
    assert take.starts_at == datetime(2022, 6, 20, 12)
    assert take.order == (0, 2, None, 1, 3)
    heard = take.beginning(10.0)
    assert np.array_equal(heard[[0, 3, 4]], sounds[[0, 1, 4]])
    assert np.array_equal(heard[1, RATE // 2 :], sounds[3, RATE // 2 :])
    assert np.isnan(heard[1, : RATE // 2]).all()
    assert np.isnan(heard[2]).all()
    assert not heard.flags.writeable
    (_, window), *_ = take.windows(0.5, 0.5)
    assert np.array_equal(window, heard[:, : RATE // 2], equal_nan=True)


def test_who_has_no_sound_is_told(recorders):
    take = read(recorders[0], recorders[0] / "mics.csv")
    assert [(each.microphone, each.start_s, each.end_s) for each in take.silences] == [
        ("m4", 0.0, 0.5),
        ("m3", 0.0, 2.0),
    ]
    assert take.notes[-2:] == tuple(f"{each.microphone}: {each.text}" for each in take.silences)
    assert take.at(8000.0).silences == take.silences
    assert take.at(8000.0).starts_at == take.starts_at


@pytest.mark.parametrize(("across_m", "window_s"), [(5.0, 0.5), (80.0, 0.5), (100.0, 0.6), (343.0, 2.0), (400.0, 2.4)])
def test_a_window_suits_the_array(across_m, window_s):
    """Half a second, or twice what sound needs from end to end; who stands nowhere does not count."""
    positions = np.array([[0.0, 0, 0], [across_m, 0, 0], [np.nan] * 3])
    assert window_for(Microphones(positions=positions), 343.0) == window_s


def test_blocks_are_the_whole_recording_in_the_order_of_the_list(tmp_path):
    audio = np.arange(24, dtype=np.float32).reshape(2, 12) / 100
    for name, samples in zip("ab", audio, strict=True):
        soundfile.write(tmp_path / f"{name}.wav", samples, 1000, subtype="FLOAT")
    listed = Microphones(positions=np.eye(2, 3), names=("b", "a"), files=("b.wav", "a.wav"))
    blocks = list(read([tmp_path / "a.wav", tmp_path / "b.wav"], listed).blocks(0.005))
    assert [block.shape[1] for block in blocks] == [5, 5, 2]
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), audio[::-1])
