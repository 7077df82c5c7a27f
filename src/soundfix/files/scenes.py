"""A simulated scene as a folder: scene.wav, microphones.csv and truth.json."""

import json
from pathlib import Path
from typing import Any

import soundfile

from soundfix.atomic import atomic_path
from soundfix.errors import OutputError
from soundfix.files.microphones import write_microphones
from soundfix.scene import Scene

RF64_FROM_BYTES = 2**32 - 2**20  # a plain WAV holds 4 GiB


def write_scene(folder: Path, scene: Scene) -> None:
    """Write the scene; positions are those its list claims, the truth is beside them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error
    container = "RF64" if scene.audio.nbytes > RF64_FROM_BYTES else "WAV"
    try:
        with atomic_path(folder / "scene.wav") as path:
            soundfile.write(path, scene.audio.T, round(scene.sample_rate), format=container, subtype="FLOAT")
    except soundfile.LibsndfileError as error:
        raise OutputError(f"cannot write {folder / 'scene.wav'}: {error.error_string}") from error
    write_microphones(folder / "microphones.csv", scene.microphones)
    with atomic_path(folder / "truth.json") as path:
        path.write_text(json.dumps(_truth(scene), indent=1) + "\n")


def _truth(scene: Scene) -> dict[str, Any]:
    """What is known, under the names that datasets/folder.py reads; what moved has a track instead of a place."""
    truth = scene.truth
    told = {
        "room_m": scene.room,
        "speed_of_sound_m_s": scene.speed,
        "sample_rate_hz": scene.sample_rate,
    }
    if truth is None:
        return told
    track = truth.track and {"times_s": truth.track.times_s.tolist(), "places_m": truth.track.places.tolist()}
    known = {
        "sources_m": None if track else truth.sources.tolist(),
        "track": track,
        "rt60_s": truth.rt60_s,
        "snr_db": truth.snr_db,
        "faults": list(truth.faults),
        "true_positions_m": None if truth.positions is None else truth.positions.tolist(),
        "true_speed_of_sound_m_s": truth.speed_of_sound_m_s,
        "gains_db": None if truth.gains_db is None else truth.gains_db.tolist(),
    }
    return {name: value for name, value in known.items() if value is not None} | told
