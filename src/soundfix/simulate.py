"""Eq. 1: what microphones in a room hear, s_m = sum_k (h_mk * s_k) + w_m, with the truth beside it.

Shoebox rooms by the image method (pyroomacoustics). It delays everything by half its fractional-delay filter, 40
samples; that is taken out here, so the direct sound arrives after distance / c. Full-order responses of live rooms
are slow: by default images up to the 17th order are exact and the rest is a noise tail that decays at the same rate.
The reverberation time asked for is not quite what comes out; the truth holds the measured one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from soundfix.errors import MissingPackageError, SceneError
from soundfix.scene import Microphones, Scene, Truth
from soundfix.sounds import reverberate

IMAGE_ORDER = 17  # 3 ms a response; full order at 0.4 s takes 36 ms
TAIL_MATCH_S = 0.02  # the tail takes over the level that the exact part has over its last 20 ms
DECAY_DB = 30.0  # over which the reverberation time is measured, then doubled


@dataclass(frozen=True, kw_only=True)
class RoomConfig:
    """A shoebox: side lengths (m), reverberation time (s; 0 is anechoic), and how it is simulated.

    absorption, 0..1, may be given instead of rt60_s. image_order None computes every image (slow). origin_m is the
    lowest corner in the coordinates of the microphones.
    """

    size_m: tuple[float, float, float]
    rt60_s: float | None = None
    absorption: float | None = None
    image_order: int | None = IMAGE_ORDER
    speed_of_sound_m_s: float = 343.0
    origin_m: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if (self.rt60_s is None) == (self.absorption is None):
            raise SceneError(f"rt60_s={self.rt60_s} and absorption={self.absorption}: give exactly one of them")
        if self.rt60_s is not None and not 0 <= self.rt60_s < np.inf:
            raise SceneError(f"rt60_s={self.rt60_s}, wanted 0 (anechoic) or more seconds")
        if self.absorption is not None and not 0 < self.absorption <= 1:
            raise SceneError(f"absorption={self.absorption}, wanted a share above 0, up to 1; was it given in percent?")

    @property
    def box(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Lowest and highest corner (m)."""
        (x, y, z), (a, b, c) = self.origin_m, self.size_m
        return (x, y, z), (x + a, y + b, z + c)


def simulate(
    room: RoomConfig,
    *,
    sources: Float[np.ndarray, "source 3"],
    sounds: Float[np.ndarray, "sound time"],
    microphones: Microphones,
    snr_db: float,
    rng: np.random.Generator,
    sample_rate: float = 16_000.0,
    lead_in_s: float = 0.0,
) -> Scene:
    """The scene that these sounds make in this room; as long as the sounds, less the first lead_in_s of them.

    snr_db: mean power of the reverberant sound over that of white noise, which is independent at every microphone.
    """
    _check_task(sources, sounds, microphones)
    responses = impulse_responses(room, sources, microphones.positions, sample_rate=sample_rate, rng=rng)
    heard = np.sum([reverberate(sound, responses[:, k]) for k, sound in enumerate(sounds)], axis=0)
    clean = heard[:, round(lead_in_s * sample_rate) :]
    _check_heard(clean, lead_in_s)
    noise_rms = np.sqrt(np.mean(np.square(clean))) * 10 ** (-snr_db / 20)
    audio = clean + noise_rms * rng.standard_normal(clean.shape)
    return Scene(
        audio=(0.5 * audio / np.abs(audio).max()).astype(np.float32),
        sample_rate=sample_rate,
        microphones=microphones,
        room=room.box,
        speed_of_sound_m_s=room.speed_of_sound_m_s,
        truth=Truth(sources=sources, rt60_s=measured_rt60(responses[:, 0], sample_rate), snr_db=snr_db),
    )


def impulse_responses(
    room: RoomConfig,
    sources: Float[np.ndarray, "source 3"],
    microphones: Float[np.ndarray, "mic 3"],
    *,
    sample_rate: float,
    rng: np.random.Generator,
) -> Float[np.ndarray, "mic source tap"]:
    """Impulse responses from every source to every microphone, direct sound at distance / c."""
    _check_inside(sources, room, "source")
    _check_inside(microphones, room, "microphone")
    with _speed_of_sound(room.speed_of_sound_m_s) as pra:
        absorption, full_order = _walls(room)
        order = full_order if room.image_order is None else min(full_order, room.image_order)
        shoebox = pra.ShoeBox(room.size_m, fs=round(sample_rate), materials=pra.Material(absorption), max_order=order)
        for source in sources - np.array(room.origin_m):
            shoebox.add_source(source)
        shoebox.add_microphone_array((microphones - np.array(room.origin_m)).T)
        shoebox.compute_rir()
    delay = filter_delay_samples()
    responses = _padded([[rir[delay:] for rir in mic] for mic in shoebox.rir])
    return responses if order == full_order else _with_tail(responses, room, order, sample_rate=sample_rate, rng=rng)


def filter_delay_samples() -> int:
    """By how much pyroomacoustics delays every response: half its fractional-delay filter."""
    return _pyroomacoustics().constants.get("frac_delay_length") // 2


def measured_rt60(responses: Float[np.ndarray, "mic tap"], sample_rate: float) -> float:
    """Median reverberation time (s) of these responses, from 30 dB of their decay (Schroeder)."""
    measure = _pyroomacoustics().experimental.measure_rt60
    return float(np.median([measure(response, fs=round(sample_rate), decay_db=DECAY_DB) for response in responses]))


def _walls(room: RoomConfig) -> tuple[float, int]:
    """Absorption of the walls, and the order of images that the reverberation time needs."""
    if room.rt60_s == 0:
        return 1.0, 0
    pra = _pyroomacoustics()
    if room.absorption is not None:
        return room.absorption, int(np.ceil(room.speed_of_sound_m_s * sabine_rt60(room) / min(room.size_m)))
    try:
        return pra.inverse_sabine(room.rt60_s, room.size_m)
    except ValueError as error:
        raise SceneError(
            f"no walls give a room of {room.size_m} m {room.rt60_s} s of reverberation: {error}"
        ) from error


def sabine_rt60(room: RoomConfig) -> float:
    """Sabine's reverberation time (s) of a shoebox by its absorption: 24 ln 10 V / (c S a)."""
    x, y, z = room.size_m
    surface = 2 * (x * y + y * z + x * z)
    assert room.absorption is not None
    return float(24 * np.log(10) * x * y * z / (room.speed_of_sound_m_s * surface * room.absorption))


def _check_task(sources: np.ndarray, sounds: np.ndarray, microphones: Microphones) -> None:
    if len(sources) != len(sounds):
        raise SceneError(f"{len(sounds)} sounds for {len(sources)} sources: give one sound each")
    if not microphones.is_known.all():
        nameless = microphones.names[int(np.flatnonzero(~microphones.is_known)[0])]
        raise SceneError(
            f"{nameless} has no position to be simulated at: give one, and hide it with the fault 'unknown'"
        )


def _check_heard(clean: np.ndarray, lead_in_s: float) -> None:
    if not np.any(clean):
        raise SceneError(
            f"{clean.shape[1]} samples and no sound in them after a lead-in of {lead_in_s} s: "
            "silent sounds, or shorter than the lead-in?"
        )


def _check_inside(points: np.ndarray, room: RoomConfig, what: str) -> None:
    low, high = np.array(room.box)
    is_outside: np.ndarray = np.logical_or(points <= low, points >= high).any(axis=1)
    if is_outside.any():
        raise SceneError(f"{what} at {points[is_outside][0]} m is outside the room {room.box}: is origin_m right?")


def _padded(responses: Sequence[Sequence[np.ndarray]]) -> Float[np.ndarray, "mic source tap"]:
    longest = max(len(response) for mic in responses for response in mic)
    return np.array([[np.pad(response, (0, longest - len(response))) for response in mic] for mic in responses])


def _with_tail(
    responses: np.ndarray, room: RoomConfig, order: int, *, sample_rate: float, rng: np.random.Generator
) -> Float[np.ndarray, "mic source tap"]:
    """Images of this order up to a shortest side for each of them, then noise that decays at the room's rate."""
    rt60_s = room.rt60_s or sabine_rt60(room)
    cut = min(round((order + 1) * min(room.size_m) / room.speed_of_sound_m_s * sample_rate), responses.shape[2])
    match = min(round(TAIL_MATCH_S * sample_rate), cut)
    level = np.sqrt(np.mean(responses[:, :, cut - match : cut] ** 2, axis=2, keepdims=True))
    time_s = (np.arange(round(rt60_s * sample_rate)) + match / 2) / sample_rate
    tail = level * rng.standard_normal((*responses.shape[:2], len(time_s))) * 10 ** (-3 * time_s / rt60_s)
    return np.concatenate([responses[:, :, :cut], tail], axis=2)


@contextmanager
def _speed_of_sound(speed_m_s: float) -> Iterator[Any]:
    """pyroomacoustics while its global speed of sound is this one; it is put back for whoever else uses it."""
    pra = _pyroomacoustics()
    before = pra.constants.get("c")
    pra.constants.set("c", speed_m_s)
    try:
        yield pra
    finally:
        pra.constants.set("c", before)


def _pyroomacoustics() -> Any:
    try:
        import pyroomacoustics
        import pyroomacoustics.experimental
    except ImportError as error:
        raise MissingPackageError("pyroomacoustics", "sim") from error
    return pyroomacoustics
