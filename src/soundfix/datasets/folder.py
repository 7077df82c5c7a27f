"""A plain folder of scenes: each sub-folder, or the folder itself, holds `scene.wav` and says what is true of it.

scene.json, beside scene.wav; wherever a coordinate is not known it is null:

    {"microphones": [{"name": "a", "position_m": [0.1, 0.2, 1.5], "sigma_m": 0.01, "true_position_m": [...]}, ...],
     "sources_m": [[x, y, z], ...]              sources that stay, or else
     "track": {"times_s": [0.0, 0.1, ...], "places_m": [[[x, y, z], ...], ...]},        time by time, source by source
     "room_m": [[x0, y0, z0], [x1, y1, z1]], "speed_of_sound_m_s": 343.2, "temperature_c": 20.0,
     "faults": ["dead:a"], "rt60_s": 0.4, "snr_db": 20.0}

Microphones stand in the order of the channels of scene.wav; position_m null means unknown. sigma_m, true_position_m and
everything from room_m on may be left out. Times are seconds from the start of scene.wav, which alone says the sample
rate. Without a scene.json, microphones.csv and truth.json, as `soundfix simulate` writes them, say the same.

A long scene is cut into clips that follow each other. Every clip is whole: the rest at the end is dropped even where it
is most of a clip, and `notes` names every scene that loses half a clip or more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from soundfix.datasets.dataset import RecordedClips
from soundfix.datasets.stretch import SAMPLE_RATE_HZ, clip_samples, open_wave, read_stretch, samples_of, track_within
from soundfix.errors import DatasetError, MicrophoneFileError, SceneError
from soundfix.files.audio import Channel
from soundfix.files.decoding import AudioFile
from soundfix.files.listing import natural_key
from soundfix.files.microphones import read_microphones
from soundfix.files.pairing import arrange
from soundfix.gate import gate
from soundfix.microphones import Microphones
from soundfix.scene import Room, Scene, Track, Truth

WAVE, SCENE, MICROPHONES, TRUTH = "scene.wav", "scene.json", "microphones.csv", "truth.json"
NOTED_SHARE = 0.5  # of a clip that is dropped at the end

Coordinate = float | None
Place = tuple[Coordinate, Coordinate, Coordinate] | None
Model = TypeVar("Model", bound=BaseModel)


class MicrophoneEntry(BaseModel):
    """One microphone of scene.json (m)."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)
    name: str
    position_m: Place
    sigma_m: Annotated[float, Field(ge=0)] = 0.0
    true_position_m: Place = None


class TrackEntry(BaseModel):
    """The track of scene.json: T times (s), T x K places (m)."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)
    times_s: Annotated[list[float], Field(min_length=2)]
    places_m: list[list[Place]]


class TruthEntry(BaseModel):
    """truth.json: what `soundfix simulate` knows. It may grow: what is not asked for is passed over."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, strict=True)
    sources_m: list[Place] | None = None
    track: TrackEntry | None = None
    true_positions_m: list[Place] | None = None
    true_speed_of_sound_m_s: float | None = None
    gains_db: list[float] | None = None
    room_m: Room | None = None
    speed_of_sound_m_s: float | None = None
    faults: list[str] = []
    rt60_s: float | None = None
    snr_db: float | None = None
    sample_rate_hz: float | None = None


class SceneEntry(BaseModel):
    """scene.json whole. A name that is not known is a typing error."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)
    microphones: Annotated[list[MicrophoneEntry], Field(min_length=1)]
    sources_m: list[Place] | None = None
    track: TrackEntry | None = None
    room_m: Room | None = None
    speed_of_sound_m_s: float | None = None
    temperature_c: float | None = None
    faults: list[str] = []
    rt60_s: float | None = None
    snr_db: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredScene:
    """A scene.wav and what is true of it; channels: the channel of each microphone, from 0."""

    file: AudioFile
    channels: tuple[int, ...]
    microphones: Microphones
    truth: Truth
    room: Room | None = None
    speed_of_sound_m_s: float | None = None
    temperature_c: float | None = None

    def count(self, samples: int) -> int:
        """How many clips of so many samples there are."""
        return samples_of(self.file) // samples

    def clip(self, number: int, samples: int) -> Scene:
        """So many samples, at 16 kHz, after `number` times as many."""
        first = number * samples
        start_s, duration_s = first / SAMPLE_RATE_HZ, samples / SAMPLE_RATE_HZ
        audio = read_stretch(self.file, first, samples)[list(self.channels)]
        try:
            return Scene(
                audio=audio,
                sample_rate=float(SAMPLE_RATE_HZ),
                microphones=self.microphones,
                room=self.room,
                speed_of_sound_m_s=self.speed_of_sound_m_s,
                temperature_c=self.temperature_c,
                start_s=start_s,
                truth=_truth_of_clip(self.truth, start_s, duration_s),
            )
        except SceneError as error:
            raise DatasetError(f"{self.file.path.parent}: {error}") from error


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneFolder(RecordedClips[StoredScene]):
    """Clips of `clip_s` seconds at 16 kHz, scene after scene. notes: sentences about what is dropped."""

    notes: tuple[str, ...]


def scene_folder(root: Path, *, clip_s: float = 2.0) -> SceneFolder:
    """The scenes of a folder, in natural order of their names. Raises DatasetError, naming the file and the field."""
    samples = clip_samples(clip_s)
    folders = scene_folders(root)
    if not folders:
        raise DatasetError(f"{root} holds no scenes, wanted {WAVE} in it or in folders directly in it: another folder?")
    scenes = tuple(read_stored_scene(folder) for folder in folders)
    for scene in scenes:
        _check_track_lasts(scene, samples)
    if not any(samples_of(scene.file) >= samples for scene in scenes):
        longest_s = max(scene.file.duration_s for scene in scenes)
        raise DatasetError(f"the longest scene in {root} has {longest_s:.2f} s, wanted a clip of {clip_s:g} s or more")
    notes = tuple(note for scene in scenes for note in _notes(scene, samples))
    return SceneFolder(recordings=scenes, clip_s=clip_s, notes=notes, name=root.name or "folder")


def scene_folders(root: Path) -> list[Path]:
    """The folder itself and those directly in it, as far as they hold a scene.wav."""
    if not root.is_dir():
        return []
    inside = sorted((path for path in root.iterdir() if path.is_dir()), key=lambda path: natural_key(path.name))
    return [folder for folder in (root, *inside) if (folder / WAVE).exists()]


@gate(DatasetError)
def read_stored_scene(folder: Path) -> StoredScene:
    """Read scene.json, or else microphones.csv and truth.json. Raises DatasetError."""
    file = open_wave(folder / WAVE)
    try:
        if (folder / SCENE).exists():
            return _scene_of_json(folder / SCENE, file)
        return _scene_of_simulation(folder, file)
    except (SceneError, MicrophoneFileError) as error:
        raise DatasetError(f"{folder}: {error}") from error


@gate(DatasetError)
def read_truth(path: Path) -> Truth | None:
    """A truth.json by itself, None where it says nothing of sources. Raises DatasetError, naming the file and the field."""
    entry = _validated(path, TruthEntry)
    is_silent = entry.sources_m is None and entry.track is None
    return None if is_silent else _with_what_was(_truth(entry, path), entry)


def _scene_of_json(path: Path, file: AudioFile) -> StoredScene:
    entry = _validated(path, SceneEntry)
    _check_channels(len(entry.microphones), file, path)
    return StoredScene(
        file=file,
        channels=tuple(range(file.channels)),
        microphones=Microphones(
            positions=_rows([microphone.position_m for microphone in entry.microphones]),
            names=tuple(microphone.name for microphone in entry.microphones),
            sigma_m=np.array([microphone.sigma_m for microphone in entry.microphones]),
        ),
        truth=replace(_truth(entry, path), positions=_true_positions(entry.microphones)),
        room=entry.room_m,
        speed_of_sound_m_s=entry.speed_of_sound_m_s,
        temperature_c=entry.temperature_c,
    )


def _scene_of_simulation(folder: Path, file: AudioFile) -> StoredScene:
    missing = [name for name in (MICROPHONES, TRUTH) if not (folder / name).exists()]
    if missing:
        raise DatasetError(f"{folder} lacks {' and '.join(missing)}, wanted {SCENE}, or {MICROPHONES} and {TRUTH}")
    microphones = read_microphones(folder / MICROPHONES)
    channels = [Channel(file=file.path, number=c + 1) for c in range(file.channels)]
    order, _ = arrange(channels, microphones)
    entry = _validated(folder / TRUTH, TruthEntry)
    if entry.sample_rate_hz not in (None, file.sample_rate):
        raise DatasetError(
            f"{folder / TRUTH} says {entry.sample_rate_hz:g} samples a second, {WAVE} has {file.sample_rate}: "
            "was it converted, or is it from another scene?"
        )
    return StoredScene(
        file=file,
        channels=tuple(order),
        microphones=microphones,
        truth=_with_what_was(_truth(entry, folder / TRUTH), entry),
        room=entry.room_m,
        speed_of_sound_m_s=entry.speed_of_sound_m_s,
    )


def _validated(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        raise DatasetError(f"{path}: {_first_problem(error.errors()[0])}") from error


def _first_problem(problem: Any) -> str:
    """What pydantic says of the first thing that is wrong, and where that is: microphones 3, position_m."""
    where = " ".join(str(step + 1) if isinstance(step, int) else step for step in problem["loc"])
    got = "" if problem["type"] in ("missing", "json_invalid") else f", got {str(problem['input'])[:60]}"
    return f"{where or 'the file'}: {problem['msg']}{got}: a typing error, or another version of the format?"


def _check_channels(count: int, file: AudioFile, path: Path) -> None:
    if count != file.channels:
        raise DatasetError(
            f"{path} lists {count} microphones, {file.path} has {file.channels} channels: wanted one each, in order"
        )


def _truth(entry: SceneEntry | TruthEntry, path: Path) -> Truth:
    """With the sources as they are at the start; each clip puts those of its middle there."""
    if (entry.sources_m is None) == (entry.track is None):
        raise DatasetError(
            f"{path} holds {'both' if entry.track else 'neither'} sources_m and track, wanted one of them: "
            "sources that stay, or sources that move"
        )
    track = _track(entry.track, path) if entry.track else None
    return Truth(
        sources=_rows(entry.sources_m or []) if track is None else track.places[0],
        track=track,
        faults=tuple(entry.faults),
        rt60_s=entry.rt60_s,
        snr_db=entry.snr_db,
    )


def _with_what_was(truth: Truth, entry: TruthEntry) -> Truth:
    """What only a simulation knows."""
    return replace(
        truth,
        positions=None if entry.true_positions_m is None else _rows(entry.true_positions_m),
        speed_of_sound_m_s=entry.true_speed_of_sound_m_s,
        gains_db=None if entry.gains_db is None else np.array(entry.gains_db),
    )


def _track(entry: TrackEntry, path: Path) -> Track:
    counts = sorted({len(row) for row in entry.places_m})
    if len(entry.places_m) != len(entry.times_s) or len(counts) > 1:
        raise DatasetError(
            f"{path}: the track has {len(entry.times_s)} times and {len(entry.places_m)} places_m of {counts} sources, "
            "wanted a place for every time and source: [[x, y, z]] where there is one source, [null] where it was lost"
        )
    times_s = np.array(entry.times_s)
    if not (np.diff(times_s) > 0).all():
        raise DatasetError(f"{path}: the times_s of the track do not increase: are they sorted, and none there twice?")
    return Track(times_s=times_s, places=np.stack([_rows(row) for row in entry.places_m]))


def _true_positions(entries: list[MicrophoneEntry]) -> Float[np.ndarray, "mic 3"] | None:
    """Where microphones truly stood: where that is not said, where they are listed; None where it is said of none."""
    if all(entry.true_position_m is None for entry in entries):
        return None
    return _rows([entry.true_position_m or entry.position_m for entry in entries])


def _rows(places: Sequence[Place]) -> Float[np.ndarray, "row 3"]:
    """NaN for null."""
    return np.array([place or (None, None, None) for place in places], dtype=np.float64).reshape(-1, 3)


def _check_track_lasts(scene: StoredScene, samples: int) -> None:
    """A track says nothing of what is more than one of its steps before or after it."""
    track, count = scene.truth.track, samples_of(scene.file) // samples
    if track is None or count == 0:
        return
    step_s = float(np.median(np.diff(track.times_s)))
    first_s, last_s = samples / 2 / SAMPLE_RATE_HZ, (count - 0.5) * samples / SAMPLE_RATE_HZ
    if track.times_s[0] - step_s > first_s or track.times_s[-1] + step_s < last_s:
        raise DatasetError(
            f"{scene.file.path.parent}: its track lasts from {track.times_s[0]:g} to {track.times_s[-1]:g} s, wanted "
            f"{first_s:g} to {last_s:g} s, the middles of the first and last clip: give [null] where nobody was seen"
        )


def _truth_of_clip(truth: Truth, start_s: float, duration_s: float) -> Truth:
    if truth.track is None:
        return truth
    track = track_within(truth.track, start_s, duration_s)
    return replace(truth, track=track, sources=track.at(duration_s / 2))


def _notes(scene: StoredScene, samples: int) -> list[str]:
    whole, rest = divmod(samples_of(scene.file), samples)
    if rest < NOTED_SHARE * samples:
        return []
    return [
        f"{scene.file.path.parent.name}: {whole} clips of {samples / SAMPLE_RATE_HZ:g} s; "
        f"the last {rest / SAMPLE_RATE_HZ:.2f} s are dropped."
    ]
