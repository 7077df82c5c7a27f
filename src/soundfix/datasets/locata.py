"""LOCATA (Evers et al., 2020): arrays in a studio that hear loudspeakers and talkers, watched by motion capture.

On disk: any folder below the root that holds `audio_array_NAME.wav` is a recording of the array NAME, as the development
set is laid out (dev/task1/recording1/benchmark2/). Beside it stand position_array_NAME.txt, position_source_*.txt, a source
each, and audio_array_timestamps_NAME.txt, whose first row says when the first sample was. Where required_time.txt says by
its valid_flag that a row is none, sources were not seen. Arrays that are carried about (tasks 5 and 6) are refused.

Clips follow each other from the start. A source counts as long as it was seen, whether it sounds or is silent just then.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundfix.datasets.dataset import RecordedClips
from soundfix.datasets.stretch import SAMPLE_RATE_HZ, open_wave, read_stretch, samples_of, track_within
from soundfix.errors import DatasetError, MicrophoneFileError
from soundfix.files.decoding import AudioFile
from soundfix.files.locata import CLOCK, Moments, clock, moments, rows_of
from soundfix.files.microphones import read_microphones
from soundfix.gate import gate
from soundfix.microphones import Microphones
from soundfix.scene import Scene, Track, Truth

WAVE = re.compile(r"audio_array_(?P<name>[a-z]+\d*)\.wav", re.IGNORECASE)
VALID = "valid_flag"
HEAD_BYTES = 4096  # of a table of timestamps, which has a row a sample


@dataclass(frozen=True, kw_only=True, eq=False)
class LocataRecording:
    """sources: where they were, in seconds after sample 0."""

    name: str
    file: AudioFile
    microphones: Microphones
    sources: Track

    def count(self, samples: int) -> int:
        """How many clips of so many samples follow each other while there is sound and truth."""
        seen = int(self.sources.times_s[-1] * SAMPLE_RATE_HZ)
        return max(min(samples_of(self.file), seen) // samples, 0)

    def clip(self, number: int, samples: int) -> Scene:
        """One of them, with the truth."""
        start_s, duration_s = number * samples / SAMPLE_RATE_HZ, samples / SAMPLE_RATE_HZ
        track = track_within(self.sources, start_s, duration_s)
        channels = [channel - 1 for channel in self.microphones.channels or ()]
        return Scene(
            audio=read_stretch(self.file, number * samples, samples)[channels],
            sample_rate=float(SAMPLE_RATE_HZ),
            microphones=self.microphones,
            start_s=start_s,
            truth=Truth(sources=track.at(duration_s / 2), track=track),
        )


def locata(root: Path, *, arrays: Sequence[str] = (), clip_s: float = 2.0) -> RecordedClips[LocataRecording]:
    """The recordings below `root`; arrays: of these alone, by name ("benchmark2"). Raises DatasetError."""
    waves = [path for path in array_waves(root) if not arrays or _array(path) in {name.lower() for name in arrays}]
    recordings = tuple(read_recording(path) for path in waves)
    found = RecordedClips(recordings=recordings, clip_s=clip_s, name="locata")
    if len(found) == 0:
        there = ", ".join(sorted({_array(path) for path in array_waves(root)})) or "none"
        raise DatasetError(
            f"{root} holds no clip of {clip_s:g} s of {', '.join(arrays) or 'LOCATA'}; its arrays are {there}: wanted one "
            "of these, in recordings that long"
        )
    return found


def array_waves(root: Path) -> list[Path]:
    """Every audio_array_NAME.wav below `root`, in the order of their paths."""
    return sorted(Path(folder) / file for folder, _, files in os.walk(root) for file in files if WAVE.fullmatch(file))


@gate(DatasetError)
def read_recording(wave: Path) -> LocataRecording:
    """A recording by its sound, with the tables beside it. Raises DatasetError, naming the file."""
    name, file = _array(wave), open_wave(wave)
    try:
        microphones = read_microphones(wave.with_name(f"position_array_{name}.txt"))
        begins = clock(_first_row(wave.with_name(f"audio_array_timestamps_{name}.txt")), str(wave))
        sources = [_moments(path) for path in sorted(wave.parent.glob("position_source_*.txt"))]
        is_valid = _valid(wave.with_name("required_time.txt"))
    except MicrophoneFileError as error:
        raise DatasetError(str(error)) from error
    if file.channels != len(microphones) or microphones.channels is None:
        raise DatasetError(
            f"{wave} has {file.channels} channels for {len(microphones)} microphones: another array's table?"
        )
    times_s = np.array([(at - begins).total_seconds() for at in sources[0].at]) if sources else np.zeros(0)
    if len(times_s) < 2 or {len(each.at) for each in sources} != {len(times_s)} or (np.diff(times_s) <= 0).any():
        raise DatasetError(f"{wave.parent}: wanted position_source_*.txt with as many rows each, in order of time")
    places = np.concatenate([each.places for each in sources], axis=1)
    if is_valid is not None and len(is_valid) == len(places):
        places = np.where(is_valid[:, None, None], places, np.nan)
    sources_seen = Track(times_s=times_s, places=places)
    return LocataRecording(name=_named(wave), file=file, microphones=microphones, sources=sources_seen)


def _array(wave: Path) -> str:
    found = WAVE.fullmatch(wave.name)
    return found["name"].lower() if found else ""


def _named(wave: Path) -> str:
    """task1/recording1/benchmark2."""
    return "/".join(wave.parent.parts[-3:])


def _text(path: Path, most: int = -1) -> str:
    try:
        with path.open("rb") as file:
            return file.read(most).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read ({error}), wanted a table of LOCATA") from error


def _moments(path: Path) -> Moments:
    header, rows = rows_of(_text(path))
    return moments([column.lower() for column in header], rows, [""], str(path))


def _first_row(path: Path) -> list[float]:
    header, rows = rows_of(_text(path, HEAD_BYTES))
    if not rows or [column.lower() for column in header[:6]] != list(CLOCK):
        raise DatasetError(f"{path} has no row of {', '.join(CLOCK)}, wanted when the first sample was")
    try:
        return [float(cell) for cell in rows[0][:6]]
    except ValueError:
        raise DatasetError(f"{path}: {rows[0][:6]} is no time, wanted numbers") from None


def _valid(path: Path) -> np.ndarray | None:
    """Which rows of motion capture count; None where nothing says so."""
    if not path.exists():
        return None
    header, rows = rows_of(_text(path))
    names = [column.lower() for column in header]
    if VALID not in names:
        return None
    return np.array([row[names.index(VALID)] not in ("0", "0.0") for row in rows], dtype=bool)
