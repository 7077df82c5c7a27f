"""A take: a recording and the list of its microphones, a row of sound for a row of the list."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from soundfix.errors import SceneError
from soundfix.files.audio import Recording, open_recording
from soundfix.files.microphones import read_microphones
from soundfix.files.pairing import pair
from soundfix.files.silences import Silence, silences
from soundfix.files.timeline import Recorder
from soundfix.microphones import Microphones

WINDOW_S = 0.5  # of sound that an answer is made from, unless something else is asked for
LARGEST_CROSSING = 0.5  # of a window: the furthest two must hear most of the same


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Take:
    """M microphones and their recording, still in its files: sound is read when it is asked for, as (M, T) float32.

    microphones: the list, positions (M, 3) in metres. recording: the files, resampled to 16000 Hz
    unless `at` says otherwise. order: of each microphone the recording's channel, from 0; None: it has no file.
    notes: what was assumed on the way, in sentences. paths: that it was read from. Where a microphone has no sound its row
    is NaN.
    """

    microphones: Microphones
    recording: Recording
    order: tuple[int | None, ...]
    notes: tuple[str, ...]
    paths: tuple[Path, ...] = ()

    def __repr__(self) -> str:
        return f"Take({len(self.microphones)} microphones, {self.duration_s:.2f} s at {self.sample_rate:g} Hz)"

    @property
    def sample_rate(self) -> float:
        """Of the sound as it is given (Hz)."""
        return self.recording.sample_rate

    @property
    def native_rate(self) -> float:
        """The highest of the files' (Hz)."""
        return self.recording.native_rate

    def at(self, sample_rate: float) -> "Take":
        """The same take, heard at another rate (Hz)."""
        recording = self.recording.at(sample_rate)
        notes = (*recording.notes, *self.notes[len(self.recording.notes) :])
        return replace(self, recording=recording, notes=notes)

    @property
    def duration_s(self) -> float:
        """From the start of the first recorder to the end of the last."""
        return self.recording.duration_s

    @property
    def starts_at(self) -> datetime | None:
        """Clock time of the start, where names or headers of the files tell it; with a time zone where they do."""
        return self.recording.starts_at

    @property
    def silences(self) -> tuple[Silence, ...]:
        """Which microphones have no sound when others have, and why; files are found damaged as they are read."""
        recorders = [None if row is None else self.recorder(row) for row in self.order]
        return tuple(silences(self.recording, recorders, self.microphones.names))

    def recorder(self, channel: int) -> Recorder:
        """Whose this channel of the recording is, from 0."""
        return [recorder for recorder in self.recording.recorders for _ in range(recorder.channels)][channel]

    def windows(self, window_s: float, hop_s: float) -> Iterator[tuple[float, Float[np.ndarray, "mic time"]]]:
        """(start in seconds, audio) of every window."""
        return ((start_s, self._rows(part)) for start_s, part in self.recording.windows(window_s, hop_s))

    def count_windows(self, window_s: float, hop_s: float) -> int:
        """How many windows `windows` gives."""
        return self.recording.count_windows(window_s, hop_s)

    def blocks(self, block_s: float) -> Iterator[Float[np.ndarray, "mic time"]]:
        """All of it in pieces of block_s seconds, the last one shorter."""
        return (self._rows(part) for part in self.recording.blocks(block_s))

    def beginning(self, seconds: float) -> Float[np.ndarray, "mic time"]:
        """Its first `seconds`, or all of it."""
        return self._rows(next(self.recording.blocks(seconds)))

    def _rows(self, channels: Float[np.ndarray, "channel time"]) -> Float[np.ndarray, "mic time"]:
        rows = channels[[row or 0 for row in self.order]]
        rows[[row is None for row in self.order]] = np.nan
        rows.flags.writeable = False
        return rows


def read(paths: str | Path | Sequence[str | Path], microphones: str | Path | Microphones | ArrayLike) -> Take:
    """Open a recording together with the list of its microphones; nothing is read before it is asked for.

    paths: one file of M channels, several files, a folder of them, or a folder that holds a folder for each recorder; files
    that differ in nothing but the times in their names are in a row. A file, or a recorder, for each microphone goes to the
    row of its name, else rows follow the files in natural order. Where a recorder has no sound its rows are NaN.
    microphones: path of a .csv, .yaml or .json list (name, x, y, z in metres, or latitude and longitude; blank: unknown),
    Microphones, or their positions (M, 3) in metres, a row of NaN for an unknown one. Whatever the files' rates, the Take's
    sound is (M, T) at 16000 Hz; notes say what was assumed.

    Raises AudioFileError on a recording that cannot be read, MicrophoneFileError on a list that cannot, and SceneError where
    the two do not belong together, each in a sentence with the likely cause.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    listed, recording = listed_microphones(microphones), open_recording(given)
    order, paired = pair(recording.channels, listed, is_named=_has_names(microphones, listed))
    notes = (*recording.notes, *listed.notes, *paired)
    take = Take(microphones=listed, recording=recording, order=tuple(order), notes=notes, paths=tuple(map(Path, given)))
    told = [f"{silence.microphone}: {silence.text}" for silence in take.silences]
    return replace(take, notes=(*notes, *told))


def window_for(microphones: Microphones, speed_m_s: float) -> float:
    """Seconds of sound that an answer is made from: WINDOW_S, or what sound needs to cross a large array."""
    crossing_s = microphones.width_m / speed_m_s
    return max(WINDOW_S, ceil(10 * crossing_s / LARGEST_CROSSING) / 10)


def listed_microphones(microphones: str | Path | Microphones | ArrayLike | None) -> Microphones:
    """Of the path of a list, of Microphones, or of positions (M, 3) in metres. Raises SoundfixError."""
    if microphones is None:
        raise SceneError("no microphones: wanted the path of their list, Microphones, or positions (M, 3) in metres")
    if isinstance(microphones, Microphones):
        return microphones
    if isinstance(microphones, str | Path):
        return read_microphones(microphones)
    return Microphones(positions=np.asarray(microphones))


def _has_names(given: str | Path | Microphones | ArrayLike, listed: Microphones) -> bool:
    """Whether somebody named the rows; mic1, mic2 ... of positions in memory are what they are called for want of a name."""
    return isinstance(given, str | Path) or listed.names != Microphones(positions=listed.border_positions()).names
