"""What microphones in a shoebox hear of a talker who faces somewhere, or walks.

A mouth radiates low frequencies to all sides and high ones ahead: a share p(f) of the sound goes everywhere, the rest like
the cosine of the angle to where it faces. p falls from 1 (omnidirectional) to 1/2 (a cardioid) around 1 kHz.

The direct sound of who walks is exact: a microphone hears at t what left at t' with t' + d(t') / c = t, Doppler and all. The
reverberation is that of standing talkers REST_HOP_S apart on the path, cross-faded by when the sound left.
Axes: P patterns (everywhere, and the figure of eight of a talker who faces somewhere), M microphones, T samples.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import resample_poly

from soundfix.simulation import shoebox
from soundfix.simulation.rooms import RoomConfig, image_order, wall_absorption, with_tail

HALFWAY_HZ = 1000.0  # p = 3/4 here; at 2 kHz 0.53, at 500 Hz 0.97
STEEPNESS = 4
REST_HOP_S = 0.25  # at 1.5 m/s 0.4 m: reflections move on by fading, the direct sound by itself
PATH_STEP_S = 1e-3  # between which distances are taken to change linearly
FINER = 8  # times as fine a grid to read the direct sound from


@dataclass(frozen=True, kw_only=True, eq=False)
class Talker:
    """A dry sound, and where it comes from: one place, or places at times_s (from the start of the sound), joined by lines.

    Places and lengths in metres from the lowest corner of the room. facing: a unit vector; None: alike to all sides.
    """

    sound: Float[np.ndarray, "time"]
    places: Float[np.ndarray, "knot 3"]
    times_s: Float[np.ndarray, "knot"]
    facing: Float[np.ndarray, "3"] | None = None

    def at(self, time_s: Float[np.ndarray, "instant"]) -> Float[np.ndarray, "instant 3"]:
        """Where it is then."""
        return np.stack([np.interp(time_s, self.times_s, along) for along in self.places.T], axis=1)


def responses_of(
    talker: Talker,
    room: RoomConfig,
    microphones: Float[np.ndarray, "mic 3"],
    *,
    sample_rate: float,
    rng: np.random.Generator,
) -> list[Float[np.ndarray, "pattern mic _"]]:
    """Impulse responses from where the talker stands, or every REST_HOP_S from where one walks is then.

    The noise that ends them is the same all along the path: it fades with the talker, and does not flicker.
    """
    tail_seed = int(rng.integers(2**63))
    order, is_whole = image_order(room)
    found = []
    for place in _stations(talker, sample_rate):
        images = _images(talker, place, room, microphones, order=order, sample_rate=sample_rate)
        tail = np.random.default_rng(tail_seed)
        found.append(images if is_whole else with_tail(images, room, order, sample_rate=sample_rate, rng=tail))
    return found


def direct_responses(
    talker: Talker, room: RoomConfig, microphones: Float[np.ndarray, "mic 3"], *, sample_rate: float
) -> Float[np.ndarray, "pattern mic tap"]:
    """The direct sound alone, from where the talker stands first."""
    return _images(talker, talker.places[0], room, microphones, order=0, sample_rate=sample_rate)


def heard(
    talker: Talker,
    responses: list[Float[np.ndarray, "pattern mic _"]],
    room: RoomConfig,
    microphones: Float[np.ndarray, "mic 3"],
    *,
    sample_rate: float,
) -> Float[np.ndarray, "mic time"]:
    """float32, as long as the sound. responses: those that `responses_of` gives."""
    voices = voices_of(talker, sample_rate)
    if len(talker.places) == 1:
        return convolved(voices, responses[0])[:, : voices.shape[1]]
    rest = [
        _less(response, _images(talker, place, room, microphones, order=0, sample_rate=sample_rate))
        for place, response in zip(_stations(talker, sample_rate), responses, strict=True)
    ]
    direct = _direct(voices, talker, microphones, speed_m_s=room.speed_of_sound_m_s, sample_rate=sample_rate)
    return direct + cross_faded(voices, rest, _rest_hop(sample_rate))


def voices_of(talker: Talker, sample_rate: float) -> Float[np.ndarray, "pattern time"]:
    """What of the sound goes into each pattern, float32."""
    sound = talker.sound.astype(np.float32)
    if talker.facing is None:
        return sound[None]
    padded = next_fast_len(2 * len(sound), real=True)
    everywhere = irfft(rfft(sound, padded) * share_everywhere(np.fft.rfftfreq(padded, 1 / sample_rate)), padded)
    everywhere = everywhere[: len(sound)].astype(np.float32)
    return np.stack([everywhere, sound - everywhere])


def share_everywhere(frequency_hz: Float[np.ndarray, "freq"]) -> Float[np.ndarray, "freq"]:
    """p(f)."""
    return 0.5 + 0.5 / (1 + (frequency_hz / HALFWAY_HZ) ** STEEPNESS)


def convolved(
    voices: Float[np.ndarray, "pattern time"], responses: Float[np.ndarray, "pattern mic tap"]
) -> Float[np.ndarray, "mic longer"]:
    """Every pattern's sound through its responses, added up; whole, with the decay after the sound."""
    length = voices.shape[-1] + responses.shape[-1] - 1
    padded = next_fast_len(length, real=True)
    spectra = rfft(responses.astype(np.float32), padded)
    spectra *= rfft(voices, padded)[:, None]
    return irfft(spectra[0] if len(spectra) == 1 else spectra.sum(axis=0), padded)[:, :length]


def cross_faded(
    voices: Float[np.ndarray, "pattern time"], responses: list[Float[np.ndarray, "pattern mic _"]], hop: int
) -> Float[np.ndarray, "mic time"]:
    """Sound that leaves n hops after the start goes through response n, between n and n + 1 hops through some of both."""
    fade = np.concatenate([np.arange(hop), np.arange(hop, 0, -1)]).astype(np.float32) / hop
    padded = np.pad(voices, ((0, 0), (hop, 2 * hop)))
    sound = np.zeros(
        (responses[0].shape[1], len(responses) * hop + hop + max(r.shape[-1] for r in responses)), np.float32
    )
    for n, response in enumerate(responses):
        part = convolved(padded[:, n * hop : (n + 2) * hop] * fade, response)
        sound[:, n * hop : n * hop + part.shape[1]] += part
    return sound[:, hop : hop + voices.shape[1]]


def _rest_hop(sample_rate: float) -> int:
    return round(REST_HOP_S * sample_rate)


def _stations(talker: Talker, sample_rate: float) -> Float[np.ndarray, "station 3"]:
    if len(talker.places) == 1:
        return talker.places
    return talker.at(REST_HOP_S * np.arange(-(-len(talker.sound) // _rest_hop(sample_rate)) + 1))


def _images(
    talker: Talker, place: np.ndarray, room: RoomConfig, microphones: np.ndarray, *, order: int, sample_rate: float
) -> Float[np.ndarray, "pattern mic tap"]:
    return shoebox.impulse_responses(
        place,
        microphones,
        size_m=np.array(room.size_m),
        absorption=wall_absorption(room),
        order=order,
        speed_m_s=room.speed_of_sound_m_s,
        sample_rate=sample_rate,
        facing=talker.facing,
    )


def _less(whole: np.ndarray, direct: np.ndarray) -> Float[np.ndarray, "pattern mic tap"]:
    rest = whole.copy()
    rest[..., : direct.shape[-1]] -= direct[..., : whole.shape[-1]]
    return rest


def _direct(
    voices: np.ndarray, talker: Talker, microphones: np.ndarray, *, speed_m_s: float, sample_rate: float
) -> Float[np.ndarray, "mic time"]:
    """s(t') / d(t'), read from a finer grid of the sound."""
    count = voices.shape[1]
    fine = resample_poly(np.pad(voices, ((0, 0), (0, 1))), FINER, 1, axis=1)
    left_s = np.arange(0, count / sample_rate + PATH_STEP_S, PATH_STEP_S)
    way = microphones[:, None] - talker.at(left_s)
    distance = np.maximum(np.linalg.norm(way, axis=-1), shoebox.NEAREST_M)
    amplitudes = [1 / distance]
    if talker.facing is not None:
        amplitudes.append(np.einsum("mki,i->mk", way, talker.facing) / distance**2)
    time_s = np.arange(count) / sample_rate
    sound = np.empty((len(microphones), count), np.float32)
    for m, arrival_s in enumerate(left_s + distance / speed_m_s):
        left = np.interp(time_s, arrival_s, left_s)
        is_there = time_s >= arrival_s[0]
        parts = [
            np.interp(left, left_s, a[m]) * _read(v, left, sample_rate) for a, v in zip(amplitudes, fine, strict=True)
        ]
        sound[m] = is_there * np.sum(parts, axis=0)
    return sound


def _read(fine: np.ndarray, time_s: np.ndarray, sample_rate: float) -> np.ndarray:
    places = np.minimum(time_s * (FINER * sample_rate), len(fine) - 1.001)
    below = places.astype(np.intp)
    return fine[below] + (places - below) * (fine[below + 1] - fine[below])
