"""A Scene as two files: a multichannel PCM16 WAV, and JSON with everything else.

Every channel is scaled to fill the 16 bits, and the JSON keeps each one's full scale: a microphone 40 dB below the others
loses no more than they do (rounding lies 98 dB below a channel's largest sample). Samples that are no numbers are listed as
spans, and are silent in the WAV. Numbers in the JSON are exact, and null is NaN (an unknown position, a source not seen).
"""

import io
import json
import wave
from dataclasses import fields
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from soundfix.errors import DatasetError, SoundfixError
from soundfix.gate import gate
from soundfix.microphones import Microphones
from soundfix.scene import Scene, Track, Truth

FULL_SCALE = 32_767
LEAST_SCALE = 1e-30  # a channel with nothing above this is silent


def encode(scene: Scene) -> tuple[bytes, bytes]:
    """The WAV and the JSON. Raises DatasetError where the sample rate is no whole number of Hz, as WAV wants it."""
    if scene.sample_rate != round(scene.sample_rate):
        raise DatasetError(f"a sample rate of {scene.sample_rate} Hz, wanted whole Hz for a WAV: resample the scene")
    is_lost = ~np.isfinite(scene.audio)
    audio = np.where(is_lost, 0, scene.audio) if is_lost.any() else scene.audio
    full_scale = np.maximum(audio.max(axis=1), -audio.min(axis=1))
    full_scale[full_scale < LEAST_SCALE] = 1.0
    described = _described(scene) | {"full_scale": full_scale.tolist(), "lost": _spans(is_lost)}
    return _wav(audio, full_scale, round(scene.sample_rate)), json.dumps(described, allow_nan=False).encode()


@gate(DatasetError, what="the scene")
def decode(wav: bytes, described: bytes) -> Scene:
    """The scene again. Raises DatasetError where these are not the two files of a scene."""
    try:
        fields_ = json.loads(described)
        audio = _audio(wav, np.array(fields_["full_scale"], dtype=np.float32))
        for microphone, start, count in fields_["lost"]:
            audio[microphone, start : start + count] = np.nan
        audio.flags.writeable = False
        return _scene(fields_, audio)
    except (SoundfixError, wave.Error, EOFError, KeyError, TypeError, ValueError, IndexError) as error:
        raise DatasetError(f"no scene ({type(error).__name__}: {error})") from error


def _wav(audio: Float[np.ndarray, "mic time"], full_scale: Float[np.ndarray, "mic"], sample_rate: int) -> bytes:
    samples = np.empty(audio.shape[::-1], dtype="<i2")
    for m, channel in enumerate(audio):
        samples[:, m] = np.rint(channel * np.float32(FULL_SCALE / full_scale[m]))
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((audio.shape[0], 2, sample_rate, audio.shape[1], "NONE", ""))
        file.writeframesraw(samples.data.cast("B"))
    return stream.getvalue()


def _audio(wav: bytes, full_scale: Float[np.ndarray, "mic"]) -> Float[np.ndarray, "mic time"]:
    with wave.open(io.BytesIO(wav), "rb") as file:
        if (file.getnchannels(), file.getsampwidth()) != (len(full_scale), 2):
            raise ValueError(f"a WAV of {file.getnchannels()} channels for {len(full_scale)} microphones")
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(file.getnframes(), -1)
    audio = np.empty(samples.shape[::-1], dtype=np.float32)
    np.multiply(samples.T, (full_scale / FULL_SCALE)[:, None], out=audio)
    return audio


def _spans(is_lost: np.ndarray) -> list[list[int]]:
    """[microphone, first sample, how many] of every run."""
    if not is_lost.any():
        return []
    edges = np.diff(np.pad(is_lost, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    return [[int(m), int(start), int(end - start)] for (m, start), (_, end) in zip(starts, ends, strict=True)]


def _described(scene: Scene) -> dict[str, Any]:
    return {
        "sample_rate": scene.sample_rate,
        "microphones": _plain(scene.microphones) | {"positions": _plain(scene.microphones.border_positions())},
        "room": scene.room,
        "speed_of_sound_m_s": scene.speed_of_sound_m_s,
        "temperature_c": scene.temperature_c,
        "start_s": scene.start_s,
        "is_trusted": _plain(scene.is_trusted),
        "truth": _plain(scene.truth),
    }


def _plain(value: Any) -> Any:
    """Dataclasses as dicts of their settable fields, arrays as lists, NaN as null."""
    if isinstance(value, (Microphones, Truth, Track)):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value) if each.init}
    if not isinstance(value, np.ndarray):
        return value
    plain = value.astype(object)
    plain[value != value] = None
    return plain.tolist()


def _scene(given: dict[str, Any], audio: np.ndarray) -> Scene:
    microphones, truth, room = given["microphones"], given["truth"], given["room"]
    return Scene(
        audio=audio,
        sample_rate=given["sample_rate"],
        microphones=Microphones(
            positions=_array(microphones["positions"], 3),
            names=tuple(microphones["names"]),
            sigma_m=_array(microphones["sigma_m"]),
            offset_s=_array(microphones["offset_s"]),
            drift_ppm=_array(microphones["drift_ppm"]),
            files=microphones["files"] and tuple(microphones["files"]),
            channels=microphones["channels"] and tuple(microphones["channels"]),
        ),
        room=room and (tuple(room[0]), tuple(room[1])),
        speed_of_sound_m_s=given["speed_of_sound_m_s"],
        temperature_c=given["temperature_c"],
        start_s=given["start_s"],
        is_trusted=np.array(given["is_trusted"], dtype=bool),
        truth=truth and _truth(truth),
    )


def _truth(given: dict[str, Any]) -> Truth:
    track = given["track"]
    return Truth(
        sources=_array(given["sources"], 3),
        rt60_s=given["rt60_s"],
        snr_db=given["snr_db"],
        faults=tuple(given["faults"]),
        track=track and Track(times_s=_array(track["times_s"]), places=_array(track["places"])),
        positions=None if given["positions"] is None else _array(given["positions"], 3),
        speed_of_sound_m_s=given["speed_of_sound_m_s"],
        gains_db=None if given["gains_db"] is None else _array(given["gains_db"]),
    )


def _array(values: ArrayLike, width: int | None = None) -> np.ndarray:
    """NaN where null; (n, width) even where there are none."""
    array = np.array(values, dtype=np.float64)
    return array if width is None else array.reshape(-1, width)
