"""Sound outdoors: spreading, air that swallows what is high, ground, foliage, wind; recorders with clocks and coordinates
of their own.

A recorder hears the direct sound, its reflection from the ground, and what leaves and trunks scatter: a decaying tail of
independent noise after the direct sound. Air takes what ISO 9613-1 says at the temperature of the day. Wind blows at every
microphone by itself; far sounds come from everywhere. The list is what a GPS receiver said, the clocks are good to about a
millisecond: what is truly so is the truth's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.signal import butter, sosfilt

from soundfix import physics
from soundfix.microphones import Microphones
from soundfix.scene import Scene, Truth
from soundfix.simulation.diffuse import diffuse_noise

RATE_HZ = 16_000.0
TAIL_S, TAIL_DB = 0.1, (-20.0, -8.0)  # of scattered sound: its decay by 60 dB takes so long or twice as long; its level
WIND_HZ = 300.0  # above which wind falls off by 12 dB an octave
HEIGHT_M = 1.5  # of recorders on their trees
HUMIDITY = 60.0  # per cent
HISS = 0.25  # power of the recorders' own noise; that of far sounds, in no wind, is 1
PIECE_S = 1.5  # beside a song in a longer recording, at least: sound crosses 500 m, less what clocks are off
PAD_S = 0.1  # of silence before a sound can be heard anywhere


@dataclass(frozen=True, kw_only=True)
class Wood:
    """A grid of recorders, and what is not as it was written down.

    rows, columns, spacing_m: of the grid. rough_m: how far recorders stand from its points, and the ground is from level.
    snr_db: mean power of a song at all recorders, while it lasts, over all noise in its band. height_m: of singers over the
    ground, from, to. gps_m: standard error of every listed coordinate; clock_s: of every clock. temperature_c: of the air,
    degrees; told_c: what the list says. wind: its share of the noise's power; the rest comes from everywhere alike.
    blows_m_s: where to it carries sound, x and y, everywhere alike.
    """

    rows: int = 3
    columns: int = 3
    spacing_m: float = 40.0
    rough_m: float = 2.0
    snr_db: float = 20.0
    height_m: tuple[float, float] = (2.0, 12.0)
    gps_m: float = 0.0
    clock_s: float = 1e-4
    temperature_c: float = 15.0
    told_c: float | None = 15.0
    wind: float = 0.5
    scatter: bool = True
    blows_m_s: tuple[float, float] = (0.0, 0.0)


def draw_recorders(wood: Wood, rng: np.random.Generator) -> Float[np.ndarray, "mic 3"]:
    """Where recorders truly stand (m)."""
    x, y = np.meshgrid(np.arange(wood.columns) * wood.spacing_m, np.arange(wood.rows) * wood.spacing_m)
    level = np.stack([x.ravel(), y.ravel(), np.full(x.size, HEIGHT_M)], axis=1)
    return level + wood.rough_m * rng.uniform(-1, 1, level.shape)


def draw_singer(places: Float[np.ndarray, "mic 3"], wood: Wood, rng: np.random.Generator) -> Float[np.ndarray, "3"]:
    """Where something sings (m): anywhere among the recorders, above the ground."""
    low, high = places.min(axis=0), places.max(axis=0)
    ground = places[:, 2].mean() - HEIGHT_M
    return np.append(rng.uniform(low[:2], high[:2]), ground + rng.uniform(*wood.height_m))


def record(
    wood: Wood,
    song: Float[np.ndarray, "time"],
    places: Float[np.ndarray, "mic 3"],
    singer: Float[np.ndarray, "3"],
    rng: np.random.Generator,
    *,
    duration_s: float,
    band_hz: tuple[float, float] = (1500.0, 7500.0),
) -> Scene:
    """One song (at RATE_HZ) in the middle of so many seconds, as the recorders took it down. band_hz: where the level of
    noise is that of the song less snr_db."""
    speed_m_s = physics.speed_of_sound(wood.temperature_c)
    clocks_s = wood.clock_s * rng.standard_normal(len(places))
    count = round(duration_s * RATE_HZ)
    begins_s = max(PAD_S, (duration_s - len(song) / RATE_HZ) / 2 - 0.5 * np.ptp(places, axis=0).max() / speed_m_s)
    ground_m = float(places[:, 2].mean()) - HEIGHT_M
    clean = np.stack([
        heard(song, singer, place, ground_m, wood, begins_s + late_s, count, rng)
        for place, late_s in zip(places, clocks_s, strict=True)
    ])  # fmt: skip
    noise = _noise(wood, places, count, speed_m_s, rng)
    lasting = len(song) / count
    level = _rms(_in_band(clean, band_hz)) / lasting**0.5 * 10 ** (-wood.snr_db / 20)
    audio = clean + noise * level / _rms(_in_band(noise, band_hz))
    return Scene(
        audio=(0.5 * audio / np.abs(audio).max()).astype(np.float32),
        sample_rate=RATE_HZ,
        microphones=Microphones(positions=places + wood.gps_m * rng.standard_normal(places.shape)),
        temperature_c=wood.told_c,
        truth=Truth(sources=singer[None], positions=places, snr_db=wood.snr_db, speed_of_sound_m_s=speed_m_s),
    )


def record_songs(
    wood: Wood,
    songs: Sequence[tuple[float, Float[np.ndarray, "time"], Float[np.ndarray, "3"]]],
    places: Float[np.ndarray, "mic 3"],
    late_s: Float[np.ndarray, "mic"],
    rng: np.random.Generator,
    *,
    duration_s: float,
    band_hz: tuple[float, float] = (1500.0, 7500.0),
) -> Scene:
    """A longer recording of several songs, by recorders whose clocks are late by late_s (s), the same all along.

    songs: when each begins (s), its sound (at RATE_HZ), and where the singer is (m). The level of noise is snr_db below the
    mean power of all songs while they last. The truth's sources are the singers, (K, 3).
    """
    speed_m_s, count = physics.speed_of_sound(wood.temperature_c), round(duration_s * RATE_HZ)
    ground_m = float(places[:, 2].mean()) - HEIGHT_M
    clean = np.zeros((len(places), count))
    for begins_s, song, singer in songs:
        piece_s = max(PIECE_S, float(physics.distances(singer, places).max()) / speed_m_s + PAD_S + 0.2)
        size = min(count - int(begins_s * RATE_HZ), len(song) + round(piece_s * RATE_HZ))
        first = int((begins_s - PAD_S) * RATE_HZ)
        for m, (place, late) in enumerate(zip(places, late_s, strict=True)):
            clean[m, first : first + size] += heard(song, singer, place, ground_m, wood, PAD_S + late, size, rng)
    noise = _noise(wood, places, count, speed_m_s, rng)
    lasting = sum(len(song) for _, song, _ in songs) / count
    level = _rms(_in_band(clean, band_hz)) / lasting**0.5 * 10 ** (-wood.snr_db / 20)
    audio = clean + noise * level / _rms(_in_band(noise, band_hz))
    singers = np.array([singer for _, _, singer in songs])
    return Scene(
        audio=(0.5 * audio / np.abs(audio).max()).astype(np.float32),
        sample_rate=RATE_HZ,
        microphones=Microphones(positions=places + wood.gps_m * rng.standard_normal(places.shape)),
        temperature_c=wood.told_c,
        truth=Truth(sources=singers, positions=places, snr_db=wood.snr_db, speed_of_sound_m_s=speed_m_s),
    )


def heard(
    song: Float[np.ndarray, "time"], singer: Float[np.ndarray, "3"], place: Float[np.ndarray, "3"], ground_m: float,
    wood: Wood, begins_s: float, count: int, rng: np.random.Generator,
) -> Float[np.ndarray, "{count}"]:  # fmt: skip
    """The song at one place, without noise: direct, from the ground, and from all that stands about."""
    below = np.array([singer[0], singer[1], 2 * ground_m - singer[2]])
    size = 2 * count
    frequencies_hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    with_wind_m_s = float((place - singer)[:2] @ wood.blows_m_s) / max(float(np.linalg.norm(place - singer)), 1e-9)
    direct = _path(frequencies_hz, physics.distances(singer, place[None])[0], wood, with_wind_m_s)
    softness = rng.uniform(0.2, 0.6)  # of what the ground gives back
    mirrored = softness * _path(frequencies_hz, physics.distances(below, place[None])[0], wood, with_wind_m_s)
    scattered = direct * np.fft.rfft(_tail(rng), size) if wood.scatter else 0.0
    spectrum = np.fft.rfft(song, size) * np.exp(-2j * np.pi * frequencies_hz * begins_s)
    return np.fft.irfft(spectrum * (direct - mirrored + scattered), size)[:count]


def absorption_db_m(
    frequency_hz: Float[np.ndarray, "freq"], temperature_c: float, humidity: float = HUMIDITY
) -> Float[np.ndarray, "freq"]:
    """What a metre of air takes (dB), at normal pressure; humidity in per cent (ISO 9613-1:1993, equations 3 to 5)."""
    kelvin = temperature_c + 273.15
    warmth = kelvin / 293.15
    vapour = humidity * 10 ** (-6.8346 * (273.16 / kelvin) ** 1.261 + 4.6151)
    oxygen_hz = 24 + 4.04e4 * vapour * (0.02 + vapour) / (0.391 + vapour)
    nitrogen_hz = warmth**-0.5 * (9 + 280 * vapour * np.exp(-4.170 * (warmth ** (-1 / 3) - 1)))
    squared = np.square(frequency_hz)
    oxygen = 0.01275 * np.exp(-2239.1 / kelvin) / (oxygen_hz + squared / oxygen_hz)
    nitrogen = 0.1068 * np.exp(-3352.0 / kelvin) / (nitrogen_hz + squared / nitrogen_hz)
    return 8.686 * squared * (1.84e-11 * warmth**0.5 + warmth**-2.5 * (oxygen + nitrogen))


def _path(frequencies_hz: np.ndarray, metres: float, wood: Wood, with_wind_m_s: float) -> np.ndarray:
    """Spreading, absorption and delay; the wind carries sound along the path by so much."""
    taken = 10 ** (-absorption_db_m(frequencies_hz, wood.temperature_c) * metres / 20)
    delay_s = metres / (physics.speed_of_sound(wood.temperature_c) + with_wind_m_s)
    return taken / max(metres, 1.0) * np.exp(-2j * np.pi * frequencies_hz * delay_s)


def _tail(rng: np.random.Generator) -> np.ndarray:
    """Scattered sound after a direct one of 1."""
    length_s = TAIL_S * rng.uniform(1, 2)
    time_s = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    tail = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / length_s)
    return tail / np.linalg.norm(tail) * 10 ** (rng.uniform(*TAIL_DB) / 20)


def _noise(
    wood: Wood, places: Float[np.ndarray, "mic 3"], count: int, speed_m_s: float, rng: np.random.Generator
) -> Float[np.ndarray, "mic {count}"]:
    """Wind in the microphones, far sounds, and the recorders' own hiss."""
    gusts = sosfilt(butter(2, WIND_HZ, fs=RATE_HZ, output="sos"), rng.standard_normal((len(places), count)), axis=1)
    far = diffuse_noise(places, count, speed_m_s=speed_m_s, sample_rate=RATE_HZ, rng=rng)
    hiss = rng.standard_normal((len(places), count))
    shares = (10 * wood.wind, 1 - wood.wind, HISS)
    return np.sum(
        [share**0.5 * each / _rms(each) for share, each in zip(shares, (gusts, far, hiss), strict=True)], axis=0
    )


def _rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))


def _in_band(sound: np.ndarray, band_hz: tuple[float, float]) -> np.ndarray:
    return sosfilt(butter(2, band_hz, "bandpass", fs=RATE_HZ, output="sos"), sound, axis=-1)


def told(scene: Scene, *, position_sigma_m: float) -> Scene:
    """The scene whose list says how good its positions are."""
    sigma_m = np.full(len(scene.microphones), position_sigma_m)
    return replace(scene, microphones=replace(scene.microphones, sigma_m=sigma_m))
