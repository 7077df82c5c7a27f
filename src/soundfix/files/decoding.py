"""One audio file, from its first sample to its last, at the rate wanted, in constant memory and never for ever.

Decoding   libsndfile, forwards only. On a FLAC file cut short a seek past the real end never returns
           (python-soundfile issue 385), and python-soundfile seeks after every read of a seekable file: so ours is
           not seekable, and every call of the decoder has a deadline.
Resampling soxr, as a stream (resample.py).
NaN, Inf   pass through where nothing is resampled.
Audio in here is (time, channel) float32, as decoders and resamplers want it.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import soundfile
from jaxtyping import Float

from soundfix.errors import AudioFileError
from soundfix.files.headers import Header, read_header
from soundfix.files.watched import within
from soundfix.resample import Resampler

DEADLINE_S = 60.0  # one call of a decoder takes milliseconds; a sleeping disk or a network drive takes seconds
LARGEST_FRAME_COUNT = 2**53  # libsndfile says 2**63 - 1 where the file does not tell its length
PREROLL_S = 0.5  # of sound that a resampler hears before what is wanted; its filter is 0.04 s
SMALL_READ_FRAMES = 1024  # for finding the place where a file breaks
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 100, 10_000_000

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class AudioFile:
    """One file that was opened once: frames counts samples of each channel at sample_rate (Hz).

    header: what is wrong with it. comment: of whoever made the file.
    """

    path: Path
    channels: int
    sample_rate: int
    frames: int
    header: Header
    comment: str = ""

    @property
    def duration_s(self) -> float:
        return self.frames / self.sample_rate

    def frames_at(self, sample_rate: float) -> int:
        """How many samples soxr makes of this file: its length rounded to the nearest."""
        return int(self.frames * sample_rate / self.sample_rate + 0.5)


def open_audio_file(path: Path) -> AudioFile:
    """Check one file and learn its shape. Raises AudioFileError if it is missing, empty, cut short or not audio."""
    file = open_what_is_left(path)
    if file.header.is_cut:
        raise _cut_short(file, file.frames)
    return file


def open_what_is_left(path: Path) -> AudioFile:
    """The same, but a file cut short is as long as what is left of it."""
    _check_is_file(path)
    header = _watched(lambda: read_header(path), path, 0.0)
    file = _probe(path, header)
    if file.frames > LARGEST_FRAME_COUNT:
        file = replace(file, frames=readable_frames(file))
    if file.frames == 0 and header.is_cut:
        raise cut_early(path)
    if file.frames == 0:
        raise AudioFileError(f"{path} holds no samples: did the recording stop before it began?")
    return file


class Reader:
    """The samples of one file at `sample_rate`, handed out in order; NaN from where it breaks off. Close it when done.

    broke_s: where that was, in seconds of the file; None as long as it did not.
    """

    def __init__(self, file: AudioFile, sample_rate: float, *, frames_per_read: int) -> None:
        self._file, self._frames_per_read = file, frames_per_read
        self._decoder = _Decoding(file.path, file.header)
        self._sample_rate = sample_rate
        self._resampler = self._new_resampler()
        self._position_frames = 0
        self._ready = [np.empty((0, file.channels), np.float32)]
        self.position = 0
        self.broke_s: float | None = None

    def take(self, count: int) -> Float[np.ndarray, "channel time"]:
        """The next `count` samples. The caller must not ask for more than `frames_at` promised."""
        while self.broke_s is None and sum(len(chunk) for chunk in self._ready) < count:
            self._ready.append(self._next_chunk())
        joined = self._ready[0] if len(self._ready) == 1 else np.concatenate(self._ready)
        self._ready = [joined[count:]] if len(joined) > count else []
        self.position += count
        missing = count - len(joined)
        taken = np.pad(joined, ((0, missing), (0, 0)), constant_values=np.nan) if missing > 0 else joined[:count]
        return taken.T

    def skip_to(self, position: int) -> None:
        """Decode and forget up to this sample: the only safe way forward, since decoders must not seek. What is far before
        it is not resampled: the filter is shorter than PREROLL_S."""
        if self._resampler is not None and position - self.position > 2 * PREROLL_S * self._sample_rate:
            self._leap(position - round(PREROLL_S * self._sample_rate))
        while self.position < position:
            self.take(min(position - self.position, self._frames_per_read))

    def close(self) -> None:
        self._decoder.close()

    def _new_resampler(self) -> Resampler | None:
        file = self._file
        is_alike = self._sample_rate == file.sample_rate
        return None if is_alike else Resampler(file.sample_rate, self._sample_rate, file.channels)

    def _leap(self, position: int) -> None:
        """To the last sample before this one that is exactly a frame of the file."""
        ratio = Fraction(self._file.sample_rate) / Fraction(self._sample_rate)
        frames = position // ratio.denominator * ratio.numerator
        if frames <= self._position_frames:
            return
        while self.broke_s is None and self._position_frames < frames:
            self._next_frames(frames - self._position_frames)
        self._ready = [np.empty((0, self._file.channels), np.float32)]
        self._resampler, self.position = self._new_resampler(), position // ratio.denominator * ratio.denominator

    def _next_frames(self, most: int) -> Float[np.ndarray, "time channel"]:
        """What is decoded next, at the file's own rate."""
        wanted = min(most, self._frames_per_read, self._file.frames - self._position_frames)
        assert wanted > 0, "more samples were asked for than the file has"
        chunk = self._decoder.read(wanted, self._position_frames / self._file.sample_rate)
        if len(chunk) < wanted:
            chunk = self._rest(wanted)
            self.broke_s = (self._position_frames + len(chunk)) / self._file.sample_rate
        self._position_frames += len(chunk)
        return chunk

    def _next_chunk(self) -> Float[np.ndarray, "time channel"]:
        chunk = self._next_frames(self._frames_per_read)
        if self._resampler is None:
            return chunk
        is_last = self.broke_s is not None or self._position_frames == self._file.frames
        return self._resampler.process(chunk, is_last=is_last)

    def _rest(self, wanted: int) -> Float[np.ndarray, "time channel"]:
        """What can be decoded from here on: a read that meets the damage keeps back what is before it, small ones do not."""
        decoder, second = _Decoding(self._file.path, self._file.header), self._position_frames / self._file.sample_rate
        try:
            for _ in _steps(decoder, self._frames_per_read, self._position_frames, second):
                pass
            pieces = _steps(decoder, SMALL_READ_FRAMES, wanted, second)
            return np.concatenate([np.empty((0, self._file.channels), np.float32), *pieces])
        finally:
            decoder.close()


def readable_frames(file: AudioFile) -> int:
    """How many frames can really be decoded, to within SMALL_READ_FRAMES, found by decoding them in small steps."""
    decoder, frames = _Decoding(file.path, file.header), 0
    try:
        while count := len(decoder.read(SMALL_READ_FRAMES, frames / file.sample_rate)):
            frames += count
    finally:
        decoder.close()
    return frames


def _steps(decoder: "_Decoding", step: int, frames: int, second: float) -> Iterator[Float[np.ndarray, "time channel"]]:
    """The next `frames`, so many at a time, up to where the file breaks off."""
    while frames > 0 and len(chunk := decoder.read(min(step, frames), second)):
        yield chunk
        frames -= len(chunk)


class _Decoding:
    """An open decoder, every call of which has a deadline."""

    def __init__(self, path: Path, header: Header) -> None:
        self._path, self._order, self._is_stuck = path, list(header.surround.order), False
        self._sound = _watched(lambda: _Forwards(path, header), path, 0.0)

    def read(self, frames: int, second: float) -> Float[np.ndarray, "time channel"]:
        """The next frames; fewer, or none, where the file breaks off. `second` is the place to name in an error."""
        self._is_stuck = True  # until we know better: a decoder at work must not be closed
        try:
            chunk = _watched(lambda: self._sound.read(frames, dtype="float32", always_2d=True), self._path, second)
        except soundfile.LibsndfileError:
            chunk = np.empty((0, self._sound.channels), np.float32)
        self._is_stuck = False
        return chunk[:, self._order] if self._order else chunk

    def close(self) -> None:
        if not self._is_stuck:
            self._sound.close()


class _Forwards(soundfile.SoundFile):
    """A SoundFile that never seeks, and sees another header where the file's own is wrong."""

    def __init__(self, path: Path, header: Header) -> None:
        self._reheaded = _Reheaded(path, header) if header.head else None
        super().__init__(self._reheaded or str(path))

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        super().close()
        if self._reheaded is not None:
            self._reheaded.close()


class _Reheaded(io.RawIOBase):
    """A file that begins with another header than on the disk, and ends where its sound does."""

    def __init__(self, path: Path, header: Header) -> None:
        self._file, self._head, self._position = path.open("rb"), header.head, 0
        self._shift = header.payload - len(header.head)  # from places in here to places on the disk
        self._stop = header.stop - self._shift

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._stop}[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        start, view = self._position, memoryview(buffer).cast("B")
        content = self._head[start : start + len(view)]
        if wanted := min(len(view), max(0, self._stop - start)) - len(content):
            self._file.seek(start + len(content) + self._shift)
            content += self._file.read(wanted)
        view[: len(content)] = content
        self._position += len(content)
        return len(content)

    def close(self) -> None:
        self._file.close()
        super().close()


def _watched(work: Callable[[], Result], path: Path, second: float) -> Result:
    """Do the work, but wait for it no longer than the deadline."""
    try:
        return within(DEADLINE_S, work)
    except TimeoutError as error:
        raise AudioFileError(
            f"{path}: the decoder has been stuck at {second:.2f} s for {DEADLINE_S:g} s: is the file damaged there, "
            "or its disk asleep or off the network?"
        ) from error
    except OSError as error:
        raise AudioFileError(f"{path} cannot be read: {error.strerror or error}") from error


def _check_is_file(path: Path) -> None:
    if not path.exists():
        raise AudioFileError(f"no such file: {path} (looked in {path.absolute().parent}): a typo, or another folder?")
    if not path.is_file():
        raise AudioFileError(f"{path} is no regular file, wanted a recording such as take.wav")
    if path.stat().st_size == 0:
        raise AudioFileError(f"{path} is empty (0 bytes): was the recording or the copy interrupted?")


def _probe(path: Path, header: Header) -> AudioFile:
    try:
        sound = _watched(lambda: _Forwards(path, header), path, 0.0)
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: soundfile takes .raw for headerless
        raise cut_early(path) if header.is_cut else _not_audio(path, error) from error
    shape = AudioFile(
        path=path,
        channels=sound.channels,
        sample_rate=sound.samplerate,
        frames=sound.frames,
        header=header,
        comment=sound.copy_metadata().get("comment", ""),
    )
    sound.close()
    if not LOWEST_RATE_HZ <= shape.sample_rate <= HIGHEST_RATE_HZ:
        raise AudioFileError(f"{path} claims {shape.sample_rate} samples a second, wanted 100 to 10 million: damaged?")
    return shape


def _not_audio(path: Path, error: Exception) -> AudioFileError:
    with path.open("rb") as file:
        head = file.read(16)
    is_known = head[:4] in (b"RIFF", b"RF64", b"fLaC", b"OggS", b"riff", b"FORM", b"caff")
    cause = "is it damaged or cut short?" if is_known else "is it text, a download page or another format?"
    reason = error.error_string if isinstance(error, soundfile.LibsndfileError) else "No header"
    return AudioFileError(
        f"{path} is not audio we can read ({reason.rstrip('.')}), wanted WAV or FLAC: it starts with {head!r}; {cause}"
    )


def cut_early(path: Path) -> AudioFileError:
    """Nothing of this file can be read."""
    return AudioFileError(
        f"{path} is cut short so early that 0.00 s are readable: was the copy interrupted? Copy it again"
    )


def _cut_short(file: AudioFile, frames: int) -> AudioFileError:
    promised = "more" if file.header.is_cut else f"{file.duration_s:.2f} s"
    return AudioFileError(
        f"{file.path} is cut short or damaged: its header promises {promised}, {frames / file.sample_rate:.2f} s are "
        "readable. Was the copy interrupted, or did the battery run out? Copy it again, or save the readable part anew"
    )
