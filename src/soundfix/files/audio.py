"""Recordings: one file of many channels or many files of few, as one array of microphones in constant memory.

Arrays are (M, T) float32 and read-only, so that nobody need copy them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from soundfix.errors import AudioFileError, SceneError
from soundfix.files.decoding import AudioFile, Reader, open_audio_file
from soundfix.resample import working_rate
from soundfix.spans import in_samples, spans

LARGEST_READ_FRAMES, SMALLEST_READ_FRAMES = 2**16, 2**9  # a second of sound, and the least worth a call
READ_BUDGET_SAMPLES = 2**22  # decoded ahead over all channels: 16 MiB, however many there are

WAVES = (".wav", ".wave", ".w64", ".rf64", ".bw64", ".aif", ".aiff", ".caf", ".au")
AUDIO_SUFFIXES = frozenset({*WAVES, ".flac", ".ogg", ".oga", ".opus", ".mp3"})


@dataclass(frozen=True, kw_only=True)
class Channel:
    """Where one microphone's sound is stored; number counts from 1."""

    file: Path
    number: int


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Channels side by side, from the common start to the end of the shortest, at `sample_rate` (Hz).

    notes: plain sentences about what was done to make the files fit together. Every call of `blocks` and `windows`
    reads the files anew; they raise AudioFileError where a file turns out to be damaged.
    """

    files: tuple[AudioFile, ...]
    sample_rate: float
    notes: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[Channel, ...]:
        return tuple(Channel(file=file.path, number=c + 1) for file in self.files for c in range(file.channels))

    @property
    def native_rate(self) -> float:
        """The highest of the files' (Hz)."""
        return float(max(file.sample_rate for file in self.files))

    def at(self, sample_rate: float) -> "Recording":
        """The same files at another rate (Hz)."""
        return _recording(self.files, sample_rate)

    @property
    def samples(self) -> int:
        """Length of the common span, in samples."""
        return min(file.frames_at(self.sample_rate) for file in self.files)

    @property
    def duration_s(self) -> float:
        return self.samples / self.sample_rate

    def blocks(self, block_s: float) -> Iterator[Float[np.ndarray, "mic time"]]:
        """The whole recording in pieces of `block_s` seconds, the last one shorter."""
        block = in_samples(block_s, self.sample_rate, "block_s")
        with _Streams(self) as streams:
            for start in range(0, self.samples, block):
                yield streams.take(min(block, self.samples - start))

    def windows(self, window_s: float, hop_s: float) -> Iterator[tuple[float, Float[np.ndarray, "mic time"]]]:
        """(start in seconds, audio) of every window; spans.py says which there are."""
        with _Streams(self) as streams:
            held, held_start = streams.take(0), 0
            for start, stop in self._spans(window_s, hop_s):
                streams.skip(start - streams.position)
                overlap = held[:, start - held_start :]
                held, held_start = _joined(overlap, streams.take(stop - streams.position)), start
                yield start / self.sample_rate, held

    def count_windows(self, window_s: float, hop_s: float) -> int:
        """How many windows `windows` gives."""
        return sum(1 for _ in self._spans(window_s, hop_s))

    def _spans(self, window_s: float, hop_s: float) -> Iterator[tuple[int, int]]:
        return spans(self.samples, self.sample_rate, window_s=window_s, hop_s=hop_s)


def open_recording(paths: Sequence[Path | str], *, sample_rate: float | None = None) -> Recording:
    """Open files, or folders of files, as one recording, resampled to `sample_rate` (Hz; by default 16 kHz, or the
    highest rate of the files where that is lower).

    Channels come in the order of the paths. The files of a folder, and paths that are sorted as text, as a shell lists
    `*.wav`, come in natural order ("Track 2" before "Track 10"). Raises AudioFileError, which names the file, if any is
    missing, listed twice, cut short or not audio.
    """
    if sample_rate is not None and not 100 <= sample_rate <= 10e6:
        raise SceneError(f"sample rate {sample_rate} Hz, wanted 100 Hz to 10 MHz: was it given in kHz?")
    listed = _listed_files(paths)
    _check_listed_once(listed)
    files = tuple(open_audio_file(path) for path in listed)
    rate_hz = float(sample_rate or working_rate(max(file.sample_rate for file in files)))
    _check_not_too_short(files, rate_hz)
    return _recording(files, rate_hz)


def _recording(files: tuple[AudioFile, ...], rate_hz: float) -> Recording:
    notes = (*_unfinished_notes(files), *_rate_notes(files, rate_hz), *_length_notes(files, rate_hz))
    return Recording(files=files, sample_rate=rate_hz, notes=notes)


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sorts "Track 2" before "Track 10": numbers by value, the rest as text, regardless of case."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    return [(0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts]


class _Streams:
    """All files of a recording, read in step."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._readers: list[Reader] = []
        self.position = 0

    def __enter__(self) -> "_Streams":
        count = len(self._recording.channels)
        frames = max(SMALLEST_READ_FRAMES, min(LARGEST_READ_FRAMES, READ_BUDGET_SAMPLES // count))
        try:
            for file in self._recording.files:
                self._readers.append(Reader(file, self._recording.sample_rate, frames_per_read=frames))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for reader in self._readers:
            reader.close()

    def take(self, count: int) -> Float[np.ndarray, "mic time"]:
        """The next `count` samples of every channel."""
        audio, row = np.empty((len(self._recording.channels), count), np.float32), 0
        for file, reader in zip(self._recording.files, self._readers, strict=True):
            audio[row : row + file.channels] = reader.take(count)
            row += file.channels
        self.position += count
        audio.flags.writeable = False
        return audio

    def skip(self, count: int) -> None:
        """Decode and forget: the only safe way forward, since decoders must not seek."""
        while count > 0:
            step = min(count, LARGEST_READ_FRAMES)
            self.take(step)
            count -= step


def _joined(first: np.ndarray, second: np.ndarray) -> Float[np.ndarray, "mic time"]:
    audio = np.concatenate([first, second], axis=1)
    audio.flags.writeable = False
    return audio


def _listed_files(paths: Sequence[Path | str]) -> list[Path]:
    if isinstance(paths, str) or not paths:
        raise AudioFileError(f"got {paths!r} as recording, wanted a list of files or folders, such as ['take.wav']")
    given = _in_natural_order([Path(path) for path in paths])
    return [file for path in given for file in (_files_in(path) if path.is_dir() else [path])]


def _in_natural_order(paths: list[Path]) -> list[Path]:
    """A shell sorts `*.wav` as text, with mic10 before mic2, and nobody meant that; any other order is meant."""
    texts = [str(path) for path in paths]
    is_sorted_as_text = texts in (sorted(texts), sorted(texts, key=str.casefold))
    return sorted(paths, key=lambda path: natural_key(str(path))) if is_sorted_as_text else paths


def _files_in(folder: Path) -> list[Path]:
    """Its audio files by suffix; not those beginning with a dot, which macOS leaves on memory cards."""
    found = [
        path for path in folder.iterdir() if path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".")
    ]
    if not found:
        raise AudioFileError(
            f"folder {folder} holds no audio files, wanted names such as take.wav or take.flac directly in it: "
            "are they in a folder further down?"
        )
    return sorted(found, key=lambda path: natural_key(path.name))


def _check_listed_once(paths: list[Path]) -> None:
    seen: dict[Path, Path] = {}
    for path in paths:
        if (first := seen.setdefault(path.resolve(), path)) is not path:
            raise AudioFileError(f"{path} is listed twice (first as {first}): give every file once")


def _check_not_too_short(files: tuple[AudioFile, ...], sample_rate: float) -> None:
    for file in files:
        if file.frames_at(sample_rate) == 0:
            raise AudioFileError(
                f"{file.path} lasts {file.duration_s:.2g} s, less than one sample at {sample_rate:g} Hz: is it whole?"
            )


def _unfinished_notes(files: tuple[AudioFile, ...]) -> list[str]:
    return [
        f"{file.path.name} was never closed by its recorder (no length in its header); the {file.duration_s:.2f} s "
        "that are in it are used."
        for file in files
        if file.header.is_unfinished
    ]


def _rate_notes(files: tuple[AudioFile, ...], sample_rate: float) -> list[str]:
    names: dict[int, list[str]] = {}
    for file in files:
        names.setdefault(file.sample_rate, []).append(file.path.name)
    if len(names) == 1:
        return []
    found = "; ".join(f"{rate} Hz: {_some(names[rate])}" for rate in sorted(names))
    return [f"The files have different sample rates ({found}); each was resampled to {sample_rate:g} Hz."]


def _length_notes(files: tuple[AudioFile, ...], sample_rate: float) -> list[str]:
    lengths = [file.frames_at(sample_rate) for file in files]
    if min(lengths) == max(lengths):
        return []
    shortest, longest = files[lengths.index(min(lengths))], files[lengths.index(max(lengths))]
    return [
        f"The files differ in length ({shortest.path.name} {shortest.duration_s:.2f} s, {longest.path.name} "
        f"{longest.duration_s:.2f} s); only the common {min(lengths) / sample_rate:.2f} s from the start are used."
    ]


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} and {len(names) - 1} more"
