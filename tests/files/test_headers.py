"""Headers that say more or less than there is."""

import struct

import numpy as np
import pytest
import soundfile

from helpers.recordings import cut_to, heard, saved, with_bytes
from soundfix.errors import AudioFileError
from soundfix.files.audio import open_recording
from soundfix.files.decoding import _Reheaded, open_audio_file
from soundfix.files.headers import Header, read_chunks, read_header


@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG", "RF64", "W64"])
@pytest.mark.parametrize("count", [1, 4, 12, 30, 44, 60, 100])
def test_a_file_cut_within_its_header_is_an_error(tmp_path, sound, container, count):
    """Or there is a little sound after it, which is used."""
    subtype = "VORBIS" if container == "OGG" else "PCM_16"
    path = cut_to(saved(tmp_path / "take.x", sound, format=container, subtype=subtype), count)
    if container == "WAV" and count > 44:
        assert heard(open_recording([path])).shape == (2, (count - 44) // 4)
        return
    with pytest.raises(AudioFileError, match=r"take\.x"):
        heard(open_recording([path]))


def test_a_wav_that_promises_more_than_it_holds_says_so(tmp_path, sound):
    path = saved(tmp_path / "take.wav", sound, subtype="PCM_16")
    recording = open_recording([with_bytes(path, 40, struct.pack("<I", 0xFFFFFFF0))])
    assert recording.notes == ("take.wav is cut short (its header promises more); the 0.50 s that are in it are used.",)
    np.testing.assert_allclose(heard(recording), sound.T, rtol=0, atol=2**-15)


@pytest.mark.parametrize("less", [0, 8])
def test_a_header_that_counts_itself_loses_nothing(tmp_path, sound, less):
    path = saved(tmp_path / "take.wav", sound, subtype="PCM_16")
    recording = open_recording([with_bytes(path, 40, struct.pack("<I", path.stat().st_size - less))])
    assert recording.notes == ("take.wav has a wrong size in its header; the 0.50 s that are in it are used.",)
    np.testing.assert_allclose(heard(recording), sound.T, rtol=0, atol=2**-15)


@pytest.mark.parametrize("claimed", [44, 4000])
def test_a_size_that_is_too_small_loses_nothing(tmp_path, sound, claimed):
    path = saved(tmp_path / "take.wav", sound, subtype="PCM_16")
    recording = open_recording([with_bytes(path, 40, struct.pack("<I", claimed))])
    assert recording.notes == ("take.wav has a wrong size in its header; the 0.50 s that are in it are used.",)
    np.testing.assert_allclose(heard(recording), sound.T, rtol=0, atol=2**-15)


def test_chunks_after_an_odd_number_of_bytes_are_no_sound(tmp_path):
    path = saved(tmp_path / "take.wav", np.zeros(99), subtype="PCM_U8")
    content = path.read_bytes()[: 44 + 99] + b"\0" + b"LIST" + struct.pack("<I", 4) + b"INFO"
    path.write_bytes(content[:4] + struct.pack("<I", len(content) - 8) + content[8:])
    assert read_header(path) == Header()
    assert open_recording([path]).samples == 99


def test_what_the_outer_size_knows_nothing_of_is_no_sound(tmp_path, sound):
    """Such as what was on the card before."""
    path = saved(tmp_path / "take.wav", sound[:100], subtype="PCM_16")
    path.write_bytes(path.read_bytes() + bytes(range(256)) * 100)
    recording = open_recording([path])
    assert (recording.notes, recording.samples) == ((), 100)


def test_beyond_4_gib_a_size_wraps_round_and_all_is_read(tmp_path, sound):
    """93 minutes of eight channels at 48 kHz, nearly all of it a hole in the file; the last second is sound."""
    rate, channels, seconds = 48_000, 8, 5594
    size = 2 * channels * rate * seconds
    last = (np.tile(sound[:, :1], (6, channels)) * 32767).astype("<i2")[:rate]
    with (tmp_path / "big.wav").open("wb") as file:
        file.write(struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", (size + 36) % 2**32, b"WAVE", b"fmt ", 16, 1, channels, rate,
                               2 * channels * rate, 2 * channels, 16, b"data", size % 2**32))  # fmt: skip
        file.truncate(44 + size - last.nbytes)
        file.seek(44 + size - last.nbytes)
        file.write(last.tobytes())
    opened = open_audio_file(tmp_path / "big.wav")
    assert (opened.frames, opened.channels, opened.header.is_miscounted) == (seconds * rate, channels, True)
    with _Reheaded(tmp_path / "big.wav", opened.header) as shown, soundfile.SoundFile(shown) as whole:
        whole.seek((seconds - 1) * rate)
        np.testing.assert_array_equal(whole.read(dtype="int16"), last)


def test_chunks_before_and_after_the_sound_are_read(tmp_path, sound):
    path = saved(tmp_path / "take.wav", sound)
    path.write_bytes(
        path.read_bytes() + b"guan" + struct.pack("<I", 3) + b"a:b\0" + b"note" + struct.pack("<I", 1) + b"x"
    )
    assert read_chunks(path, (b"guan", b"note", b"bext")) == {b"guan": b"a:b", b"note": b"x"}
    assert read_chunks(saved(tmp_path / "take.flac", sound, subtype="PCM_16"), (b"guan",)) == {}


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
    header = read_header(path)
    assert header.stop - header.payload == 4 * recording.samples  # whole frames


def test_a_crashed_rf64_recorder_loses_nothing(tmp_path, sound):
    path = saved(tmp_path / "take.rf64", sound, format="RF64", subtype="PCM_16")
    recording = open_recording([with_bytes(path, 20, bytes(24))])
    assert "never closed" in recording.notes[0]
    np.testing.assert_allclose(heard(recording), sound.T, rtol=0, atol=2**-15)
