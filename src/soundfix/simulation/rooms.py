"""Eq. 1: what microphones in a room hear, s_m = sum_k (h_mk * s_k) + w_m, with the truth beside it.

Shoebox rooms by the image method (shoebox.py). Every image of a live room takes long: by default images up to the 17th
order are exact and the rest is a noise tail that decays at the same rate. The reverberation time asked for is not quite what
comes out; the truth holds the measured one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.signal import butter, sosfiltfilt

from soundfix.errors import SceneError
from soundfix.microphones import Microphones
from soundfix.physics import NOMINAL_SPEED_M_S
from soundfix.resample import SAMPLE_RATE
from soundfix.scene import Scene, Truth
from soundfix.simulation import shoebox
from soundfix.simulation.sounds import reverberate

LOWEST_HZ = 20.0
IMAGE_ORDER = 17  # 0.7 ms a response; every image at 0.6 s takes 50 ms
TAIL_MATCH_S = 0.02  # the tail takes over the level that the exact part has over its last 20 ms
DECAY_DB = (-5.0, -35.0)  # between which the reverberation time is measured, then doubled


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
    speed_of_sound_m_s: float = NOMINAL_SPEED_M_S
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
    sample_rate: float = SAMPLE_RATE,
    lead_in_s: float = 0.0,
) -> Scene:
    """The scene that these sounds make in this room; as long as the sounds, less the first lead_in_s of them.

    snr_db: mean power of the reverberant sound over that of white noise, which is independent at every microphone.
    """
    _check_task(sources, sounds, microphones)
    responses = impulse_responses(room, sources, microphones.positions, sample_rate=sample_rate, rng=rng)
    heard = np.sum([reverberate(radiated(s, sample_rate), responses[:, k]) for k, s in enumerate(sounds)], axis=0)
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


def radiated(sound: Float[np.ndarray, "time"], sample_rate: float) -> Float[np.ndarray, "time"]:
    """The sound without what no mouth and no loudspeaker radiates, and all images would add up to in phase."""
    return sosfiltfilt(butter(2, LOWEST_HZ, "highpass", fs=sample_rate, output="sos"), sound)


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
    order, is_whole = image_order(room)
    each = [
        shoebox.impulse_responses(
            source - np.array(room.origin_m),
            microphones - np.array(room.origin_m),
            size_m=np.array(room.size_m),
            absorption=wall_absorption(room),
            order=order,
            speed_m_s=room.speed_of_sound_m_s,
            sample_rate=sample_rate,
        )[0]
        for source in sources
    ]
    responses = _padded(each)
    return responses if is_whole else with_tail(responses, room, order, sample_rate=sample_rate, rng=rng)


def image_order(room: RoomConfig) -> tuple[int, bool]:
    """Up to which order images are computed, and whether these are all that the reverberation time holds."""
    whole = shoebox.order_within(room.speed_of_sound_m_s * reverberation_s(room), np.array(room.size_m))
    order = whole if room.image_order is None else min(whole, room.image_order)
    return order, order == whole


def with_tail(
    responses: Float[np.ndarray, "*rows tap"],
    room: RoomConfig,
    order: int,
    *,
    sample_rate: float,
    rng: np.random.Generator,
) -> Float[np.ndarray, "*rows longer"]:
    """Images of this order as far as they are all there, then noise that decays at the room's rate."""
    rt60_s = reverberation_s(room)
    complete_m = (order + 1) / np.sqrt(np.sum(1 / np.square(room.size_m)))
    cut = min(round(complete_m / room.speed_of_sound_m_s * sample_rate), responses.shape[-1])
    match = min(round(TAIL_MATCH_S * sample_rate), cut)
    level = np.sqrt(np.mean(responses[..., cut - match : cut] ** 2, axis=-1, keepdims=True))
    time_s = (np.arange(round(rt60_s * sample_rate)) + match / 2) / sample_rate
    tail = level * rng.standard_normal((*responses.shape[:-1], len(time_s))) * 10 ** (-3 * time_s / rt60_s)
    return np.concatenate([responses[..., :cut], tail], axis=-1)


def measured_rt60(responses: Float[np.ndarray, "mic tap"], sample_rate: float) -> float:
    """Median reverberation time (s) of these responses, from 30 dB of their decay (Schroeder's backward integration)."""
    energy = np.cumsum(np.square(responses[:, ::-1]), axis=1)[:, ::-1]
    decay_db = 10 * np.log10(energy / energy[:, :1] + 1e-12)
    first, last = (np.argmax(decay_db <= level, axis=1) for level in DECAY_DB)
    return float(np.median(2 * (last - first) / sample_rate))


def reverberation_s(room: RoomConfig) -> float:
    """The reverberation time asked for, or Sabine's."""
    return sabine_rt60(room) if room.rt60_s is None else room.rt60_s


def wall_absorption(room: RoomConfig) -> float:
    """The absorption asked for, or the one that gives Sabine's room its reverberation time; 1 in an anechoic room."""
    if room.absorption is not None:
        return room.absorption
    if room.rt60_s == 0:
        return 1.0
    absorption = sabine_rt60(replace(room, rt60_s=None, absorption=1.0)) / reverberation_s(room)
    if absorption > 1:
        raise SceneError(
            f"no walls give a room of {room.size_m} m {room.rt60_s} s of reverberation: "
            f"absorbing all, they still give it {absorption * reverberation_s(room):.2f} s"
        )
    return absorption


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


def _padded(each: Sequence[np.ndarray]) -> Float[np.ndarray, "mic source tap"]:
    longest = max(responses.shape[1] for responses in each)
    return np.stack([np.pad(responses, ((0, 0), (0, longest - responses.shape[1]))) for responses in each], axis=1)
