"""LOCATA's layout as a data set: sound and truth of the same moment."""

import numpy as np
import pytest

from helpers.locata import write_recording
from soundfix.datasets.locata import locata
from soundfix.datasets.opening import open_dataset
from soundfix.errors import DatasetError

RATE = 48_000
POSITIONS = np.array([[1.0, 2.0, 1.2], [1.6, 2.0, 1.2], [1.0, 2.6, 1.25], [1.6, 2.6, 1.7]])
FIXED = (3.0, 1.0, 1.5)


def ramp(seconds):
    """Every channel at a constant of its own, louder by 0.001 a second."""
    t = np.arange(round(seconds * RATE)) / RATE
    return 0.1 * np.arange(1, 5) + 0.001 * t[:, None]


def walking(seconds):
    return (1.0 + 0.5 * seconds, 2.0, 1.5)


@pytest.fixture
def root(tmp_path):
    write_recording(
        tmp_path / "dev" / "task1" / "recording1" / "benchmark2", ramp(4.4), RATE, POSITIONS, {"loudspeaker1": FIXED}
    )
    return tmp_path / "dev"


def test_clips_follow_each_other_with_their_truth(root):
    found = locata(root)
    assert (len(found), found.name) == (2, "locata")
    scene = found[1]
    assert scene.audio.shape == (4, 32_000)
    np.testing.assert_allclose(scene.audio.mean(axis=1), 0.1 * np.arange(1, 5) + 0.003, atol=1e-4)
    np.testing.assert_allclose(scene.microphones.positions, POSITIONS)
    np.testing.assert_allclose(scene.truth.sources, [FIXED])
    assert scene.start_s == 2.0
    assert found.recordings[0].name == "task1/recording1/benchmark2"


def test_who_walks_is_where_they_were_in_the_middle_of_the_clip(tmp_path):
    """The motion capture begins 0.3 s after the sound, by the same clock."""
    sources = {"talker1": walking, "talker2": FIXED}
    write_recording(tmp_path / "r", ramp(4.4), RATE, POSITIONS, sources, name="dicit", offset_s=0.3)
    scene = locata(tmp_path)[1]
    np.testing.assert_allclose(scene.truth.sources, [walking(3.0), FIXED], atol=0.01)
    np.testing.assert_allclose(scene.truth.track.at(0.0)[0], walking(2.0), atol=0.01)


def test_rows_that_do_not_count_are_not_seen(tmp_path):
    valid = np.arange(round(4.4 * 120)) < 360
    write_recording(tmp_path / "r", ramp(4.4), RATE, POSITIONS, {"talker1": FIXED}, valid=valid)
    found = locata(tmp_path, clip_s=1.0)
    assert [bool(np.isnan(found[k].truth.sources).all()) for k in range(4)] == [False, False, False, True]


def test_arrays_are_chosen_by_name(root):
    write_recording(
        root / "task1" / "recording1" / "dicit", ramp(2.2), RATE, POSITIONS, {"loudspeaker1": FIXED}, name="dicit"
    )
    assert len(open_dataset(str(root))) == 3
    assert len(open_dataset(f"{root}:dicit")) == 1
    assert len(open_dataset(f"{root}:DICIT,benchmark2")) == 3
    with pytest.raises(DatasetError, match="its arrays are benchmark2, dicit"):
        open_dataset(f"{root}:eigenmike")


def breaking(folder, name, change):
    path = folder / "task1" / "recording1" / "benchmark2" / name
    text = path.read_text()
    path.unlink()
    if change is not None:
        path.write_text(change(text))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("position_array_benchmark2.txt", None, "position_array_benchmark2.txt cannot be read"),
        ("audio_array_timestamps_benchmark2.txt", None, "cannot be read"),
        (
            "audio_array_timestamps_benchmark2.txt",
            lambda text: text.replace("year", "y"),
            "wanted when the first sample was",
        ),
        ("audio_array_timestamps_benchmark2.txt", lambda text: text.replace("2017", "x", 1), "is no time"),
        ("audio_array_timestamps_benchmark2.txt", lambda text: text.replace("2017", "99999", 1), "is no time"),
        ("audio_array_timestamps_benchmark2.txt", lambda text: "", "wanted when the first sample was"),
        ("position_source_loudspeaker1.txt", None, "wanted position_source"),
        ("position_source_loudspeaker1.txt", lambda text: "\n".join(text.splitlines()[:2]), "wanted position_source"),
        ("position_source_loudspeaker1.txt", lambda text: text.replace("3.000000", "nan", 1), "row 1: wanted a number"),
        ("position_source_loudspeaker1.txt", lambda text: text.replace("\t15\t", "\t16\t", 1), "in order of time"),
    ],
)
def test_what_is_missing_or_wrong_is_named(root, name, change, message):
    breaking(root, name, change)
    with pytest.raises(DatasetError, match=message):
        locata(root)


def test_a_table_of_another_array_is_refused(tmp_path):
    write_recording(tmp_path / "r", ramp(2.2)[:, :3], RATE, POSITIONS, {"talker1": FIXED})
    with pytest.raises(DatasetError, match="3 channels for 4 microphones"):
        locata(tmp_path)


def test_what_is_shorter_than_a_clip_is_refused(root):
    with pytest.raises(DatasetError, match="holds no clip of 10 s"):
        locata(root, clip_s=10.0)
