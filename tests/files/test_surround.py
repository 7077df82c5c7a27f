"""Channels of Ogg files: put back where ffmpeg made it, as they come where libsndfile did."""

import numpy as np
import pytest

from helpers.recordings import RATE, heard, saved
from soundfix.files.audio import open_recording
from soundfix.files.surround import AS_THEY_COME, FFMPEG_ORDER, Surround, surround

PAGE = b"OggS" + bytes(24)


def vorbis(channels, encoder):
    return PAGE + b"\x01vorbis" + bytes(4) + bytes([channels]) + bytes(40) + encoder


@pytest.mark.parametrize("channels", [3, 5, 6, 7, 8])
def test_vorbis_by_ffmpeg_is_put_back(channels):
    assert surround(vorbis(channels, b"encoder=Lavc63.1.102 libvorbis")) == Surround(FFMPEG_ORDER[channels])
    assert sorted(FFMPEG_ORDER[channels]) == list(range(channels))


@pytest.mark.parametrize("channels", [1, 2, 4, 9])
def test_other_numbers_of_channels_have_one_order(channels):
    assert surround(vorbis(channels, b"Lavf")) == AS_THEY_COME


def test_of_other_encoders_nobody_knows():
    assert surround(vorbis(8, b"Xiph.Org")) == Surround(is_doubtful=True)
    assert surround(PAGE + b"OpusHead\x01\x08" + bytes(20) + b"Lavf") == Surround(is_doubtful=True)
    assert surround(PAGE + b"fishead\0" + bytes(20)) == AS_THEY_COME
    assert surround(b"") == AS_THEY_COME


@pytest.fixture
def tones():
    """(time, 3): a tone for each channel."""
    return 0.3 * np.sin(2 * np.pi * np.arange(RATE)[:, None] / RATE * [300, 700, 1300])


def frequencies(recording):
    return np.abs(np.fft.rfft(heard(recording), axis=1)).argmax(axis=1) * recording.sample_rate / recording.samples


def test_a_file_of_libsndfile_is_read_as_it_comes_and_doubted(tmp_path, tones):
    recording = open_recording([saved(tmp_path / "take.ogg", tones, format="OGG", subtype="VORBIS")])
    assert "take.ogg may have its 3 channels in the order of loudspeakers" in recording.notes[0]
    np.testing.assert_allclose(frequencies(recording), [300, 700, 1300], atol=1)


def test_a_file_of_ffmpeg_is_put_back(tmp_path, tones, monkeypatch):
    monkeypatch.setattr("soundfix.files.headers.surround", lambda _: Surround(FFMPEG_ORDER[3]))
    recording = open_recording([saved(tmp_path / "take.ogg", tones, format="OGG", subtype="VORBIS")])
    assert recording.notes == (
        "take.ogg has its 3 channels in the order of loudspeakers, as ffmpeg writes them; they were put back.",
    )
    np.testing.assert_allclose(frequencies(recording), [300, 1300, 700], atol=1)
