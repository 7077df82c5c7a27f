"""Folders of scenes: read back as they were written, cut into clips, and refused with the field that is wrong."""

import json

import numpy as np
import pytest
import soundfile

from helpers.scenes import drawn
from soundfix.datasets.dataset import Dataset
from soundfix.datasets.folder import scene_folder, scene_folders
from soundfix.errors import DatasetError
from soundfix.files.scenes import write_scene
from soundfix.simulation.faults import break_scene, parse_fault
from soundfix.simulation.worlds import CLEAN_ROOMS

MICROPHONES = [
    {"name": "a", "position_m": [0, 0, 1.5]},
    {"name": "b", "position_m": [4.0, 0.0, 1.5], "sigma_m": 0.02, "true_position_m": [4.1, 0.0, 1.5]},
    {"name": "c", "position_m": None},
]
WHOLE = {
    "microphones": MICROPHONES,
    "sources_m": [[1.0, 2.0, 1.2], [None, None, None], [2.0, 2.0, None], None],
    "room_m": [[-1, -1, 0], [6, 5, 3]],
    "speed_of_sound_m_s": 340.0,
    "temperature_c": 15.0,
    "faults": ["unknown:c"],
    "rt60_s": 0.4,
    "snr_db": None,
}


def write_json(folder, entry, *, duration_s=1.0, rate=16_000, channels=3):
    """Sample n of channel m is (n + m) / 10**6."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = (np.arange(round(duration_s * rate))[:, None] + np.arange(channels)) / 1e6
    soundfile.write(folder / "scene.wav", samples, rate, subtype="FLOAT")
    (folder / "scene.json").write_text(entry if isinstance(entry, str) else json.dumps(entry))
    return folder


def moving(*, first_s=0.0, step_s=0.1, count=12):
    """One source at 1 m/s along x, lost at times 3; and one that stays."""
    times_s = [first_s + n * step_s for n in range(count)]
    return {"times_s": times_s, "places_m": [[[t, 1, 1] if n != 3 else None, [0, 2, 1]] for n, t in enumerate(times_s)]}


def test_everything_that_scene_json_can_say(tmp_path):
    data = scene_folder(write_json(tmp_path / "s", WHOLE), clip_s=0.5)
    assert isinstance(data, Dataset)
    assert (len(data), data.name, data.notes) == (2, "s", ())
    scene = data[1]
    assert scene.microphones.names == ("a", "b", "c")
    assert scene.microphones.is_known.tolist() == [True, True, False]
    assert scene.microphones.sigma_m.tolist() == [0.0, 0.02, 0.0]
    assert (scene.room, scene.speed, scene.temperature_c) == (((-1, -1, 0), (6, 5, 3)), 340.0, 15.0)
    assert (scene.audio.dtype, scene.sample_rate, scene.start_s) == (np.float32, 16_000, 0.5)
    assert scene.audio == pytest.approx((np.arange(8000, 16_000) + np.arange(3)[:, None]) / 1e6)
    truth = scene.truth
    nan = np.nan
    assert np.array_equal(truth.sources, [[1, 2, 1.2], [nan] * 3, [2, 2, nan], [nan] * 3], equal_nan=True)
    assert np.array_equal(truth.positions, [[0, 0, 1.5], [4.1, 0, 1.5], [nan] * 3], equal_nan=True)
    assert (truth.faults, truth.rt60_s, truth.snr_db, truth.track) == (("unknown:c",), 0.4, None, None)


def test_only_microphones_and_sources_are_needed(tmp_path):
    entry = {"microphones": MICROPHONES[:1] * 1, "sources_m": []}
    scene = scene_folder(write_json(tmp_path, entry, channels=1), clip_s=1.0)[0]
    assert scene.truth.sources.shape == (0, 3)
    assert (scene.room, scene.truth.positions, scene.speed) == (None, None, 343.2)


def test_a_track_is_cut_to_its_clip(tmp_path):
    """Clip 0 has its middle at 0.25 s, half-way between a time seen and the lost one; clip 1 at 0.75 s."""
    data = scene_folder(write_json(tmp_path, {"microphones": MICROPHONES, "track": moving()}), clip_s=0.5)
    assert np.isnan(data[0].truth.sources[0]).all()
    assert data[0].truth.sources[1].tolist() == [0, 2, 1]
    assert data[1].truth.sources == pytest.approx(np.array([[0.75, 1, 1], [0, 2, 1]]))
    assert data[1].truth.track.times_s == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5], abs=1e-9)
    assert data[1].truth.track.at(0.3)[0] == pytest.approx([0.8, 1, 1])


def test_scenes_come_in_natural_order_and_the_rest_is_dropped(tmp_path):
    """2.4 s hold two clips of 1 s, 1.7 s one and a rest worth a note, 0.3 s none."""
    for name, duration_s in (("s10", 1.7), ("s9", 2.4), ("s11", 0.3)):
        write_json(tmp_path / name, WHOLE, duration_s=duration_s)
    (tmp_path / "empty").mkdir()
    data = scene_folder(tmp_path, clip_s=1.0)
    assert [folder.name for folder in scene_folders(tmp_path)] == ["s9", "s10", "s11"]
    assert [data[k].start_s for k in range(len(data))] == [0.0, 1.0, 0.0]
    assert all(scene.audio.shape == (3, 16_000) for scene in (data[0], data[2]))
    assert data.notes == ("s10: 1 clips of 1 s; the last 0.70 s are dropped.",)
    with pytest.raises(IndexError):
        data[3]


def test_another_sample_rate_becomes_16_khz(tmp_path):
    scene = scene_folder(write_json(tmp_path, WHOLE, rate=48_000, duration_s=1.1), clip_s=0.5)[1]
    assert scene.audio[0] == pytest.approx(np.arange(8000, 16_000) * 3 / 1e6, abs=1e-5)


def test_what_simulate_writes_reads_back(tmp_path, rng):
    """Bit for bit, NaN included, with the list of microphones turned round."""
    whole = drawn(CLEAN_ROOMS, rng, duration_s=0.3)
    broken = break_scene(whole, [parse_fault("unknown:2"), parse_fault("nan:3")], rng)
    write_scene(tmp_path / "s", broken)
    scene = scene_folder(tmp_path, clip_s=0.3)[0]
    assert np.array_equal(scene.audio, broken.audio, equal_nan=True)
    assert np.array_equal(scene.microphones.border_positions(), broken.microphones.border_positions(), equal_nan=True)
    assert np.array_equal(scene.truth.sources, broken.truth.sources)
    assert scene.truth.faults == ("unknown:mic2", "nan:mic3")
    assert (scene.room, scene.speed, scene.truth.rt60_s) == (broken.room, broken.speed, broken.truth.rt60_s)
    lines = (tmp_path / "s/microphones.csv").read_text().splitlines()
    numbered = [f"{line},{n or 'channel'}" for n, line in enumerate(lines)]
    (tmp_path / "s/microphones.csv").write_text("\n".join([numbered[0], *reversed(numbered[1:])]))
    assert np.array_equal(scene_folder(tmp_path, clip_s=0.3)[0].audio, broken.audio[::-1], equal_nan=True)


def without(name):
    return {key: value for key, value in WHOLE.items() if key != name}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{", "scene.json: the file: Invalid JSON"),
        ("[]", r"the file: Input should be an object, got \[\]"),
        (without("microphones"), "microphones: Field required"),
        (WHOLE | {"microphones": []}, "microphones: List should have at least 1 item"),
        (WHOLE | {"microphones": MICROPHONES[:2]}, "lists 2 microphones, .*scene.wav has 3 channels"),
        (WHOLE | {"microphones": [*MICROPHONES[:2], {"name": "c"}]}, "microphones 3 position_m: Field required"),
        (WHOLE | {"microphones": [*MICROPHONES[:2], MICROPHONES[1]]}, "two microphones are called 'b'"),
        (WHOLE | {"microphones": [*MICROPHONES[:2], {"name": "c", "position_m": [1, 2]}]}, "microphones 3 position_m"),
        (WHOLE | {"microphones": [*MICROPHONES[:2], {"name": "c", "position_m": [1, 2, None]}]}, "microphone 3 has"),
        (
            WHOLE | {"microphones": [{**MICROPHONES[0], "sigma_m": -1}, *MICROPHONES[1:]]},
            "microphones 1 sigma_m: .*got -1",
        ),
        (WHOLE | {"sources": []}, "sources: Extra inputs are not permitted"),
        (WHOLE | {"rt60_s": "0.4"}, "rt60_s: Input should be a valid number, got 0.4"),
        (json.dumps(WHOLE).replace("0.4", "NaN"), "rt60_s: .*finite"),
        (WHOLE | {"room_m": [[0, 0, 0]]}, "room_m 2: Field required"),
        (without("sources_m"), "neither sources_m and track, wanted one"),
        (WHOLE | {"track": moving()}, "both sources_m and track, wanted one"),
        (without("sources_m") | {"track": {"times_s": [0.0], "places_m": [[None]]}}, "track times_s: List should have"),
        (without("sources_m") | {"track": {"times_s": [0, 1], "places_m": [[None]]}}, "2 times and 1 places_m"),
        (without("sources_m") | {"track": {"times_s": [0, 1], "places_m": [[None], []]}}, r"of \[0, 1\] sources"),
        (without("sources_m") | {"track": {"times_s": [1, 0], "places_m": [[None], [None]]}}, "do not increase"),
        (
            without("sources_m") | {"track": {"times_s": [0, 1], "places_m": [[0, 0, 0], [1, 0, 0]]}},
            "track places_m 1 1",
        ),
        (without("sources_m") | {"track": moving(first_s=0.5)}, "lasts from 0.5 to 1.6 s, wanted 0.25 to 0.75 s"),
        (without("sources_m") | {"track": moving(count=5)}, "lasts from 0 to 0.4 s, wanted 0.25 to 0.75 s"),
    ],
)
def test_scene_json_that_cannot_be(tmp_path, entry, message):
    with pytest.raises(DatasetError, match=message):
        scene_folder(write_json(tmp_path, entry), clip_s=0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"room_m": [[5, 5, 3], [0, 0, 0]]}, "lowest corner first"),
        ({"speed_of_sound_m_s": 0.34}, "speed of sound 0.34"),
        ({"temperature_c": 290.0}, "was it given in °F or K"),
    ],
)
def test_scenes_that_cannot_be_name_their_folder(tmp_path, change, message):
    data = scene_folder(write_json(tmp_path / "hall", WHOLE | change), clip_s=0.5)
    with pytest.raises(DatasetError, match=f"hall: .*{message}"):
        data[0]


def test_folders_that_cannot_be(tmp_path, rng):
    with pytest.raises(DatasetError, match=r"holds no scenes, wanted scene.wav"):
        scene_folder(tmp_path)
    with pytest.raises(DatasetError, match=r"gone holds no scenes"):
        scene_folder(tmp_path / "gone")
    folder = write_json(tmp_path / "s", WHOLE)
    with pytest.raises(DatasetError, match=r"the longest scene in .* has 1.00 s, wanted a clip of 2 s"):
        scene_folder(tmp_path)
    (folder / "scene.json").unlink()
    with pytest.raises(DatasetError, match=r"lacks microphones.csv and truth.json, wanted scene.json, or"):
        scene_folder(tmp_path)
    (folder / "scene.wav").write_bytes((folder / "scene.wav").read_bytes()[:5000])
    with pytest.raises(DatasetError, match=r"scene.wav is cut short"):
        scene_folder(tmp_path)


def test_simulated_folders_that_cannot_be(tmp_path, rng):
    write_scene(tmp_path, drawn(CLEAN_ROOMS, rng, duration_s=0.3))
    truth = json.loads((tmp_path / "truth.json").read_text())
    for change, message in (
        ({"sample_rate_hz": 48_000.0}, "says 48000 samples a second, scene.wav has 16000"),
        ({"sources_m": None}, "truth.json holds neither sources_m"),
        ({"sources_m": [[1, 2]]}, r"truth.json: sources_m 1"),
    ):
        (tmp_path / "truth.json").write_text(json.dumps(truth | change))
        with pytest.raises(DatasetError, match=message):
            scene_folder(tmp_path, clip_s=0.3)
    (tmp_path / "truth.json").write_text(json.dumps(truth | {"new": 1}))
    assert len(scene_folder(tmp_path, clip_s=0.3)) == 1
    (tmp_path / "microphones.csv").write_text("name,x\na,1\n")
    with pytest.raises(DatasetError, match=r"microphones.csv"):
        scene_folder(tmp_path, clip_s=0.3)
