"""Impulse responses from SOFA files (AES69), data type FIR, read by the optional package sofar.

Each of M measurements has R receivers. These stand about the listener, turned as he looks; he and the source stand in
the room; emitters are taken to be at the source. Measurements of the same source put their receivers together (a
microphone that was carried about is an array); sources heard by the same microphones belong together. Positions are
cartesian in metres, or spherical: azimuth and elevation in degrees, radius in metres.
"""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.errors import DatasetError, MissingPackageError
from soundfix.physics import speed_of_sound

KELVIN = 273.15
COLDEST_K, WARMEST_K = 213.0, 343.0  # a temperature beyond these was not measured: 0 is SOFA's default
SAME_PLACE_M = 1e-3
DEADLINE_S, LEAST_BYTES_S = 8.0, 1e7  # for any file, and for its size
TRIAL = "import sys, netCDF4; [each[...] for each in netCDF4.Dataset(sys.argv[1]).variables.values()]"
LATEST_SAMPLES = 1_000_000  # that a response may begin late


class Measurements(NamedTuple):
    """What the same M microphones heard of K sources; speed_of_sound_m_s from the temperature, if that is told."""

    responses: Float[np.ndarray, "source mic tap"]
    rate_hz: float
    sources: Float[np.ndarray, "source 3"]
    positions: Float[np.ndarray, "mic 3"]
    speed_of_sound_m_s: float | None


def read_measurements(path: Path) -> list[Measurements]:
    """All of a file, by arrangement of microphones. Raises DatasetError, and MissingPackageError without sofar."""
    sofa = _opened(path)
    responses = np.asarray(sofa.Data_IR, dtype=np.float64)
    receivers = _receiver_places(sofa, responses.shape[:2], path)
    sources = _each(_cartesian(sofa, "SourcePosition", path), (len(responses), 3), path)
    delayed = _delayed(responses, _delays(sofa, responses.shape[:2], path))
    of_sources = _by_place(list(sources))
    arrays = [_array(receivers[of_one], delayed[of_one]) for of_one in of_sources]
    return [
        Measurements(
            responses=np.stack([arrays[k][1] for k in alike]),
            rate_hz=_one_rate(sofa, path),
            sources=np.stack([sources[of_sources[k][0]] for k in alike]),
            positions=arrays[alike[0]][0],
            speed_of_sound_m_s=_speed_by_temperature(sofa),
        )
        for alike in _by_place([positions for positions, _ in arrays])
    ]


def _opened(path: Path) -> Any:
    try:
        sofar = importlib.import_module("sofar")
    except ModuleNotFoundError as error:
        raise MissingPackageError("sofar", "interop") from error
    try:  # without sofar's own checks: many files in use break the standard in what is not read here
        _check_ends(path)
        sofa = sofar.read_sofa(str(path), verify=False, verbose=False)
    except (OSError, ValueError, AttributeError) as error:
        raise DatasetError(f"cannot read {path} as SOFA: {error}: is it another format, or cut short?") from error
    kind, shape = getattr(sofa, "GLOBAL_DataType", None), np.shape(getattr(sofa, "Data_IR", ()))
    if kind != "FIR" or len(shape) != 3:
        raise DatasetError(
            f"{path} holds data of type {kind} and shape {shape}, wanted FIR and (measurements, receivers, samples), "
            "such as the conventions SingleRoomSRIR and GeneralFIR have"
        )
    return sofa


def _check_ends(path: Path) -> None:
    """Refuse a file that the C library never comes back from, or dies of: tried first in a process that can be killed."""
    most_s = DEADLINE_S + path.stat().st_size / LEAST_BYTES_S
    try:
        done = subprocess.run(
            [sys.executable, "-c", TRIAL, str(path)], timeout=most_s, capture_output=True, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DatasetError(f"{path} was not read in {most_s:.0f} s: is it damaged?") from error
    if done.returncode < 0:
        raise DatasetError(f"{path} ends the process that reads it (signal {-done.returncode}): is it damaged?")


def _one_rate(sofa: Any, path: Path) -> float:
    rates = np.unique(sofa.Data_SamplingRate)
    if len(rates) != 1:
        raise DatasetError(f"{path}: measured at {rates.tolist()} Hz, wanted one sample rate")
    return float(rates[0])


def _speed_by_temperature(sofa: Any) -> float | None:
    temperature_k = float(np.mean(getattr(sofa, "RoomTemperature", 0.0)))
    return speed_of_sound(temperature_k - KELVIN) if COLDEST_K <= temperature_k <= WARMEST_K else None


def _cartesian(sofa: Any, name: str, path: Path, *, like: str = "") -> Float[np.ndarray, "*rows 3"]:
    """A variable as its own or another's Type and Units say: (I or M, 3), or for receivers (R, 3) or (R, M, 3)."""
    values = np.asarray(getattr(sofa, name), dtype=np.float64)
    values = np.moveaxis(values, 1, -1) if values.ndim == 3 else values.reshape(-1, 3)
    kind, units = (str(getattr(sofa, f"{like or name}_{what}", "")).lower() for what in ("Type", "Units"))
    if kind == "spherical" and units.startswith("degree"):
        azimuth, elevation = np.radians(values[..., 0]), np.radians(values[..., 1])
        flat = np.cos(elevation)
        directions = np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)], axis=-1)
        return values[..., 2:] * directions
    if kind != "cartesian" or not units.startswith(("metre", "meter")):
        raise DatasetError(
            f"{path}: {name} is {kind} in {units!r}, wanted cartesian in metre, or spherical in degree, degree, metre"
        )
    return values


def _each(values: np.ndarray, shape: tuple[int, ...], path: Path) -> np.ndarray:
    """Said once for all measurements, or once for each."""
    try:
        return np.broadcast_to(values, shape)
    except ValueError as error:
        raise DatasetError(
            f"{path}: {values.shape} values where {shape} were wanted: is a dimension missing?"
        ) from error


def _receiver_places(sofa: Any, shape: tuple[int, int], path: Path) -> Float[np.ndarray, "measurement receiver 3"]:
    """Where receivers were in the room."""
    count, each = shape
    receivers = _cartesian(sofa, "ReceiverPosition", path)
    local = _each(receivers[:, None] if receivers.ndim == 2 else receivers, (each, count, 3), path).swapaxes(0, 1)
    listener = _each(_cartesian(sofa, "ListenerPosition", path), (count, 3), path)
    return listener[:, None] + local @ _axes(sofa, count, path)


def _axes(sofa: Any, count: int, path: Path) -> Float[np.ndarray, "measurement 3 3"]:
    """Rows: the way the listener looks, his left, his up; those of the room where the file does not tell."""
    if not hasattr(sofa, "ListenerView"):
        return np.broadcast_to(np.eye(3), (count, 3, 3))
    has_up = hasattr(sofa, "ListenerUp")
    up = _cartesian(sofa, "ListenerUp", path, like="ListenerView") if has_up else np.array([[0.0, 0, 1]])
    ahead = _unit(_each(_cartesian(sofa, "ListenerView", path), (count, 3), path))
    left = _unit(np.cross(_each(up, (count, 3), path), ahead))
    return np.stack([ahead, left, np.cross(ahead, left)], axis=1)


def _unit(vectors: Float[np.ndarray, "row 3"]) -> Float[np.ndarray, "row 3"]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _delays(sofa: Any, shape: tuple[int, int], path: Path) -> Float[np.ndarray, "measurement receiver"]:
    """By how many samples each response begins late."""
    given = np.asarray(getattr(sofa, "Data_Delay", 0.0), dtype=np.float64)
    if not (np.isfinite(given) & (given >= 0) & (given <= LATEST_SAMPLES)).all():
        raise DatasetError(f"{path}: Data_Delay is not from 0 to {LATEST_SAMPLES} samples everywhere: is it damaged?")
    return _each(given.reshape(given.shape[0] if given.ndim else 1, -1), shape, path)


def _delayed(
    responses: Float[np.ndarray, "measurement receiver tap"], delays_samples: Float[np.ndarray, "measurement receiver"]
) -> Float[np.ndarray, "measurement receiver later"]:
    """Later by these, as a turn of phase, so that fractions of a sample count."""
    if not delays_samples.any():
        return responses
    longer = responses.shape[-1] + int(np.ceil(delays_samples.max())) + 1
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * longer) * delays_samples[..., None])
    return np.fft.irfft(np.fft.rfft(responses, 2 * longer) * turn, 2 * longer)[..., :longer]


def _by_place(places: list[np.ndarray]) -> list[list[int]]:
    """Which of these are the same."""
    groups: dict[bytes, list[int]] = {}
    for k, place in enumerate(places):
        groups.setdefault(_rounded(place), []).append(k)
    return list(groups.values())


def _array(
    receivers: Float[np.ndarray, "measurement receiver 3"], responses: Float[np.ndarray, "measurement receiver tap"]
) -> tuple[Float[np.ndarray, "mic 3"], Float[np.ndarray, "mic tap"]]:
    """All receivers as microphones of one array; a place measured twice counts once."""
    places = receivers.reshape(-1, 3)
    first = [alike[0] for alike in _by_place(list(places))]
    return places[first], responses.reshape(-1, responses.shape[-1])[first]


def _rounded(places: np.ndarray) -> bytes:
    """The same for places that are the same to a millimetre."""
    return (np.round(places / SAME_PLACE_M) + 0.0).tobytes()
