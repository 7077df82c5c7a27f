"""Dry sounds to fill simulated rooms with: recordings kept in memory, or sounds made by formula.

A folder may hold an `index.csv` with columns file, kind and speaker (others are ignored); without one, or where the speaker
is blank, every file is a speaker of its own. Recordings are made mono, brought to 16 kHz, freed of silence, and kept as
16-bit integers, so that processes forked from this one share them.

Parts to train, validate and test on share no speaker: a hash of the speaker's name says which part he belongs to, whatever
the folder, so that one who is in two folders is in one part.
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int16

from soundfix.errors import AudioFileError, ConfigError
from soundfix.resample import SAMPLE_RATE
from soundfix.simulation import sounds

INDEX = "index.csv"
FULL_SCALE = 32_767
Part = Literal["train", "valid", "test"]
PARTS: Mapping[str, tuple[float, float]] = MappingProxyType(  # which hashes, as shares of the largest
    {"train": (0.0, 0.75), "valid": (0.75, 0.85), "test": (0.85, 1.0)}
)
KIND_WITHOUT_INDEX = "sound"
BUILT_IN = MappingProxyType({"voice": sounds.voice, "melody": sounds.melody, "bursts": sounds.bursts})


@runtime_checkable
class Sounds(Protocol):
    """Something to draw dry sounds from, 16 kHz."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it has, such as speech and music."""

    def draw(
        self, duration_s: float, rng: np.random.Generator, shares: Mapping[str, float] | None = None
    ) -> Float[np.ndarray, "time"]:
        """A stretch, peak 0.5. shares: how often of each kind, kind -> weight; without: all kinds equally often."""

    def describe(self) -> dict[str, Any]:
        """For manifests: the same description, the same sounds."""


class DrySound(NamedTuple):
    """One file's sound, mono, 16 kHz, without silence, largest sample 32767."""

    kind: str
    speaker: str
    file: str
    samples: Int16[np.ndarray, "time"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SoundBank:
    """Recordings by kind and speaker: every speaker of a kind is equally likely, however much there is of him."""

    recordings: tuple[DrySound, ...]
    folders: tuple[str, ...] = ()
    part: str | None = None
    speakers: dict[str, list[list[DrySound]]] = field(init=False, repr=False)  # kind -> speaker -> his recordings

    def __post_init__(self) -> None:
        by_kind: dict[str, dict[str, list[DrySound]]] = {}
        for recording in self.recordings:
            by_kind.setdefault(recording.kind, {}).setdefault(recording.speaker, []).append(recording)
        speakers = {kind: list(of_kind.values()) for kind, of_kind in sorted(by_kind.items())}
        object.__setattr__(self, "speakers", speakers)

    @property
    def kinds(self) -> tuple[str, ...]:
        """In alphabetical order."""
        return tuple(self.speakers)

    def draw(
        self, duration_s: float, rng: np.random.Generator, shares: Mapping[str, float] | None = None
    ) -> Float[np.ndarray, "time"]:
        """A random stretch of a recording, float32, peak 0.5; repeated where too short."""
        speakers = self.speakers[draw_kind(self.kinds, shares, rng)]
        of_one = speakers[rng.integers(len(speakers))]
        samples = of_one[rng.integers(len(of_one))].samples
        total = round(duration_s * SAMPLE_RATE)
        start = rng.integers(max(len(samples) - total, 0) + 1)
        stretch = np.resize(samples, total) if len(samples) < total else samples[start : start + total]
        return stretch.astype(np.float32) * np.float32(
            sounds.PEAK / max(abs(int(stretch.max())), abs(int(stretch.min())), 1)
        )

    def describe(self) -> dict[str, Any]:
        """Names of folders, part, how many speakers of each kind, and a hash of all samples."""
        digest = hashlib.sha256()
        for recording in self.recordings:
            digest.update("\0".join(recording[:3]).encode())
            digest.update(recording.samples.tobytes())
        counts = {kind: len(speakers) for kind, speakers in self.speakers.items()}
        return {"folders": list(self.folders), "part": self.part, "speakers": counts, "sha256": digest.hexdigest()}


class BuiltInSounds:
    """Voices, melodies and bursts of noise, made by formula as they are asked for."""

    kinds = tuple(BUILT_IN)

    def draw(
        self, duration_s: float, rng: np.random.Generator, shares: Mapping[str, float] | None = None
    ) -> Float[np.ndarray, "time"]:
        """A new sound, float32, peak 0.5."""
        return BUILT_IN[draw_kind(tuple(BUILT_IN), shares, rng)](duration_s, sample_rate=SAMPLE_RATE, rng=rng)

    def describe(self) -> dict[str, Any]:
        """That they are built in."""
        return {"built_in": list(BUILT_IN)}


def open_sounds(folders: Sequence[Path], *, part: str | None = None) -> Sounds:
    """Recordings from these folders, or without any the built-in sounds, which have no parts."""
    return read_bank(folders, part=part) if folders else BuiltInSounds()


def read_bank(folders: Sequence[Path], *, part: str | None = None) -> SoundBank:
    """Decode everything in these folders once, or only what belongs to a part.

    Raises AudioFileError where a file cannot be read or holds no sound, or nothing is left in the part.
    """
    if part is not None and part not in PARTS:
        raise ConfigError(f"no part is called {part!r}; there are {', '.join(PARTS)}")
    listed = [(folder, *row) for folder in folders for row in _listed(Path(folder))]
    chosen = [row for row in listed if part is None or part_of(row[2]) == part]
    if not chosen:
        speakers = len({row[2] for row in listed})
        raise AudioFileError(
            f"none of the {speakers} speakers in these folders belongs to part {part!r}: too few of them?"
        )
    with ThreadPoolExecutor() as threads:  # decoders let other threads run
        samples = threads.map(_decoded, [Path(folder) / file for folder, _, _, file in chosen])
        recordings = tuple(DrySound(*row[1:], each) for row, each in zip(chosen, samples, strict=True))
    return SoundBank(recordings=recordings, folders=tuple(Path(folder).resolve().name for folder in folders), part=part)


def part_of(speaker: str) -> str:
    """The part this speaker, or piece of music, belongs to."""
    place = int.from_bytes(hashlib.sha256(speaker.encode()).digest()[:6]) / 2**48
    return next(part for part, (low, high) in PARTS.items() if low <= place < high)


def draw_kind(kinds: Sequence[str], shares: Mapping[str, float] | None, rng: np.random.Generator) -> str:
    """One of the kinds, each as often as its weight says; without weights, equally often."""
    weights = shares or dict.fromkeys(kinds, 1.0)
    strange = [kind for kind in weights if kind not in kinds]
    if strange:
        raise ConfigError(f"no sound of kind {strange[0]!r} here; there are {', '.join(kinds)}")
    total = sum(weights.values())
    return str(rng.choice(list(weights), p=[weight / total for weight in weights.values()]))


def _listed(folder: Path) -> Iterable[tuple[str, str, str]]:
    """kind, speaker and file (a path inside the folder) of every recording, in the order of the files' names."""
    if not (folder / INDEX).is_file():
        files = [path.relative_to(folder).as_posix() for path in sounds.read_folder(folder)]
        return [(KIND_WITHOUT_INDEX, file, file) for file in files]
    with (folder / INDEX).open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    if not rows or not rows[0].get("file"):
        raise AudioFileError(f"{folder / INDEX} names no file: wanted a column called file")
    return sorted(
        (row.get("kind") or KIND_WITHOUT_INDEX, row.get("speaker") or row["file"], _found(folder, row["file"]))
        for row in rows
    )


def _found(folder: Path, file: str) -> str:
    """Its path inside the folder; an index may also name files from the folder that this one is in."""
    for path in (file, f"../{file}"):
        if (folder / path).is_file():
            return path
    raise AudioFileError(f"{folder / INDEX} names {file}, which is not there: was it moved, or not copied?")


def _decoded(path: Path) -> Int16[np.ndarray, "time"]:
    heard = sounds.read_heard(path, sample_rate=SAMPLE_RATE)
    samples = np.round(heard * (FULL_SCALE / np.abs(heard).max())).astype(np.int16)
    samples.flags.writeable = False
    return samples
