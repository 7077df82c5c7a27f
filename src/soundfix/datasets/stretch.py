"""A stretch of a recording, of its sound and of its truth, without reading the rest.

Resampling a stretch gives the samples that resampling the whole file would give: the stretch begins where a sample of
the file and a sample at the wanted rate coincide, and is read with a margin that the resampler's filter cannot see
across.
"""

from math import ceil, gcd
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import Float

from soundfix.errors import AudioFileError, ConfigError, DatasetError
from soundfix.files.decoding import AudioFile, open_audio_file
from soundfix.gate import gate
from soundfix.resample import SAMPLE_RATE, resampled
from soundfix.scene import Track

SAMPLE_RATE_HZ = int(SAMPLE_RATE)  # of every clip: a whole number
MARGIN_S = 0.05  # soxr's filter for 96 to 16 kHz settles to one part in 10 million within 0.01 s


@gate(DatasetError)
def open_wave(path: Path) -> AudioFile:
    """Check one file and learn its length. Raises DatasetError if it is missing, empty, cut short or not audio."""
    try:
        return open_audio_file(path)
    except AudioFileError as error:
        raise DatasetError(str(error)) from error


def samples_of(file: AudioFile) -> int:
    """How long it is, in samples of 16 kHz."""
    return file.frames_at(float(SAMPLE_RATE_HZ))


@gate(DatasetError)
def read_stretch(
    file: AudioFile, first: int, count: int, *, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> Float[np.ndarray, "channel time"]:
    """`count` samples from sample `first`, both counted at the wanted rate, float32. Raises DatasetError.

    NaN and Inf in the file are kept where nothing is resampled; else the samples nearest to them are NaN.
    """
    common_hz = gcd(file.sample_rate, sample_rate_hz)  # so often in a second do samples of both rates coincide
    frames_each, samples_each = file.sample_rate // common_hz, sample_rate_hz // common_hz
    margin = ceil(MARGIN_S * common_hz) if file.sample_rate != sample_rate_hz else 0
    start = max(first // samples_each - margin, 0)
    stop = -(-(first + count) // samples_each) + margin
    frames = _read_frames(file, start * frames_each, min(stop * frames_each, file.frames))
    skipped = first - start * samples_each
    return resampled(frames.T, file.sample_rate, sample_rate_hz)[:, skipped : skipped + count]


def track_within(track: Track, start_s: float, duration_s: float) -> Track:
    """The frames from `start_s` on, and one more on either side to interpolate with; its times start there."""
    first = max(int(np.searchsorted(track.times_s, start_s, side="right")) - 1, 0)
    last = int(np.searchsorted(track.times_s, start_s + duration_s, side="left"))
    first = min(first, len(track.times_s) - 2)  # Track.at wants two
    part = slice(first, max(last + 1, first + 2))
    return Track(times_s=track.times_s[part] - start_s, places=track.places[part])


def clip_samples(clip_s: float) -> int:
    """Samples of a clip. Raises ConfigError where that is none."""
    if not 1 <= clip_s * SAMPLE_RATE_HZ < 2**31:
        raise ConfigError(f"clip_s is {clip_s}, wanted a few seconds, such as 2.0: was it given in samples?")
    return round(clip_s * SAMPLE_RATE_HZ)


def _read_frames(file: AudioFile, start: int, stop: int) -> Float[np.ndarray, "time channel"]:
    try:
        frames, _ = soundfile.read(file.path, start=start, stop=stop, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise DatasetError(f"cannot read {file.path}: {getattr(error, 'error_string', error)}") from error
    if len(frames) < stop - start:
        raise DatasetError(
            f"{file.path} ends before {stop / file.sample_rate:.2f} s, wanted {file.duration_s:.2f} s as when it was "
            "opened: has it been replaced or cut short since?"
        )
    return frames
