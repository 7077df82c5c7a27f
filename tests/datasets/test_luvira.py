"""LuViRA as it lies on disk, in small: sound and truth aligned to the sample and the frame, in every layout."""

import json

import numpy as np
import pytest
import soundfile
import soxr

from helpers.luvira_files import RATE, place, steady, write_csv, write_sync, write_tracks, write_tsv
from soundfix.datasets.dataset import Dataset
from soundfix.datasets.luvira import DEFECTS, luvira, recording_folders
from soundfix.datasets.luvira_truth import speaker_middle, sync_edge_s
from soundfix.errors import ConfigError, DatasetError
from soundfix.simulation.studio import LUVIRA_POSITIONS_M

CLIP_S = 0.25


@pytest.fixture
def grid(tmp_path):
    """The original layout: cut sound of 16 bits, and a trajectory elsewhere below the root."""
    write_tracks(tmp_path / "audio_grid/Grid101")
    write_csv(tmp_path / "ground_truth/extracted/Grid101.csv")
    return tmp_path


@pytest.fixture
def raw(tmp_path, rng):
    """Raw sound of 24 bits, markers, and a start signal at an odd sample: (root, its second)."""
    folder, edge = tmp_path / "audio_only/music0003", 12_347
    write_tracks(folder, subtype="PCM_24")
    write_sync(folder, edge, rng=rng, subtype="PCM_24")
    path = place(np.arange(60) / 100)
    write_tsv(tmp_path / "raw/3D/music0003.tsv", {"speaker1": path, "cart": path + 1})
    return tmp_path, edge / RATE


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


def test_raw_sound_counts_from_the_edge_in_sync(raw):
    """The clips begin with the first sample of 16 kHz at or after it; the truth keeps its fraction."""
    root, edge_s = raw
    data = luvira(root, clip_s=CLIP_S)
    first = int(np.ceil(edge_s * 16_000))
    assert data[0].start_s == first / 16_000
    assert data[1].truth.sources[0] == pytest.approx(place(np.array(data[1].start_s + 0.125 - edge_s)), abs=1e-6)
    assert data[1].audio.argmax(axis=1).tolist() == [6400 + n - first - 4000 for n in range(1, 12)]
    assert len(data) == 2


def test_a_trajectory_of_raw_sound_counts_from_the_edge_too(raw):
    root, edge_s = raw
    (root / "raw/3D/music0003.tsv").unlink()
    write_csv(root / "extracted/music0003.csv")
    data = luvira(root, clip_s=CLIP_S)
    assert data[0].truth.sources[0] == pytest.approx(place(np.array(data[0].start_s + 0.125 - edge_s)), abs=1e-6)


def test_raw_markers_win_with_raw_sound_and_the_trajectory_with_cut_sound(raw, grid, rng):
    root, edge_s = raw
    write_csv(root / "extracted/music0003.csv", frames=30)
    assert luvira(root, recordings=["music3"], clip_s=CLIP_S).recordings[0].source.times_s[-1] == pytest.approx(
        edge_s + 0.59
    )
    write_tsv(root / "raw/3D/Grid0101.tsv", {"speaker1": steady([0, 0, 1])})
    assert luvira(root, recordings=["Grid101"], clip_s=CLIP_S)[0].truth.sources[0, 0] > 0.9


def test_microphones_stand_between_their_two_markers(raw):
    """By the median: lost frames and a jump in a few of them do not matter. One marker alone does not count."""
    root, _ = raw
    right = steady([2.0, 1.0, 1.2])
    right[:10] = np.nan
    right[20:25] += 0.5
    markers = {"mic01R": right, "mic01L": steady([2.2, 1.0, 1.3]), "mic02R": steady([0, 0, 0.3])}
    markers |= {"mic03R": steady([np.nan] * 3), "mic03L": steady([1, 1, 1.0]), "speaker1": steady([0, 0, 1.0])}
    write_tsv(root / "raw/3D/music0003.tsv", markers)
    positions = luvira(root, clip_s=CLIP_S)[0].microphones.positions
    assert positions[0] == pytest.approx([2.1, 1.0, 1.25])
    assert positions[1:] == pytest.approx(np.array(LUVIRA_POSITIONS_M)[1:])


def test_the_middle_of_the_loudspeaker_is_its_front_marker_on_the_plane_of_the_others(raw, rng):
    """By hand: the plane is z = 0, and the front stands 0.1 above (0.35, -0.05). Moved and turned, it stays that."""
    root, _ = raw
    markers = np.array([[0, 0, 0], [0.25, 0.05, 0], [0.5, 0, 0], [0.35, -0.05, 0.1]])
    for order in ([0, 1, 2, 3], [3, 2, 0, 1]):
        assert speaker_middle(markers[None, order])[0] == pytest.approx([0.35, -0.05, 0])
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    path = place(np.arange(60) / 100)
    moved = markers @ turn.T + path[:, None]
    moved[30, 2] = np.nan
    write_tsv(root / "raw/3D/music0003.tsv", {f"speaker{n + 1}": moved[:, n] for n in range(4)})
    track = luvira(root, clip_s=CLIP_S).recordings[0].source
    expected = path + turn @ [0.35, -0.05, 0]
    assert np.delete(track.places[:, 0], 30, axis=0) == pytest.approx(np.delete(expected, 30, axis=0), abs=1e-6)
    assert np.isnan(track.places[30]).all()


@pytest.mark.parametrize(("bodies", "wanted_x"), [(["MIR"], 1.0), (["MIR", "Speaker"], 2.0)])
def test_a_body_is_the_source_if_it_is_called_so_or_is_the_only_one(raw, bodies, wanted_x):
    root, _ = raw
    (root / "raw/3D/music0003.tsv").unlink()
    columns = "\t".join(f"{name} X\tY\tZ\tRoll\tPitch\tYaw\tResidual\tRot[0]" for name in bodies)
    places = [f"{1000 * (b + 1)}\t0\t900\t0\t0\t0\t1\t1" for b in range(len(bodies))]
    rows = ["\t".join([str(n + 1), f"{n / 100}", *places]) for n in range(60)]
    (root / "raw/6D").mkdir()
    (root / "raw/6D/music0003_6D.tsv").write_text(
        "\n".join(["NO_OF_FRAMES\t60", "NO_OF_BODIES\t2", "FREQUENCY\t100", "DATA_INCLUDED\t6D",
                   "BODY_NAMES\t" + "\t".join(bodies), f"Frame\tTime\t{columns}", *rows])
    )  # fmt: skip
    assert luvira(root, clip_s=CLIP_S)[0].truth.sources[0].tolist() == [wanted_x, 0, 0.9]


def test_neither_markers_nor_bodies_are_the_source(raw):
    root, _ = raw
    write_tsv(root / "raw/3D/music0003.tsv", {"mic01R": steady([1, 1, 1]), "cart": steady([1, 1, 1])})
    with pytest.raises(DatasetError, match=r"is the source \(music0003.tsv: mic01R, cart\), wanted speaker1..4"):
        luvira(root, clip_s=CLIP_S)


@pytest.mark.parametrize("edge", [1, 30_001, 70_000])
def test_the_edge_is_found_to_the_sample(tmp_path, rng, edge):
    write_sync(tmp_path, edge, rng=rng)
    assert sync_edge_s(tmp_path / "Sync.wav") * RATE == pytest.approx(edge)


def test_the_first_of_several_edges_counts(tmp_path, rng):
    signal = 1e-3 * rng.standard_normal(RATE)
    for edge, height in ((20_000, 0.5), (40_000, 0.6), (60_000, 0.55)):
        signal[edge : edge + 5000] += height
    soundfile.write(tmp_path / "Sync.wav", signal, RATE, subtype="PCM_16")
    assert sync_edge_s(tmp_path / "Sync.wav") * RATE == pytest.approx(20_000)


@pytest.mark.parametrize("kind", ["silent", "noise", "loud noise", "falling"])
def test_a_sync_without_an_edge(raw, rng, kind):
    root, _ = raw
    signal = {"silent": 0.0, "noise": 1e-3, "loud noise": 0.2, "falling": 1e-4}[kind] * rng.standard_normal(RATE)
    signal[30_000:] -= 0.5 * (kind == "falling")
    soundfile.write(root / "audio_only/music0003/Sync.wav", np.clip(signal, -1, 1), RATE, subtype="PCM_24")
    with pytest.raises(DatasetError, match=r"Sync.wav rises by no more than .* processed CSV is wanted"):
        luvira(root, clip_s=CLIP_S)


def test_raw_sound_without_sync(raw):
    root, _ = raw
    (root / "audio_only/music0003/Sync.wav").unlink()
    with pytest.raises(DatasetError, match=r"music0003 has no Sync.wav"):
        luvira(root, clip_s=CLIP_S)


def test_the_sibling_layout(tmp_path):
    """Positions from its table alone, a twelfth microphone too; no room; the track without a place is left out."""
    folder = tmp_path / "data/chirp_0004"
    write_tracks(folder)
    (folder / "info.json").write_text(json.dumps({"sampling_rate": RATE, "number_of_mics": 12}))
    spots = {n: np.array([n / 4, (-1) ** n * 2.0, 1.0]) for n in range(1, 13) if n != 5}
    rows = []
    for frame in range(80):
        shown = {n: spot + 0.3 * (frame < 5) if frame % 3 else np.full(3, np.nan) for n, spot in spots.items()}
        numbers = [frame / 100, *place(np.array(frame / 100)), *np.concatenate(list(shown.values()))]
        rows.append(",".join("" if np.isnan(x) else f"{x:.9f}" for x in numbers))
    names = [f"speaker_{a}" for a in "xyz"] + [f"mic{n}_{a}" for n in spots for a in "xyz"]
    (folder / "gt_positions.csv").write_text("\n".join([",".join(["time [s]", *names]), *rows]))
    scene = luvira(tmp_path, clip_s=CLIP_S)[1]
    assert scene.microphones.names == tuple(f"mic{n}" for n in spots)
    assert scene.microphones.positions == pytest.approx(np.array(list(spots.values())))
    assert scene.room is None
    assert scene.audio.argmax(axis=1).tolist() == [2400 + n for n in spots]
    assert scene.truth.sources[0] == pytest.approx(place(np.array(0.375)), abs=1e-6)
    (folder / "info.json").write_text(json.dumps({"sampling_rate": 48_000}))
    with pytest.raises(DatasetError, match=r"info.json says 48000 samples a second, .* has 96000"):
        luvira(tmp_path, clip_s=CLIP_S)
    (folder / "info.json").write_text("{")
    with pytest.raises(DatasetError, match=r"info.json holds no sampling_rate"):
        luvira(tmp_path, clip_s=CLIP_S)


def test_a_missing_track_is_a_missing_microphone(tmp_path):
    """The others keep their names, places and sounds."""
    write_tracks(tmp_path / "audio_random/Random_manual_people2", [1, 2, 3, 5, 12])
    write_csv(tmp_path / "Random_manual_people2.csv")
    data = luvira(tmp_path, clip_s=CLIP_S)
    assert data[1].microphones.names == ("mic1", "mic2", "mic3", "mic5")
    assert data[1].microphones.positions[3] == pytest.approx(LUVIRA_POSITIONS_M[4])
    assert data[1].audio.argmax(axis=1).tolist() == [2401, 2402, 2403, 2405]
    assert ("Random_manual_people2", "mic4") in [(d.recording, d.microphone) for d in data.defects]


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
    assert data.defects == tuple(d for d in DEFECTS if d.recording != "Random_manual_people2")


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


def names(data):
    return [recording.name for recording in data.recordings]


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


def test_two_raw_tables_of_the_same_kind(raw):
    root, _ = raw
    write_tsv(root / "more/music3.tsv", {"speaker1": steady([0, 0, 1])})
    with pytest.raises(DatasetError, match="music0003 has two tables of truth"):
        luvira(root, clip_s=CLIP_S)
