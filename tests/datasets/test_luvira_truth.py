"""Where source and microphones of LuViRA truly were, and when its sound began."""

import json

import numpy as np
import pytest
import soundfile

from helpers.luvira_files import CLIP_S, RATE, place, steady, write_csv, write_sync, write_tracks, write_tsv
from soundfix.datasets.luvira import luvira
from soundfix.datasets.luvira_truth import speaker_middle, sync_edge_s
from soundfix.errors import DatasetError
from soundfix.simulation.studio import LUVIRA_POSITIONS_M


@pytest.fixture
def raw(tmp_path, rng):
    """Raw sound of 24 bits, markers, and a start signal at an odd sample: (root, its second)."""
    folder, edge = tmp_path / "audio_only/music0003", 12_347
    write_tracks(folder, subtype="PCM_24")
    write_sync(folder, edge, rng=rng, subtype="PCM_24")
    path = place(np.arange(60) / 100)
    write_tsv(tmp_path / "raw/3D/music0003.tsv", {"speaker1": path, "cart": path + 1})
    return tmp_path, edge / RATE


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


def test_two_raw_tables_of_the_same_kind(raw):
    root, _ = raw
    write_tsv(root / "more/music3.tsv", {"speaker1": steady([0, 0, 1])})
    with pytest.raises(DatasetError, match="music0003 has two tables of truth"):
        luvira(root, clip_s=CLIP_S)
