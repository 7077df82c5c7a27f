"""Sound of ROS 2 bags that rosbags wrote: the same samples, at the same times; what cannot be is refused."""

import sys
from datetime import UTC, datetime

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin

from helpers.bags import BEGINS, DTYPES, write_bag
from soundfix.errors import AudioFileError, MissingPackageError
from soundfix.files.audio import open_recording
from soundfix.files.rosbag import is_bag, sounds
from soundfix.files.take import read

RATE = 16_000
PLACES = np.array([[0.0, 0, 1], [4, 0, 2], [4, 3, 1]])
BEGUN = datetime.fromtimestamp(BEGINS / 1e9, UTC)


@pytest.fixture
def noise(rng):
    """1.25 s of three channels, 16 bits."""
    return rng.integers(-30_000, 30_000, (RATE * 5 // 4, 3)).astype("<i2")


def by_microphone(sound):
    return {f"/mic{m + 1}/audio": sound[:, m : m + 1] for m in range(sound.shape[1])}


def heard(path):
    recording = open_recording([path]).at(float(RATE))
    return np.concatenate(list(recording.blocks(0.5)), axis=1), recording


@pytest.mark.parametrize("plugin", [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
@pytest.mark.parametrize("stamped", [True, False])
def test_interleaved_channels_to_the_last_bit(tmp_path, noise, plugin, stamped):
    bag = write_bag(tmp_path / "bag", {"/array/audio": noise}, RATE, plugin=plugin, stamped=stamped)
    audio, recording = heard(bag)
    np.testing.assert_array_equal(audio * 32768, noise.T)
    assert recording.starts_at == BEGUN


@pytest.mark.parametrize("format", ["S32LE", "F32LE"])
def test_other_plain_formats(tmp_path, noise, format):
    scaled = noise / 32768 * (2**31 if format == "S32LE" else 1)
    bag = write_bag(tmp_path / "bag", {"/a": scaled.astype(DTYPES[format])}, RATE, info={"sample_format": format})
    np.testing.assert_allclose(heard(bag)[0], noise.T / 32768, atol=1e-9)


def test_a_topic_a_microphone_goes_to_the_row_of_its_name(tmp_path, noise):
    bag = write_bag(tmp_path / "bag", by_microphone(noise), RATE)
    (tmp_path / "m.csv").write_text("name,x,y,z\nmic2,0,0,1\nmic3,4,0,2\nmic1,4,3,1\n")
    take = read(bag, tmp_path / "m.csv")
    np.testing.assert_array_equal(next(take.blocks(2.0)) * 32768, noise.T[[1, 2, 0]])
    assert take.paths == (bag,)


def test_stamps_of_the_sound_are_believed(tmp_path, noise):
    """mic3 began 10 ms later, by its stamps."""
    audio, _ = heard(write_bag(tmp_path / "bag", by_microphone(noise), RATE, late={"/mic3/audio": 0.01}))
    late = round(0.01 * RATE)
    assert np.isnan(audio[2, :late]).all()
    np.testing.assert_array_equal(audio[2, late:] * 32768, noise.T[2, : audio.shape[1] - late])
    np.testing.assert_array_equal(audio[0, : len(noise)] * 32768, noise.T[0])


@pytest.mark.parametrize(("late_s", "lost"), [(0.2, 0), (0.4, round(0.4 * RATE))])
def test_arrivals_tell_only_whether_topics_began_together(tmp_path, noise, late_s, lost):
    bag = write_bag(tmp_path / "bag", by_microphone(noise), RATE, stamped=False, late={"/mic3/audio": late_s})
    audio, _ = heard(bag)
    np.testing.assert_array_equal(audio[2, lost:] * 32768, noise.T[2, : audio.shape[1] - lost])
    assert np.isnan(audio[2, :lost]).all()


def test_a_hole_stays_a_hole(tmp_path, noise):
    bag = write_bag(tmp_path / "bag", by_microphone(noise), RATE, drop=(3, 4, 5))
    audio, recording = heard(bag)
    first, last = round(0.3 * RATE), round(0.6 * RATE)
    assert np.isnan(audio[:, first:last]).all()
    np.testing.assert_array_equal(audio[:, last:] * 32768, noise.T[:, last:])
    assert len(recording.files) == 6


def test_of_a_topic_and_its_stamped_twin_one_is_heard(tmp_path, noise):
    topics = {"/a/audio": noise, "/a/audio_stamped": noise}
    one = ("/a/audio",)
    assert len(sounds(write_bag(tmp_path / "plain", topics, RATE, stamped=False, info_beside=one))) == 2
    assert len(sounds(write_bag(tmp_path / "bag", topics, RATE, info_beside=one))) == 1


def test_names_are_what_tells_topics_apart(tmp_path, noise):
    def names(folder, *topics):
        found = sounds(write_bag(tmp_path / folder, dict.fromkeys(topics, noise), RATE))
        return [path.parent.name for path in found]

    assert names("a", "/robot/mic1/audio", "/robot/mic2/audio") == ["mic1", "mic2"]
    assert names("b", "/robot/left") == ["left"]
    assert names("c", "/left/audio", "/right/front/audio") == ["left", "right_front"]
    assert names("d", "/a/x/y", "/b/x/z") == ["a_x_y", "b_x_z"]


def test_a_bag_is_a_folder_with_metadata(tmp_path, noise):
    assert is_bag(write_bag(tmp_path / "bag", {"/a": noise}, RATE))
    assert not is_bag(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"info": {"coding_format": "mp3"}}, "is coded as 'mp3', wanted samples as they were recorded"),
        ({"info": {"sample_format": "S24LE"}}, "has samples 'S24LE', wanted one of S16LE, S32LE, F32LE"),
        ({"info": {"sample_rate": 0}}, "3 channels at 0 Hz"),
        ({"info": {"channels": 7}}, "no whole number of frames of 7 channels"),
        ({"info": False}, "and there are none: was it recorded too"),
        ({"drop": range(99)}, "has no message"),
    ],
)
def test_sound_that_cannot_be_read_is_refused_and_leaves_nothing(tmp_path, noise, monkeypatch, options, message):
    bag = write_bag(tmp_path / "bag", {"/array/audio": noise}, RATE, **options)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(AudioFileError, match=message):
        sounds(bag)
    assert [path.name for path in tmp_path.iterdir()] == ["bag"]


def test_several_descriptions_and_none_beside(tmp_path, noise):
    bag = write_bag(tmp_path / "bag", {"/a/audio": noise, "/b/audio": noise, "/a/c/audio": noise}, RATE)
    assert len(sounds(bag)) == 3
    topics = {"/a/audio": noise, "/b/audio": noise}
    bag = write_bag(tmp_path / "far", topics, RATE, info_beside=("/a/audio",))
    assert len(sounds(bag)) == 2  # the only one there is


def test_a_bag_without_sound_says_what_it_has(tmp_path):
    from helpers.foreign import RECORDED, answer, source
    from soundfix.report.ros2 import BagWriter

    with BagWriter(tmp_path / "bag", RECORDED) as writer:
        writer.write(answer(source(1, 2, 3)))
    with pytest.raises(AudioFileError, match=r"has no sound, .* /soundfix/sources"):
        sounds(tmp_path / "bag")


@pytest.mark.parametrize("text", ["", "{", "rosbag2_bagfile_information: 3", "[" * 3000])
def test_metadata_that_is_none(tmp_path, noise, text):
    bag = write_bag(tmp_path / "bag", {"/a/audio": noise}, RATE)
    (bag / "metadata.yaml").write_text(text)
    with pytest.raises(AudioFileError, match="bag"):
        open_recording([bag])


def test_a_data_base_that_is_cut(tmp_path, noise):
    bag = write_bag(tmp_path / "bag", {"/a/audio": noise}, RATE)
    content = (bag / "bag.db3").read_bytes()
    (bag / "bag.db3").write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioFileError, match="bag"):
        open_recording([bag])


def test_what_was_written_beside_goes_with_the_program(tmp_path, noise, monkeypatch):
    goes = []
    monkeypatch.setattr("atexit.register", lambda *given, **options: goes.append((given, options)))
    (path,) = sounds(write_bag(tmp_path / "bag", {"/a/audio": noise}, RATE))
    (((remove, folder), options),) = goes
    assert path.parent.parent == folder
    remove(folder, **options)
    assert not path.exists()


def test_without_rosbags_one_sentence_says_what_to_install(tmp_path, noise, monkeypatch):
    bag = write_bag(tmp_path / "bag", {"/a/audio": noise}, RATE)
    monkeypatch.setitem(sys.modules, "rosbags.rosbag2", None)
    with pytest.raises(MissingPackageError, match=r"rosbags is not installed; .*soundfix\[interop\]"):
        open_recording([bag])
