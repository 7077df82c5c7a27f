"""A stretch of a file is the same as that stretch of the whole file."""

import numpy as np
import pytest
import soundfile
import soxr

from soundfix.datasets.stretch import clip_samples, open_wave, read_stretch, track_within
from soundfix.errors import ConfigError, DatasetError
from soundfix.scene import Track


@pytest.fixture
def noise(tmp_path, rng):
    """Three seconds of noise in two channels, at any rate, as a file."""

    def write(rate):
        samples = 0.2 * rng.standard_normal((3 * rate, 2)).astype(np.float32)
        soundfile.write(tmp_path / f"{rate}.wav", samples, rate, subtype="FLOAT")
        return open_wave(tmp_path / f"{rate}.wav"), samples

    return write


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("first", [0, 16_001, 40_000])
def test_a_stretch_is_that_stretch_of_the_whole(noise, rate, first):
    file, samples = noise(rate)
    whole = samples if rate == 16_000 else soxr.resample(samples, rate, 16_000)
    stretch = read_stretch(file, first, 8000)
    assert stretch.dtype == np.float32
    assert np.abs(stretch - whole[first : first + 8000].T).max() < 1e-6


def test_nan_is_kept_without_resampling_and_local_with_it(tmp_path):
    samples = np.full(48_000, 0.1, np.float32)
    samples[24_000] = np.nan
    soundfile.write(tmp_path / "16.wav", samples, 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "48.wav", samples, 48_000, subtype="FLOAT")
    kept = read_stretch(open_wave(tmp_path / "16.wav"), 20_000, 8000)[0]
    assert np.flatnonzero(np.isnan(kept)).tolist() == [4000]
    resampled = read_stretch(open_wave(tmp_path / "48.wav"), 4000, 8000)[0]
    assert np.flatnonzero(np.isnan(resampled)).tolist() == [4000]


def test_a_file_cut_short_after_it_was_opened(noise):
    file, samples = noise(48_000)
    soundfile.write(file.path, samples[:48_000], 48_000, subtype="FLOAT")
    with pytest.raises(DatasetError, match=r"48000.wav ends before 2.05 s, wanted 3.00 s"):
        read_stretch(file, 24_000, 8000)
    file.path.unlink()
    with pytest.raises(DatasetError, match=r"cannot read .*48000.wav"):
        read_stretch(file, 24_000, 8000)


def test_a_file_that_is_no_sound(tmp_path):
    (tmp_path / "a.wav").write_text("name,x,y,z")
    with pytest.raises(DatasetError, match=r"a.wav is not audio"):
        open_wave(tmp_path / "a.wav")


def test_a_track_within_keeps_one_frame_on_either_side():
    times_s = np.arange(11) / 10
    track = Track(times_s=times_s, places=np.stack([times_s, times_s, times_s], axis=1)[:, None])
    part = track_within(track, 0.25, 0.2)
    assert part.times_s == pytest.approx([-0.05, 0.05, 0.15, 0.25])
    for time_s in (0.0, 0.03, 0.2):
        assert part.at(time_s) == pytest.approx(track.at(0.25 + time_s))
    assert len(track_within(track, 5.0, 1.0).times_s) == 2


@pytest.mark.parametrize("clip_s", [0.0, -1.0, np.nan, 1e9])
def test_clips_that_cannot_be(clip_s):
    with pytest.raises(ConfigError, match="clip_s"):
        clip_samples(clip_s)
