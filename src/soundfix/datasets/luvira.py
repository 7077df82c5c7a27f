"""LuViRA (arXiv 2302.05309): a loudspeaker driven about a studio, heard by 11 microphones, watched by motion capture.

On disk
-------
Any folder below the root that holds `Track 1.wav`, `Track 2.wav`, ... is a recording, called by the folder's name: the
original `audio_grid/Grid101`, `audio_random/Random_L`, the audio-only `music0001`..`4` and `speech0001`..`4`. Its truth
is what bears its name (Grid101 is Grid0101, speech3 is speech0003) anywhere below the root: a processed trajectory
`Grid101.csv`, raw Qualisys files `Grid0101.tsv` (3D: markers) and `Grid0101_6D.tsv` (bodies). In the sibling layout the
folder holds `gt_positions.csv` (metres), and `info.json` or not. The forms are read by motion_capture.py.

What is assumed, where the description leaves it open
-----------------------------------------------------
Microphones  Track n is microphone n. Its place is the midpoint of its two markers (mic01R, mic01L), median over the
             recording; without these, the published one. Track 12 has none and is left out, as is a microphone whose
             file is missing; the others keep their names. In the sibling layout only gt_positions.csv places them.
             Coordinates are those of the motion capture. Gains are not calibrated.
Source       In a 3D file the middle of the loudspeaker of markers speaker1..4, computed as the authors' scripts do it;
             in a 6D file the body called speaker, or the only one; in a trajectory CSV its one body.
Time         Sound of 16 bits was cut to its trajectory CSV: sample 0 is the first row. Sound of more bits is raw, and
             so is a truth that is there as TSV only: the rise in `Sync.wav` is then time 0 of the truth, and a TSV
             wins over a CSV. gt_positions.csv counts from sample 0.
Clips        They follow each other from the first frame of truth on; the rest, less than a clip, is dropped.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

from soundfix.datasets.dataset import RecordedClips
from soundfix.datasets.luvira_truth import POSITIONS, Places, is_sibling, read_truth
from soundfix.datasets.motion_capture import RATE_HZ
from soundfix.datasets.stretch import SAMPLE_RATE_HZ, clip_samples, open_wave, read_stretch, samples_of, track_within
from soundfix.errors import ConfigError, DatasetError, SceneError
from soundfix.files.decoding import AudioFile
from soundfix.microphones import Microphones
from soundfix.scene import Room, Scene, Track, Truth
from soundfix.simulation.studio import LUVIRA_ORIGIN_M, LUVIRA_SIZE_M

SPLITS: dict[str, tuple[str, ...]] = {
    "train": ("music1", "music2", "music4", "speech1", "speech2", "speech4"),
    "test": ("music3", "speech3"),
}
TRACK = re.compile(r"track[ _-]*0*(?P<number>[1-9]\d*)\.wav", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Defect:
    """What the authors say is wrong. recording "": in several that are not named, at times."""

    recording: str
    microphone: str
    what: str


DEFECTS = (
    Defect(recording="Grid110", microphone="mic7", what="loud noise for some time"),
    Defect(recording="Random_manual_people2", microphone="mic4", what="not recorded"),
    Defect(recording="", microphone="mic7", what="noise at times"),
    Defect(recording="", microphone="mic9", what="noise at times"),
)
LEFT_OUT = ("none", "named", "all")


@dataclass(frozen=True, kw_only=True, eq=False)
class LuviraRecording:
    """tracks: one mono file a microphone. source: where it was, in seconds after sample 0 of the files."""

    name: str
    tracks: tuple[AudioFile, ...]
    microphones: Microphones
    source: Track
    room: Room | None

    def first_sample(self) -> int:
        """The first one, at 16 kHz, for which there is truth."""
        return ceil(max(float(self.source.times_s[0]), 0.0) * SAMPLE_RATE_HZ - 1e-6)

    def count(self, samples: int) -> int:
        """How many clips of so many samples follow each other while there is sound and truth."""
        heard = min(samples_of(track) for track in self.tracks)
        seen = int((self.source.times_s[-1] + 1 / RATE_HZ) * SAMPLE_RATE_HZ + 1e-6)
        return max((min(heard, seen) - self.first_sample()) // samples, 0)

    def clip(self, number: int, samples: int) -> Scene:
        """One of them, with the truth."""
        first = self.first_sample() + number * samples
        start_s, duration_s = first / SAMPLE_RATE_HZ, samples / SAMPLE_RATE_HZ
        track = track_within(self.source, start_s, duration_s)
        return Scene(
            audio=np.concatenate([read_stretch(file, first, samples) for file in self.tracks]),
            sample_rate=float(SAMPLE_RATE_HZ),
            microphones=self.microphones,
            room=self.room,
            start_s=start_s,
            truth=Truth(sources=track.at(duration_s / 2), track=track),
        )


def luvira(
    root: Path,
    *,
    split: str = "all",
    recordings: Sequence[str] | None = None,
    leave_out: str = "none",
    clip_s: float = 2.0,
) -> RecordedClips[LuviraRecording]:
    """The recordings below `root`: a split ("train", "test" or "all"), or those of it that are named.

    leave_out: which microphones with known defects to do without: "none", "named" (those that are named with their
    recording), "all" (7 and 9 everywhere too). Raises DatasetError, naming the file, where anything is missing or
    wrong, and ConfigError on settings that do not exist.
    """
    if leave_out not in LEFT_OUT:
        raise ConfigError(f"leave_out is {leave_out!r}, wanted one of {', '.join(LEFT_OUT)}")
    samples = clip_samples(clip_s)
    folders = _chosen({_key(f.name): f for f in _checked_names(root)}, split, recordings)
    truths = _truth_files(root)
    chosen = [_read_recording(f, truths.get(_key(f.name), []), leave_out) for f in folders]
    for recording in chosen:
        _check_long_enough(recording, samples)
    return RecordedClips(recordings=tuple(chosen), clip_s=clip_s, name="luvira")


def defects_of(data: RecordedClips[LuviraRecording]) -> tuple[Defect, ...]:
    """What is known to be wrong in these recordings."""
    return tuple(d for d in DEFECTS if any(_concerns(d, recording.name) for recording in data.recordings))


def recording_folders(root: Path) -> list[Path]:
    """Every folder below `root`, or itself, that holds a `Track n.wav`, in the order of their paths."""
    found = [Path(folder) for folder, _, files in os.walk(root) if any(TRACK.fullmatch(file) for file in files)]
    return sorted(found)


def _key(name: str) -> str:
    """Grid101, Grid0101_6D, speech3 and speech_0003: what is the same recording has the same key."""
    words = re.findall(r"[a-z]+|\d+", re.sub(r"[ _-]?[36]d$", "", name.casefold()))
    return "".join(str(int(word)) if word.isdigit() else word for word in words)


def _checked_names(root: Path) -> list[Path]:
    folders = recording_folders(root)
    if not folders:
        raise DatasetError(f"{root} holds no recordings, wanted folders with 'Track 1.wav' and so on: another folder?")
    seen: dict[str, Path] = {}
    for folder in folders:
        if (first := seen.setdefault(_key(folder.name), folder)) is not folder:
            raise DatasetError(f"{folder} and {first} are the same recording by name: give the root of one of them")
    return folders


def _chosen(folders: dict[str, Path], split: str, recordings: Sequence[str] | None) -> list[Path]:
    if split != "all" and split not in SPLITS:
        raise ConfigError(f"split is {split!r}, wanted all, {' or '.join(SPLITS)}")
    members = SPLITS.get(split, tuple(folders))
    keys = members if recordings is None else [_key(name) for name in recordings]
    wrong = [name for name, key in zip(recordings or keys, keys, strict=True) if key not in members]
    missing = [name for name, key in zip(recordings or keys, keys, strict=True) if key not in folders]
    if wrong or missing or not keys:
        raise DatasetError(
            f"wanted the recordings {', '.join(recordings or keys)} of the split {split}; there are "
            f"{', '.join(sorted(f.name for f in folders.values()))}: not {', '.join(wrong or missing) or 'none'}. "
            "Name those you have with split all?"
        )
    return [folders[key] for key in dict.fromkeys(keys)]


def _truth_files(root: Path) -> dict[str, list[Path]]:
    """The tables below the root by the key of their recording, which for gt_positions.csv is that of its folder.

    Names that begin with a dot are what macOS leaves beside files.
    """
    files: dict[str, list[Path]] = {}
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            if name.lower().endswith((".csv", ".tsv")) and not name.startswith("."):
                whose = Path(folder).name if name.lower() == POSITIONS else Path(name).stem
                files.setdefault(_key(whose), []).append(Path(folder) / name)
    return files


def _read_recording(folder: Path, tables: list[Path], leave_out: str) -> LuviraRecording:
    tracks = _tracks(folder)
    source, positions = read_truth(folder, tables, next(iter(tracks.values())))
    kept = [n for n in tracks if n in positions and not _is_left_out(folder.name, n, leave_out)]
    return LuviraRecording(
        name=folder.name,
        tracks=tuple(tracks[n] for n in kept),
        microphones=_microphones(kept, positions, folder),
        source=source,
        room=None if is_sibling(tables) else luvira_room(),
    )


def luvira_room() -> Room:
    """The studio, in the coordinates of the motion capture (m)."""
    (x, y, z), (a, b, c) = LUVIRA_ORIGIN_M, LUVIRA_SIZE_M
    return (-x, -y, -z), (a - x, b - y, c - z)


def _tracks(folder: Path) -> dict[int, AudioFile]:
    """Microphone number -> its file, in the order of the numbers."""
    matches = [(TRACK.fullmatch(path.name), path) for path in folder.iterdir()]
    tracks = {int(match["number"]): open_wave(path) for match, path in matches if match}
    rates = {file.sample_rate for file in tracks.values()}
    if len(rates) > 1:
        raise DatasetError(f"{folder}: its tracks have {sorted(rates)} samples a second, wanted one rate: mixed up?")
    for file in tracks.values():
        if file.channels != 1:
            raise DatasetError(f"{file.path} has {file.channels} channels, wanted 1: one track a microphone")
    return dict(sorted(tracks.items()))


def _microphones(numbers: list[int], positions: Places, folder: Path) -> Microphones:
    if not numbers:
        raise DatasetError(f"{folder}: no track is left that has a position: wanted 'Track 1.wav' to 'Track 11.wav'")
    try:
        return Microphones(positions=np.array([positions[n] for n in numbers]), names=tuple(f"mic{n}" for n in numbers))
    except SceneError as error:
        raise DatasetError(f"{folder}: {error}") from error


def _concerns(defect: Defect, recording: str) -> bool:
    return not defect.recording or _key(defect.recording) == _key(recording)


def _is_left_out(recording: str, number: int, leave_out: str) -> bool:
    defects = [d for d in DEFECTS if _concerns(d, recording) and d.microphone == f"mic{number}"]
    return leave_out != "none" and any(leave_out == "all" or defect.recording for defect in defects)


def _check_long_enough(recording: LuviraRecording, samples: int) -> None:
    if recording.count(samples) == 0:
        raise DatasetError(
            f"recording {recording.name}: sound of {min(t.duration_s for t in recording.tracks):.2f} s and truth from "
            f"{recording.source.times_s[0]:.2f} to {recording.source.times_s[-1]:.2f} s share less than a clip of "
            f"{samples / SAMPLE_RATE_HZ:g} s: is one of them cut short, or from another recording?"
        )
