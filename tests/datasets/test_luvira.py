"""LuViRA as it lies on disk, in small: sound and truth aligned to the sample and the frame, in every layout."""

import numpy as np
import pytest
import soundfile
import soxr

from helpers.luvira_files import CLIP_S, RATE, names, place, write_csv, write_tracks
from soundfix.datasets.dataset import Dataset
from soundfix.datasets.luvira import DEFECTS, defects_of, luvira, recording_folders
from soundfix.errors import ConfigError, DatasetError
from soundfix.simulation.studio import LUVIRA_POSITIONS_M


def test_sound_and_truth_of_a_cut_recording(grid):
    data = luvira(grid, clip_s=CLIP_S)
    assert isinstance(data, Dataset)
    assert (len(data), data.name, data.recordings[0].name) == (3, "luvira", "Grid101")
    scene = data[1]
    assert scene.microphones.names == tuple(f"mic{n}" for n in range(1, 12))
    assert np.allclose(scene.microphones.positions, LUVIRA_POSITIONS_M)
    assert (scene.audio.shape, scene.audio.dtype, scene.sample_rate, scene.start_s) == (
        (11, 4000),
        np.float32,
        16e3,
        0.25,
    )
    assert scene.audio.argmax(axis=1).tolist() == [round(0.15 * 16_000) + n for n in range(1, 12)]
    assert scene.truth.sources == pytest.approx(place(np.array([0.375])), abs=1e-6)
    assert scene.truth.track.times_s[:3] == pytest.approx([0.0, 0.01, 0.02])
    assert scene.truth.track.places[:, 0] == pytest.approx(place(0.25 + scene.truth.track.times_s), abs=1e-6)


def test_what_macos_leaves_behind_is_passed_over(grid):
    (grid / "ground_truth/extracted/._Grid101.csv").write_bytes(b"\0\5\26\7")
    (grid / "audio_grid/Grid101/._Track 1.wav").write_bytes(b"\0\5\26\7")
    assert len(luvira(grid, clip_s=CLIP_S)) == 3


def test_the_middle_of_a_clip_lies_between_frames(grid):
    """0.125 s is half-way from frame 12 to frame 13."""
    assert luvira(grid, clip_s=CLIP_S)[0].truth.sources[0] == pytest.approx(place(np.array(0.125)), abs=1e-6)


def test_a_clip_is_that_stretch_of_the_whole_track(grid):
    samples, _ = soundfile.read(grid / "audio_grid/Grid101/Track 4.wav", dtype="float32")
    whole = soxr.resample(samples, RATE, 16_000)
    data = luvira(grid, clip_s=CLIP_S)
    assert np.abs(np.concatenate([data[k].audio[3] for k in range(3)]) - whole[:12_000]).max() < 1e-6


def test_a_clip_is_the_same_whenever_it_is_asked_for(grid):
    one, other = luvira(grid, clip_s=CLIP_S), luvira(grid, clip_s=CLIP_S)
    other[2]
    assert np.array_equal(one[1].audio, other[1].audio)
    for clip in (-1, 3):
        with pytest.raises(IndexError):
            one[clip]


def test_the_room_is_the_studio_in_the_coordinates_of_the_capture(grid):
    low, high = np.array(luvira(grid, clip_s=CLIP_S)[0].room)
    assert high - low == pytest.approx([7.2, 8.0, 2.8])
    assert (np.array(LUVIRA_POSITIONS_M) > low).all()
    assert (np.array(LUVIRA_POSITIONS_M) < high).all()


def test_lost_frames_are_not_seen(grid):
    """Frames 12 and 13 lie about the middle of clip 0; clip 1 does not see them."""
    write_csv(grid / "ground_truth/extracted/Grid101.csv", lost={12, 13, 14})
    data = luvira(grid, clip_s=CLIP_S)
    assert np.isnan(data[0].truth.sources).all()
    assert np.isnan(data[0].truth.track.places[:, 0, 0]).sum() == 3
    assert np.isfinite(data[1].truth.sources).all()


def test_a_missing_track_is_a_missing_microphone(tmp_path):
    """The others keep their names, places and sounds."""
    write_tracks(tmp_path / "audio_random/Random_manual_people2", [1, 2, 3, 5, 12])
    write_csv(tmp_path / "Random_manual_people2.csv")
    data = luvira(tmp_path, clip_s=CLIP_S)
    assert data[1].microphones.names == ("mic1", "mic2", "mic3", "mic5")
    assert data[1].microphones.positions[3] == pytest.approx(LUVIRA_POSITIONS_M[4])
    assert data[1].audio.argmax(axis=1).tolist() == [2401, 2402, 2403, 2405]
    assert ("Random_manual_people2", "mic4") in [(d.recording, d.microphone) for d in defects_of(data)]


@pytest.mark.parametrize(
    ("leave_out", "grid110", "other"), [("none", [7, 8, 9], [7, 8, 9]), ("named", [8, 9], [7, 8, 9]), ("all", [8], [8])]
)
def test_microphones_with_known_defects_are_left_out_on_request(tmp_path, leave_out, grid110, other):
    for name in ("Grid110", "Grid111"):
        write_tracks(tmp_path / name, [7, 8, 9])
        write_csv(tmp_path / f"{name}.csv")
    data = luvira(tmp_path, leave_out=leave_out, clip_s=CLIP_S)
    kept = [list(recording.microphones.names) for recording in data.recordings]
    assert kept == [[f"mic{n}" for n in grid110], [f"mic{n}" for n in other]]
    assert defects_of(data) == tuple(d for d in DEFECTS if d.recording != "Random_manual_people2")


@pytest.fixture
def splits(tmp_path):
    """All audio-only recordings, named as the raw sound is and as the scripts of its authors do."""
    for kind in ("music", "speech"):
        for number in range(1, 5):
            write_tracks(tmp_path / f"audio/{kind}000{number}", [1, 2], duration_s=0.3)
            write_csv(tmp_path / f"truth/{kind}{number}.csv", frames=30)
    write_tracks(tmp_path / "audio/Grid101", [1, 2], duration_s=0.3)
    write_csv(tmp_path / "truth/Grid101.csv", frames=30)
    return tmp_path


def test_splits_and_names(splits):
    assert names(luvira(splits, split="train", clip_s=CLIP_S)) == [
        "music0001", "music0002", "music0004", "speech0001", "speech0002", "speech0004"
    ]  # fmt: skip
    assert names(luvira(splits, split="test", clip_s=CLIP_S)) == ["music0003", "speech0003"]
    assert len(names(luvira(splits, clip_s=CLIP_S))) == 9
    assert names(luvira(splits, recordings=["speech3", "Grid0101"], clip_s=CLIP_S)) == ["speech0003", "Grid101"]
    assert names(luvira(splits, split="test", recordings=["music_0003"], clip_s=CLIP_S)) == ["music0003"]
    assert len(recording_folders(splits)) == 9


def test_choices_that_cannot_be(splits):
    with pytest.raises(DatasetError, match=r"of the split train; there are .*: not music3"):
        luvira(splits, split="train", recordings=["music3"], clip_s=CLIP_S)
    with pytest.raises(DatasetError, match="not music9"):
        luvira(splits, recordings=["music9"], clip_s=CLIP_S)
    with pytest.raises(ConfigError, match="split is 'val'"):
        luvira(splits, split="val", clip_s=CLIP_S)
    with pytest.raises(ConfigError, match="leave_out is 'some'"):
        luvira(splits, leave_out="some", clip_s=CLIP_S)
    for track in (splits / "audio/speech0003").iterdir():
        track.unlink()
    with pytest.raises(DatasetError, match="not speech3"):
        luvira(splits, split="test", clip_s=CLIP_S)


def test_folders_that_cannot_be(grid):
    folder = grid / "audio_grid/Grid101"
    with pytest.raises(DatasetError, match=r"nothing holds no recordings, wanted folders with 'Track 1.wav'"):
        luvira(grid / "nothing")
    with pytest.raises(
        DatasetError, match=r"sound of 0.80 s and truth from 0.00 to 0.79 s share less than a clip of 2 s"
    ):
        luvira(grid)
    with pytest.raises(DatasetError, match=r"Grid101 has no truth: wanted Grid101.csv, Grid101.tsv or Grid101_6D.tsv"):
        luvira(folder, clip_s=CLIP_S)
    write_csv(grid / "ground_truth/extracted/Grid101.csv", lost=range(80))
    with pytest.raises(DatasetError, match="Grid101: its source is lost in every frame"):
        luvira(grid, clip_s=CLIP_S)
    write_csv(grid / "Grid0101.csv")
    with pytest.raises(DatasetError, match=r"Grid101 has two tables of truth, .*Grid0?101.csv and .*Grid0?101.csv"):
        luvira(grid, clip_s=CLIP_S)
    write_tracks(grid / "copy/Grid0101", [1])
    with pytest.raises(DatasetError, match="are the same recording by name"):
        luvira(grid, clip_s=CLIP_S)


def test_tracks_that_cannot_be(grid):
    track = grid / "audio_grid/Grid101/Track 3.wav"
    whole = track.read_bytes()
    soundfile.write(track, np.zeros((RATE, 2)), RATE)
    with pytest.raises(DatasetError, match=r"Track 3.wav has 2 channels, wanted 1"):
        luvira(grid, clip_s=CLIP_S)
    soundfile.write(track, np.zeros(RATE), 48_000)
    with pytest.raises(DatasetError, match=r"\[48000, 96000\] samples a second, wanted one rate"):
        luvira(grid, clip_s=CLIP_S)
    track.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DatasetError, match=r"Track 3.wav is cut short"):
        luvira(grid, clip_s=CLIP_S)
    track.write_bytes(whole)
    data = luvira(grid, clip_s=CLIP_S)
    track.write_bytes(whole[:30_000])
    with pytest.raises(DatasetError, match=r"Track 3.wav"):
        data[2]
