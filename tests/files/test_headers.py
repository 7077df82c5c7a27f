"""Headers that say more or less than there is."""

import struct

import numpy as np
import pytest

from helpers.recordings import cut_to, heard, saved, with_bytes
from soundfix.errors import AudioFileError
from soundfix.files.audio import open_recording


@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG", "RF64", "W64"])
@pytest.mark.parametrize("count", [1, 4, 12, 30, 44, 60, 100, 200])
def test_a_file_cut_within_its_header_is_an_error(tmp_path, sound, container, count):
    subtype = "VORBIS" if container == "OGG" else "PCM_16"
    path = cut_to(saved(tmp_path / "take.x", sound, format=container, subtype=subtype), count)
    with pytest.raises(AudioFileError, match=r"take\.x"):
        heard(open_recording([path]))


def test_a_wav_that_promises_more_than_it_holds_is_an_error(tmp_path, sound):
    path = saved(tmp_path / "take.wav", sound, subtype="PCM_16")
    with pytest.raises(AudioFileError, match=r"promises more, 0\.50 s are readable"):
        open_recording([with_bytes(path, 40, struct.pack("<I", 0xFFFFFFF0))])


def test_sound_after_the_sound_is_no_fault(tmp_path, take, sound):
    take.write_bytes(take.read_bytes() + b"LIST" + struct.pack("<I", 4) + b"INFO")
    np.testing.assert_array_equal(heard(open_recording([take])), sound.T)


@pytest.mark.parametrize("outer", [0, 8, 36, 0xFFFFFFFF])
@pytest.mark.parametrize("claimed", [0, 0xFFFFFFFF])
def test_a_crashed_recorder_loses_nothing(tmp_path, sound, outer, claimed):
    path = saved(tmp_path / "take.wav", sound, subtype="PCM_16")
    with_bytes(with_bytes(path, 4, struct.pack("<I", outer)), 40, struct.pack("<I", claimed))
    recording = open_recording([cut_to(path, path.stat().st_size - 2)])  # it stopped in the middle of a frame
    assert recording.notes == (
        "take.wav was never closed by its recorder (no length in its header); the 0.50 s that are in it are used.",
    )
    np.testing.assert_allclose(heard(recording), sound.T[:, :-1], rtol=0, atol=2**-15)


def test_a_crashed_rf64_recorder_loses_nothing(tmp_path, sound):
    path = saved(tmp_path / "take.rf64", sound, format="RF64", subtype="PCM_16")
    recording = open_recording([with_bytes(path, 20, bytes(24))])
    assert "never closed" in recording.notes[0]
    np.testing.assert_allclose(heard(recording), sound.T, rtol=0, atol=2**-15)
