"""Files that are cut or damaged, and decoders that hang: said in a sentence, and what is left is used."""

import re
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from helpers.recordings import RATE, cut_to, heard, saved, with_bytes
from soundfix.errors import AudioFileError
from soundfix.files import audio, decoding
from soundfix.files.audio import open_recording


@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF"])
@pytest.mark.parametrize("missing", [1, 3, 1000, 12_000])
def test_a_truncated_uncompressed_file_says_what_is_left(tmp_path, sound, container, missing):
    path = saved(tmp_path / "take.x", sound, format=container, subtype="PCM_16")
    left_s = (len(sound) - -(-missing // 4)) / RATE
    with pytest.raises(AudioFileError, match=r"take\.x") as caught:
        open_recording([cut_to(path, path.stat().st_size - missing)])
    if "so early" not in str(caught.value):  # libsndfile opens no CAF that lost more than a little
        readable_s = float(re.search(r"([\d.]+) s are readable", str(caught.value))[1])
        assert readable_s == pytest.approx(left_s, abs=0.006)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.999])
@pytest.mark.parametrize(("container", "subtype"), [("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS")])
def test_a_truncated_compressed_file_says_what_is_left(tmp_path, rng, container, subtype, share):
    path = saved(tmp_path / "take.x", rng.normal(0, 0.1, 4 * RATE), format=container, subtype=subtype)
    cut_to(path, int(share * path.stat().st_size))
    with pytest.raises(AudioFileError, match=r"take\.x is cut short.* s are readable") as caught:
        heard(open_recording([path]))
    readable_s = float(re.search(r"([\d.]+) s are readable", str(caught.value))[1])
    assert 4 * share - 1.5 < readable_s < 4 * share + 0.1
    assert container == "OGG" or readable_s > 4 * share - 0.4


def test_an_ogg_cut_between_two_pages_is_noticed(tmp_path, rng):
    path = saved(tmp_path / "take.ogg", rng.normal(0, 0.1, 4 * RATE), format="OGG", subtype="VORBIS")
    with pytest.raises(AudioFileError, match=r"promises more, [123]\.\d\d s are readable"):
        open_recording([cut_to(path, path.read_bytes().rfind(b"OggS"))])


def test_a_compressed_file_damaged_in_the_middle_names_the_second(tmp_path, rng):
    path = saved(tmp_path / "take.flac", rng.normal(0, 0.1, 4 * RATE), subtype="PCM_16")
    with_bytes(path, path.stat().st_size // 2, b"\xff" * 500)
    with pytest.raises(AudioFileError, match=r"promises 4\.00 s, (1\.[789]|2\.0)\d s are readable"):
        heard(open_recording([path]))


@pytest.mark.parametrize("claimed", [10**6, 2**36 - 1])
def test_a_flac_that_promises_more_than_it_holds(tmp_path, sound, claimed):
    path = saved(tmp_path / "take.flac", sound, subtype="PCM_16")
    with pytest.raises(AudioFileError, match=r"0\.50 s are readable"):
        heard(open_recording([with_flac_length(path, claimed)]))


def test_a_flac_that_does_not_tell_its_length_is_measured(tmp_path, sound):
    path = with_flac_length(saved(tmp_path / "take.flac", sound, subtype="PCM_16"), 0)
    recording = open_recording([path])
    assert recording.duration_s == 0.5
    np.testing.assert_allclose(heard(recording), sound.T, rtol=0, atol=2**-15)


def with_flac_length(path: Path, frames: int) -> Path:
    """STREAMINFO ends its ninth 64-bit word with 36 bits of length; four bits of the byte before are the width."""
    content = path.read_bytes()
    word = int.from_bytes(content[21:26], "big") >> 36 << 36 | frames
    return with_bytes(path, 21, word.to_bytes(5, "big"))


@pytest.fixture
def stuck(monkeypatch):
    """A decoder that never comes back from its second read, and a short deadline."""
    release, honest, calls = threading.Event(), decoding._Forwards.read, []

    def read(self, *args, **kwargs):
        calls.append(args)
        if len(calls) > 1:
            release.wait(10)
        return honest(self, *args, **kwargs)

    monkeypatch.setattr(decoding, "DEADLINE_S", 0.2)
    monkeypatch.setattr(decoding._Forwards, "read", read)
    yield
    release.set()


def test_a_stuck_decoder_becomes_an_error(take, stuck, monkeypatch):
    monkeypatch.setattr(audio, "LARGEST_READ_FRAMES", 4000)
    began = time.monotonic()
    with pytest.raises(AudioFileError, match=r"take\.wav: the decoder has been stuck at 0\.25 s for 0\.2 s"):
        heard(open_recording([take]))
    assert time.monotonic() - began < 1


def test_a_stuck_opening_becomes_an_error(take, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(decoding, "DEADLINE_S", 0.1)
    monkeypatch.setattr(decoding, "_Forwards", lambda *_: release.wait(10))
    with pytest.raises(AudioFileError, match=r"take\.wav: the decoder has been stuck at 0\.00 s"):
        open_recording([take])
    release.set()


def test_decoders_are_never_asked_to_seek(tmp_path, sound, monkeypatch):
    def seek(*_args, **_kwargs):
        raise AssertionError("python-soundfile issue 385: seeking in a damaged FLAC file never returns")

    path = saved(tmp_path / "take.flac", sound, subtype="PCM_16")
    monkeypatch.setattr(soundfile.SoundFile, "seek", seek)
    list(open_recording([path]).windows(0.1, 0.2))


def test_a_disk_that_fails_is_an_error(take, monkeypatch):
    def fail(_path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(decoding, "read_header", fail)
    with pytest.raises(AudioFileError, match=r"take\.wav cannot be read: Input/output error"):
        open_recording([take])
