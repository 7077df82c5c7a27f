"""A scene's folder, read back the way `soundfix locate` reads it."""

import json

import numpy as np
import pytest
import soundfile

from helpers.scenes import drawn
from soundfix.errors import OutputError
from soundfix.files.audio import open_recording
from soundfix.files.microphones import read_microphones
from soundfix.files.pairing import arrange
from soundfix.files.scenes import write_scene
from soundfix.simulation.faults import break_scene, parse_fault
from soundfix.simulation.worlds import CLEAN_ROOMS


@pytest.fixture
def scene(rng):
    whole = drawn(CLEAN_ROOMS, rng, duration_s=0.3)
    return break_scene(whole, [parse_fault("unknown:2"), parse_fault("nan:3")], rng)


def test_a_folder_reads_back_as_the_scene(tmp_path, scene):
    """Audio, NaN included, and positions, to the last bit; the channels in the order of the list."""
    write_scene(tmp_path / "s", scene)
    microphones, recording = (
        read_microphones(tmp_path / "s/microphones.csv"),
        open_recording([tmp_path / "s/scene.wav"]),
    )
    order, _ = arrange(recording.channels, microphones)
    ((start_s, audio),) = recording.windows(0.3, 0.3)
    assert (start_s, recording.sample_rate) == (0.0, scene.sample_rate)
    assert np.array_equal(audio[order], scene.audio, equal_nan=True)
    assert microphones.names == scene.microphones.names
    assert np.array_equal(microphones.border_positions(), scene.microphones.border_positions(), equal_nan=True)


def test_the_truth_is_valid_json(tmp_path, scene):
    """No NaN, which JSON does not know."""
    write_scene(tmp_path / "s", scene)

    def refuse(constant):
        raise AssertionError(constant)

    truth = json.loads((tmp_path / "s/truth.json").read_text(), parse_constant=refuse)
    assert truth["sources_m"] == scene.truth.sources.tolist()
    assert truth["faults"] == ["unknown:mic2", "nan:mic3"]


def test_a_scene_without_truth(tmp_path, scene):
    object.__setattr__(scene, "truth", None)
    write_scene(tmp_path / "s", scene)
    truth = json.loads((tmp_path / "s/truth.json").read_text())
    assert set(truth) == {"room_m", "speed_of_sound_m_s", "sample_rate_hz"}


def test_a_folder_that_cannot_be(tmp_path, scene):
    (tmp_path / "s").touch()
    with pytest.raises(OutputError, match="cannot make the folder"):
        write_scene(tmp_path / "s", scene)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, scene, monkeypatch):
    def full(path, *_, **__):
        path.write_bytes(b"RIFF")
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile, "write", full)
    with pytest.raises(OutputError, match=r"scene\.wav"):
        write_scene(tmp_path / "s", scene)
    assert list((tmp_path / "s").iterdir()) == []
