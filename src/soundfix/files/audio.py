"""Recordings: one file of many channels or many files of few, as one array of microphones in constant memory.

The recording begins where the first recorder begins and ends where the last one ends; where a recorder has no sound
there is NaN. Arrays are (M, T) float32 and read-only, so that nobody need copy them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from jaxtyping import Float

from soundfix.errors import AudioFileError
from soundfix.files.decoding import AudioFile, Reader, cut_early
from soundfix.files.recorders import FEWEST, open_recorders, some
from soundfix.files.timeline import Interval, Recorder, at_once, merged, shared_s
from soundfix.resample import working_rate
from soundfix.scene import checked_rate
from soundfix.spans import in_samples, spans

LARGEST_READ_FRAMES, SMALLEST_READ_FRAMES = 2**16, 2**9  # a second of sound, and the least worth a call
READ_BUDGET_SAMPLES = 2**22  # decoded ahead over all channels: 16 MiB, however many there are
RAGGED_S = 1.0  # by so much recorders that were stopped together differ


@dataclass(frozen=True, kw_only=True)
class Channel:
    """Where one microphone's sound is stored; number counts from 1. names: what the file, or the recorder, goes by too."""

    file: Path
    number: int
    names: tuple[Path, ...] = field(default=(), compare=False)


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Recorders side by side at `sample_rate` (Hz), from the start of the first to the end of the last.

    starts_at: clock time of the start, where names or headers tell it. told: sentences about how the files were made to fit
    together. broken_s: of files that turned out to be damaged when they were read, how much of each is sound (s). Every
    call of `blocks` and `windows` reads the files anew; they raise AudioFileError where too few can be read.
    """

    recorders: tuple[Recorder, ...]
    sample_rate: float
    starts_at: datetime | None = None
    told: tuple[str, ...] = ()
    broken_s: dict[Path, float] = field(default_factory=dict, compare=False)

    @property
    def files(self) -> tuple[AudioFile, ...]:
        """All that can be read."""
        return tuple(part.file for recorder in self.recorders for part in recorder.parts)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to make the files fit together, in sentences."""
        return (
            *self.told,
            *_header_notes(self.files),
            *_surround_notes(self.files),
            *_lonely_notes(self),
            *_rate_notes(self.files, self.sample_rate),
        )

    @property
    def channels(self) -> tuple[Channel, ...]:
        return tuple(
            Channel(file=recorder.path, number=c + 1, names=recorder.names)
            for recorder in self.recorders
            for c in range(recorder.channels)
        )

    @property
    def native_rate(self) -> float:
        """The highest of the files' (Hz)."""
        return float(max(file.sample_rate for file in self.files))

    def at(self, sample_rate: float) -> "Recording":
        """The same files at another rate (Hz)."""
        return replace(self, sample_rate=sample_rate)

    @property
    def samples(self) -> int:
        """To the end of the last recorder; where half of them end less than RAGGED_S before, with these."""
        ends = sorted(recorder.spans(self.sample_rate)[-1][1] for recorder in self.recorders if recorder.parts)
        usual, last = ends[len(ends) // 2], ends[-1]
        return usual if last - usual < RAGGED_S * self.sample_rate else last

    @property
    def duration_s(self) -> float:
        return self.samples / self.sample_rate

    def covered(self, recorder: Recorder) -> list[Interval]:
        """When this recorder has sound (s), as far as is known."""
        lengths = [min(part.file.duration_s, self.broken_s.get(part.file.path, np.inf)) for part in recorder.parts]
        return merged(part.covered(length_s) for part, length_s in zip(recorder.parts, lengths, strict=True))

    def anybody(self) -> list[Interval]:
        """When any recorder has sound (s)."""
        return merged(interval for recorder in self.recorders for interval in self.covered(recorder))

    def enough(self) -> list[Interval]:
        """When FEWEST microphones have sound, or, where there are not so many, all (s): else nothing can be located."""
        has_sound = [recorder for recorder in self.recorders if self.covered(recorder)]
        each = [interval for recorder in has_sound for interval in self.covered(recorder) * recorder.channels]
        return at_once(each, min(FEWEST, sum(recorder.channels for recorder in has_sound)))

    def blocks(self, block_s: float) -> Iterator[Float[np.ndarray, "mic time"]]:
        """The whole recording in pieces of `block_s` seconds, the last one shorter."""
        block = in_samples(block_s, self.sample_rate, "block_s")
        with _Streams(self) as streams:
            for start in range(0, self.samples, block):
                if start / self.sample_rate >= _end_of(self.anybody()):
                    return
                yield streams.take(min(block, self.samples - start))

    def windows(self, window_s: float, hop_s: float) -> Iterator[tuple[float, Float[np.ndarray, "mic time"]]]:
        """(start in seconds, audio) of every window in which enough have sound; spans.py says which there are."""
        with _Streams(self) as streams:
            held, held_start = streams.take(0), 0
            for start, stop in self._spans(window_s, hop_s):
                streams.skip(start - streams.position)
                overlap = held[:, start - held_start :]
                held, held_start = _joined(overlap, streams.take(stop - streams.position)), start
                yield start / self.sample_rate, held

    def count_windows(self, window_s: float, hop_s: float) -> int:
        """How many windows `windows` gives, unless a file turns out to be damaged."""
        return sum(1 for _ in self._spans(window_s, hop_s))

    def _spans(self, window_s: float, hop_s: float) -> Iterator[tuple[int, int]]:
        heard, damaged = self.enough(), len(self.broken_s)
        for start, stop in spans(self.samples, self.sample_rate, window_s=window_s, hop_s=hop_s):
            if damaged < len(self.broken_s):
                heard, damaged = self.enough(), len(self.broken_s)
            if start / self.sample_rate >= _end_of(heard):
                return
            if shared_s((start / self.sample_rate, stop / self.sample_rate), heard) > 0:
                yield start, stop


def open_recording(paths: Sequence[Path | str], *, sample_rate: float | None = None) -> Recording:
    """Open files, folders of files, or a folder of recorders' folders as one recording, resampled to `sample_rate` (Hz;
    by default 16 kHz, or the highest rate of the files where that is lower).

    Channels come in the order of the paths. The files of a folder, and paths that are sorted as text, as a shell lists
    `*.wav`, come in natural order ("Track 2" before "Track 10"). Raises AudioFileError, which names the file, if any is
    missing or listed twice, or so few can be read that nothing can be located (recorders.py).
    """
    if sample_rate is not None:
        checked_rate(sample_rate)
    opened = open_recorders(paths)
    files = [part.file for recorder in opened.recorders for part in recorder.parts]
    rate_hz = float(sample_rate or working_rate(max(file.sample_rate for file in files)))
    _check_not_too_short(files, rate_hz)
    return Recording(recorders=opened.recorders, sample_rate=rate_hz, starts_at=opened.starts_at, told=opened.notes)


class _Streams:
    """All recorders of a recording, read in step."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._channels = len(recording.channels)
        frames = max(SMALLEST_READ_FRAMES, min(LARGEST_READ_FRAMES, READ_BUDGET_SAMPLES // self._channels))
        self._streams = [_Stream(recorder, recording, frames) for recorder in recording.recorders]
        self.position = 0

    def __enter__(self) -> "_Streams":
        return self

    def __exit__(self, *_: object) -> None:
        for stream in self._streams:
            stream.close()

    def take(self, count: int) -> Float[np.ndarray, "mic time"]:
        """The next `count` samples of every channel."""
        audio, row = np.full((self._channels, count), np.nan, np.float32), 0
        for stream in self._streams:
            stream.fill(audio[row : row + stream.channels], self.position)
            row += stream.channels
        self.position += count
        audio.flags.writeable = False
        return audio

    def skip(self, count: int) -> None:
        """Go on without reading."""
        self.position += max(0, count)


class _Stream:
    """The files of one recorder, opened one after the other as they are reached."""

    def __init__(self, recorder: Recorder, recording: Recording, frames_per_read: int) -> None:
        self._recorder, self._recording, self._frames_per_read = recorder, recording, frames_per_read
        self._spans = recorder.spans(recording.sample_rate)
        self._reader: Reader | None = None
        self._part = -1  # the one that is being read
        self.channels = recorder.channels

    def fill(self, audio: Float[np.ndarray, "channel time"], position: int) -> None:
        """Put the samples from `position` on, where there are any, into the array."""
        for number, (first, last) in enumerate(self._spans):
            start, stop = max(first, position), min(last, position + audio.shape[1])
            if start < stop:
                audio[:, start - position : stop - position] = self._read(number, start - first, stop - start)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def _read(self, number: int, position: int, count: int) -> Float[np.ndarray, "channel time"]:
        """Of one file; NaN from where it is damaged, which is remembered."""
        file, broken_s = self._recorder.parts[number].file, self._recording.broken_s
        if position / self._recording.sample_rate >= broken_s.get(file.path, np.inf):
            return np.full((file.channels, count), np.nan, np.float32)
        try:
            reader = self._reader_of(number, file)
            reader.skip_to(position)
            samples = reader.take(count)
        except AudioFileError:
            if sum(len(recorder.parts) > 0 for recorder in self._recording.recorders) <= FEWEST:
                raise
            broken_s[file.path] = position / self._recording.sample_rate
            return np.full((file.channels, count), np.nan, np.float32)
        if reader.broke_s is not None:
            broken_s[file.path] = reader.broke_s
            if not self._recording.anybody():
                raise cut_early(file.path)
        return samples

    def _reader_of(self, number: int, file: AudioFile) -> Reader:
        if self._reader is None or number != self._part:
            self.close()
            self._part = number
            self._reader = Reader(file, self._recording.sample_rate, frames_per_read=self._frames_per_read)
        return self._reader


def _end_of(heard: Sequence[Interval]) -> float:
    return heard[-1][1] if heard else 0.0


def _joined(first: np.ndarray, second: np.ndarray) -> Float[np.ndarray, "mic time"]:
    audio = np.concatenate([first, second], axis=1)
    audio.flags.writeable = False
    return audio


def _check_not_too_short(files: Sequence[AudioFile], sample_rate: float) -> None:
    for file in files:
        if file.frames_at(sample_rate) == 0:
            raise AudioFileError(
                f"{file.path} lasts {file.duration_s:.2g} s, less than one sample at {sample_rate:g} Hz: is it whole?"
            )


def _header_notes(files: Sequence[AudioFile]) -> Iterator[str]:
    faults = {
        "was never closed by its recorder (no length in its header)": [f for f in files if f.header.is_unfinished],
        "has a wrong size in its header": [f for f in files if f.header.is_miscounted],
        "is cut short (its header promises more)": [f for f in files if f.header.is_cut],
    }
    for fault, found in faults.items():
        if found:
            others = f", and so {len(found) - 1} more" if len(found) > 1 else ""
            yield f"{found[0].path.name} {fault}{others}; the {found[0].duration_s:.2f} s that are in it are used."


def _surround_notes(files: Sequence[AudioFile]) -> Iterator[str]:
    for file in files:
        what = f"its {file.channels} channels in the order of loudspeakers"
        if file.header.surround.order:
            yield f"{file.path.name} has {what}, as ffmpeg writes them; they were put back."
        if file.header.surround.is_doubtful:
            yield (
                f"{file.path.name} may have {what}, as some encoders of Ogg write them: `soundfix check` says whether the "
                "list fits; WAV and FLAC keep their order."
            )


def _lonely_notes(recording: Recording) -> Iterator[str]:
    """Of recorders that run by turns, or one that goes on when the others have stopped."""
    lonely_s = recording.duration_s - shared_s((0.0, recording.duration_s), recording.enough())
    if lonely_s >= RAGGED_S:
        yield f"For {lonely_s:.1f} s fewer than {FEWEST} microphones have sound: nothing is located there."


def _rate_notes(files: Sequence[AudioFile], sample_rate: float) -> list[str]:
    names: dict[int, list[str]] = {}
    for file in files:
        names.setdefault(file.sample_rate, []).append(file.path.name)
    if len(names) == 1:
        return []
    found = "; ".join(f"{rate} Hz: {some(names[rate])}" for rate in sorted(names))
    return [f"The files have different sample rates ({found}); each was resampled to {sample_rate:g} Hz."]
