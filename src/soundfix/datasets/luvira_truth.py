"""What the truth of a LuViRA recording says: where the loudspeaker and the microphones were, and when it began.

The rules, and what they assume, are told at the top of luvira.py; the forms of the tables in motion_capture.py.
"""

import json
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import Float

from soundfix.datasets.motion_capture import MotionCapture, read_positions, read_qualisys, read_trajectory
from soundfix.datasets.stretch import open_wave, read_stretch
from soundfix.errors import DatasetError
from soundfix.files.decoding import AudioFile
from soundfix.scene import Track
from soundfix.simulation.studio import LUVIRA_POSITIONS_M

MICROPHONE = re.compile(r"mic[ _-]*0*(?P<number>[1-9]\d*)[ _-]*[a-z]", re.IGNORECASE)  # mic01R
SPEAKER = re.compile(r"speaker[ _-]*\d*", re.IGNORECASE)
SPEAKER_MARKERS = 4
POSITIONS, SYNC, INFO = "gt_positions.csv", "sync.wav", "info.json"
CUT_SUBTYPE = "PCM_16"  # the published, cut audio has 16 bits; raw recordings have more
LEAST_RISE, RISE_OVER_USUAL = 0.01, 20.0  # of full scale; times the usual step between samples (noise peaks at 8 times)
EDGE_SHARE, EDGE_S = 0.5, 0.001  # the edge is the first rise half as high as the highest, at its steepest within this

Places = dict[int, Float[np.ndarray, "3"]]  # by the number of the microphone


def is_sibling(tables: Sequence[Path]) -> bool:
    """Whether these tables of truth are those of the sibling layout."""
    return any(table.name.lower() == POSITIONS for table in tables)


def read_truth(folder: Path, tables: Sequence[Path], track: AudioFile) -> tuple[Track, Places]:
    """Where the source was, in seconds after sample 0 of the tracks, and where microphones stood. Raises DatasetError.

    track: one of the recording's, to tell raw sound from cut.
    """
    if is_sibling(tables):
        capture = read_positions(_only([table for table in tables if is_sibling([table])], folder))
        _check_info(folder, track)
        source = Track(times_s=capture.times_s, places=capture.places["speaker"][:, None])
        positions = _columns_positions(capture)
    else:
        raw = _captures([table for table in tables if table.suffix.lower() == ".tsv"], folder)
        source = _source(folder, track, raw, [table for table in tables if table.suffix.lower() == ".csv"])
        positions = {n: np.array(place) for n, place in enumerate(LUVIRA_POSITIONS_M, 1)} | _marker_positions(raw)
    if np.isnan(source.places).all():
        raise DatasetError(f"{folder}: its source is lost in every frame of the truth: are its columns empty?")
    return source, positions


def sync_edge_s(path: Path) -> float:
    """When the start signal in `Sync.wav` rises (s): the first rise half as high as the highest.

    Raises DatasetError where nothing rises clearly: by 1 % of full scale and 20 times the usual step.
    """
    file = open_wave(path)
    samples = read_stretch(file, 0, file.frames, sample_rate_hz=file.sample_rate)[0]
    rises = np.diff(samples, prepend=samples[:1])
    least = max(LEAST_RISE, RISE_OVER_USUAL * float(np.median(np.abs(rises))))
    if not rises.max() >= least:
        raise DatasetError(
            f"{path} rises by no more than {rises.max():.2g} of full scale between samples, wanted {least:.2g} where "
            "the motion capture began: was this recording cut already, so that its processed CSV is wanted, or is the "
            "signal inverted?"
        )
    first = int((rises >= EDGE_SHARE * rises.max()).argmax())
    return (first + int(rises[first : first + round(EDGE_S * file.sample_rate)].argmax())) / file.sample_rate


def speaker_middle(markers: Float[np.ndarray, "time 4 3"]) -> Float[np.ndarray, "time 3"]:
    """The front marker, dropped onto the plane of the other three; NaN where one is lost.

    As the authors' scripts have it: of the three, one is the farthest from all others, one the farthest from that and
    one the nearest to it; the fourth is the front. Which is which is told by the median distances of the recording.
    """
    between = np.linalg.norm(markers[:, :, None] - markers[:, None], axis=-1)
    seen = between[~np.isnan(between).any(axis=(1, 2))]
    if not len(seen):
        return np.full((len(markers), 3), np.nan)
    distances = np.median(seen, axis=0)
    far = int(distances.sum(axis=1).argmax())
    order = np.argsort(distances[far])  # itself, the nearest, another, the farthest
    near, front, opposite = (markers[:, i] for i in order[1:])
    normal = np.cross(markers[:, far] - near, opposite - near)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    return front - normal * np.sum(normal * (front - near), axis=1, keepdims=True)


def _captures(tables: Sequence[Path], folder: Path) -> list[MotionCapture]:
    """Markers first, then bodies."""
    raw = sorted(map(read_qualisys, tables), key=lambda capture: capture.has_bodies)
    for first, second in pairwise(raw):
        if first.has_bodies == second.has_bodies:
            _only([first.path, second.path], folder)
    return raw


def _source(folder: Path, track: AudioFile, raw: list[MotionCapture], tables: list[Path]) -> Track:
    """Where the source was, in seconds after sample 0."""
    is_raw = soundfile.info(track.path).subtype != CUT_SUBTYPE
    if not raw and not tables:
        raise DatasetError(
            f"{folder} has no truth: wanted {folder.name}.csv, {folder.name}.tsv or {folder.name}_6D.tsv below the "
            f"root, or {POSITIONS} beside the tracks: is the root the folder of the sound alone?"
        )
    if raw and (is_raw or not tables):
        times_s, places = _raw_source(raw)
    else:
        capture = read_trajectory(_only(tables, folder))
        times_s, places = capture.times_s, capture.places["body"]
    zero_s = sync_edge_s(_sync_file(folder)) if is_raw or not tables else 0.0
    return Track(times_s=times_s + zero_s, places=places[:, None])


def _sync_file(folder: Path) -> Path:
    found = next((path for path in folder.iterdir() if path.name.lower() == SYNC), None)
    if found is None:
        raise DatasetError(
            f"{folder} has no Sync.wav, wanted one: its sound is raw (more than 16 bits) or its truth is (TSV), and "
            "only the edge in Sync.wav tells when the motion capture began"
        )
    return found


def _only(files: list[Path], folder: Path) -> Path:
    if len(files) > 1:
        raise DatasetError(f"{folder} has two tables of truth, {files[0]} and {files[1]}: remove all but one")
    return files[0]


def _raw_source(raw: Sequence[MotionCapture]) -> tuple[Float[np.ndarray, "time"], Float[np.ndarray, "time 3"]]:
    """From the loudspeaker's markers; without any, from its body."""
    for capture in raw:
        names = [name for name in capture.places if SPEAKER.fullmatch(name)]
        if capture.has_bodies and len(capture.places) == 1:
            names = list(capture.places)
        if names:
            markers = np.stack([capture.places[name] for name in names], axis=1)
            return capture.times_s, speaker_middle(markers) if len(names) == SPEAKER_MARKERS else markers.mean(axis=1)
    found = ", ".join(f"{capture.path.name}: {', '.join(capture.places)}" for capture in raw)
    raise DatasetError(
        f"no marker and no body is the source ({found}), wanted speaker1..4 or speaker: was it not tracked?"
    )


def _marker_positions(raw: Iterable[MotionCapture]) -> Places:
    """Microphone number -> midpoint of its two markers, median over the frames that show both."""
    markers: dict[int, list[np.ndarray]] = {}
    for capture in raw:
        for name, places in capture.places.items():
            if match := MICROPHONE.fullmatch(name):
                markers.setdefault(int(match["number"]), []).append(places)
    middles = {n: _median(np.mean(pair, axis=0)) for n, pair in markers.items() if len(pair) == 2}
    return {n: middle for n, middle in middles.items() if middle is not None}


def _columns_positions(capture: MotionCapture) -> Places:
    """Microphone number -> median over the frames in which mic{number} was seen."""
    names = {int(name[3:]): name for name in capture.places if re.fullmatch(r"mic\d+", name)}
    middles = {n: _median(capture.places[name]) for n, name in names.items()}
    return {n: middle for n, middle in middles.items() if middle is not None}


def _median(places: Float[np.ndarray, "time 3"]) -> Float[np.ndarray, "3"] | None:
    seen = places[~np.isnan(places).any(axis=1)]
    return np.median(seen, axis=0) if len(seen) else None


def _check_info(folder: Path, track: AudioFile) -> None:
    """info.json, where there is one, tells the sample rate."""
    path = folder / INFO
    if not path.exists():
        return
    try:
        rate = float(json.loads(path.read_text("utf-8"))["sampling_rate"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DatasetError(
            f'{path} holds no sampling_rate, wanted {{"sampling_rate": 96000, ...}}: cut short?'
        ) from error
    if rate != track.sample_rate:
        raise DatasetError(
            f"{path} says {rate:g} samples a second, {track.path} has {track.sample_rate}: from another recording?"
        )
