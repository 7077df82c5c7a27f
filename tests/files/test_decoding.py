"""Files that are cut or damaged, and decoders that hang: said in a sentence, and what is left is used."""

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
from soundfix.files.decoding import open_audio_file


@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF"])
@pytest.mark.parametrize("missing", [1, 3, 1000, 12_000])
def test_what_is_left_of_a_truncated_uncompressed_file_is_used(tmp_path, sound, container, missing):
    path = saved(tmp_path / "take.x", sound, format=container, subtype="PCM_16")
    cut_to(path, path.stat().st_size - missing)
    if container == "CAF" and missing == 12_000:  # libsndfile opens none that lost more than a little
        with pytest.raises(AudioFileError, match=r"take\.x is cut short"):
            open_recording([path])
        return
    recording = open_recording([path])
    left_s = (len(sound) - -(-missing // 4)) / RATE
    assert recording.duration_s == pytest.approx(left_s, abs=0.006)
    assert recording.notes[0].startswith("take.x is cut short (its header promises more); the ")
    np.testing.assert_allclose(heard(recording), sound.T[:, : recording.samples], rtol=0, atol=2**-15)
    with pytest.raises(AudioFileError, match=r"take\.x is cut short or damaged: its header promises more"):
        open_audio_file(path)


def sound_of(recording):
    """What is sound, which is what comes before the first NaN, in seconds; and all of it."""
    whole = heard(recording)
    is_missing = np.isnan(whole[0])
    count = int(is_missing.argmax()) if is_missing.any() else len(is_missing)
    assert is_missing[count:].all()
    return count / recording.sample_rate, whole[:, :count]


@pytest.mark.parametrize("rate", [None, 8000.0])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.999])
@pytest.mark.parametrize(("container", "subtype"), [("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS")])
def test_what_is_left_of_a_truncated_compressed_file_is_used(tmp_path, rng, container, subtype, share, rate):
    path = saved(tmp_path / "take.x", rng.normal(0, 0.1, 4 * RATE), format=container, subtype=subtype)
    expected = heard(open_recording([path], sample_rate=rate))
    cut_to(path, int(share * path.stat().st_size))
    try:
        left_s, samples = sound_of(open_recording([path], sample_rate=rate))
    except AudioFileError:
        assert (container, share) == ("OGG", 0.3)  # not one page is whole
        return
    assert 4 * share - 1.5 < left_s < 4 * share + 0.1
    assert container == "OGG" or left_s > 4 * share - 0.4
    kept = samples.shape[1] - 100  # a resampler's last samples hear what comes after them
    np.testing.assert_allclose(samples[:, :kept], expected[:, :kept], rtol=0, atol=1e-6)


def test_an_ogg_cut_between_two_pages_is_noticed(tmp_path, rng):
    path = saved(tmp_path / "take.ogg", rng.normal(0, 0.1, 4 * RATE), format="OGG", subtype="VORBIS")
    recording = open_recording([cut_to(path, path.read_bytes().rfind(b"OggS"))])
    assert "take.ogg is cut short" in recording.notes[0]
    assert 1 < recording.duration_s < 4


def test_damage_in_the_middle_of_a_compressed_file_ends_it_and_is_remembered(tmp_path, rng):
    path = saved(tmp_path / "take.flac", rng.normal(0, 0.1, 4 * RATE), subtype="PCM_16")
    expected = heard(open_recording([path]))
    recording = open_recording([with_bytes(path, path.stat().st_size // 2, b"\xff" * 500)])
    assert recording.broken_s == {}
    left_s, samples = sound_of(recording)
    assert 1.7 < left_s < 2.1
    np.testing.assert_array_equal(samples, expected[:, : samples.shape[1]])
    assert recording.broken_s == {path: left_s}
    assert recording.covered(recording.recorders[0]) == [(0.0, left_s)]
    slower_s, _ = sound_of(open_recording([path], sample_rate=8000.0))  # a resampler is told that this was the end
    assert slower_s == pytest.approx(left_s, abs=1 / 8000)


@pytest.mark.parametrize("claimed", [10**6, 2**36 - 1])
def test_a_flac_that_promises_more_than_it_holds_ends_where_it_does(tmp_path, sound, claimed):
    path = with_flac_length(saved(tmp_path / "take.flac", sound, subtype="PCM_16"), claimed)
    left_s, samples = sound_of(open_recording([path]))
    assert left_s == 0.5
    np.testing.assert_allclose(samples, sound.T, rtol=0, atol=2**-15)
    assert [start for start, _ in open_recording([path]).windows(0.2, 0.2)][-1] == 0.4


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
        if len(calls) == 2:
            release.wait(60)
        return honest(self, *args, **kwargs)

    monkeypatch.setattr(decoding, "DEADLINE_S", 0.5)
    monkeypatch.setattr(decoding._Forwards, "read", read)
    yield
    release.set()


def test_a_stuck_decoder_becomes_an_error(take, stuck, monkeypatch):
    monkeypatch.setattr(audio, "LARGEST_READ_FRAMES", 4000)
    began = time.monotonic()
    with pytest.raises(AudioFileError, match=r"take\.wav: the decoder has been stuck at 0\.25 s for 0\.5 s"):
        heard(open_recording([take]))
    assert time.monotonic() - began < 30


def test_three_others_go_on_without_a_stuck_decoder(tmp_path, sound, stuck, monkeypatch):
    monkeypatch.setattr(audio, "LARGEST_READ_FRAMES", 4000)
    paths = [saved(tmp_path / f"{m}.wav", sound[:, 0]) for m in range(4)]
    recording = open_recording(paths)
    whole = np.concatenate(list(recording.blocks(0.1)), axis=1)
    assert recording.broken_s == {paths[1]: 0.0}
    assert np.isnan(whole[1]).all()
    np.testing.assert_array_equal(whole[[0, 2, 3]], np.tile(sound[:, 0], (3, 1)))


def test_a_stuck_opening_becomes_an_error(take, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(decoding, "DEADLINE_S", 0.1)
    monkeypatch.setattr(decoding, "_Forwards", lambda *_: release.wait(60))
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
