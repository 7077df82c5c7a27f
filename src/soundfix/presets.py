"""Ready-made worlds: the LuViRA studio's twin, and random rooms. Each call draws one scene."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float

from soundfix import sounds
from soundfix.errors import SceneError
from soundfix.scene import Microphones, Scene
from soundfix.simulate import RoomConfig, simulate

# The 11 microphones of the LuViRA data set (m), moved from its motion-capture origin into a box with corner (0, 0, 0).
LUVIRA_ORIGIN_M = (3.70, 4.53, 0.0)
LUVIRA_SIZE_M = (7.2, 8.0, 2.8)
LUVIRA_POSITIONS_M = (
    (2.44654, 1.73981, 1.15366),
    (2.87814, -0.64852, 1.04743),
    (1.32796, -3.13323, 1.56532),
    (-1.05590, -3.54572, 1.10822),
    (-3.07651, -0.05903, 1.37150),
    (-2.41190, 2.47719, 1.54504),
    (2.22765, -0.75627, 0.21350),
    (1.78977, -2.37611, 0.20472),
    (0.05017, -3.35889, 0.21266),
    (-1.92065, -2.82050, 0.14431),
    (-2.92366, 0.71836, 0.14705),
)
WALL_GAP_M = 0.5  # no source nearer to a wall than this
LEAD_IN_S = 0.3  # sound before the window begins, so that it starts in the middle of the reverberation

Sound = Callable[[float, float, np.random.Generator], Float[np.ndarray, "time"]]  # duration, rate, rng -> dry sound


def draw_scene(
    preset: str,
    *,
    duration_s: float,
    rng: np.random.Generator,
    audio: Path | None = None,
    sample_rate: float = 16_000.0,
) -> Scene:
    """One scene of the preset ("luvira" or "room"), with sounds from a folder or, without one, made by formula."""
    if preset not in PRESETS:
        raise SceneError(f"no preset is called {preset!r}; there are {', '.join(PRESETS)}")
    sound = folder_sound(audio) if audio else built_in_sound
    return PRESETS[preset](sound, duration_s, rng, sample_rate)


def built_in_sound(duration_s: float, sample_rate: float, rng: np.random.Generator) -> Float[np.ndarray, "time"]:
    """A voice, or one time in four a melody."""
    make = sounds.melody if rng.random() < 0.25 else sounds.voice
    return make(duration_s, sample_rate=sample_rate, rng=rng)


def folder_sound(folder: Path) -> Sound:
    """Excerpts of the recordings in a folder."""
    paths = sounds.read_folder(folder)

    def draw(duration_s: float, sample_rate: float, rng: np.random.Generator) -> Float[np.ndarray, "time"]:
        return sounds.excerpt(paths[rng.integers(len(paths))], duration_s, sample_rate=sample_rate, rng=rng)

    return draw


def luvira_twin(sound: Sound, duration_s: float, rng: np.random.Generator, sample_rate: float) -> Scene:
    """The LuViRA studio: its 11 positions, T60 0.2-0.8 s, SNR 5-30 dB, a source 0.5-2.0 m high."""
    room = RoomConfig(size_m=LUVIRA_SIZE_M, rt60_s=rng.choice([0.2, 0.4, 0.6, 0.8]))
    x, y, _ = LUVIRA_SIZE_M
    source = rng.uniform([WALL_GAP_M, WALL_GAP_M, 0.5], [x - WALL_GAP_M, y - WALL_GAP_M, 2.0])
    microphones = Microphones(positions=np.array(LUVIRA_POSITIONS_M) + np.array(LUVIRA_ORIGIN_M))
    return _scene(room, source, microphones, sound, duration_s, rng.choice([5.0, 15.0, 30.0]), rng, sample_rate)


def random_room(sound: Sound, duration_s: float, rng: np.random.Generator, sample_rate: float) -> Scene:
    """A room of 3-12 x 3-12 x 2.2-4.5 m with 6-12 microphones on walls, ceiling, tables and stands."""
    size = rng.uniform([3, 3, 2.2], [12, 12, 4.5])
    room = RoomConfig(size_m=(float(size[0]), float(size[1]), float(size[2])), rt60_s=rng.uniform(0.3, 0.8))
    microphones = Microphones(positions=np.array([_place(size, rng) for _ in range(rng.integers(6, 13))]))
    source = rng.uniform(WALL_GAP_M, size - WALL_GAP_M)
    return _scene(room, source, microphones, sound, duration_s, rng.uniform(5, 30), rng, sample_rate)


def _place(size: Float[np.ndarray, "3"], rng: np.random.Generator) -> Float[np.ndarray, "3"]:
    """Somewhere a microphone would hang or stand."""
    place = rng.uniform(0.3, size - 0.3)
    kind = rng.integers(4)
    if kind == 0:
        axis = rng.integers(2)
        place[axis] = rng.choice([0.05, size[axis] - 0.05])
    elif kind == 1:
        place[2] = size[2] - 0.05
    else:
        place[2] = rng.uniform(0.7, 0.9) if kind == 2 else rng.uniform(1.0, min(2.0, size[2] - 0.3))
    return place


def _scene(
    room: RoomConfig, source: np.ndarray, microphones: Microphones, sound: Sound, duration_s: float, snr_db: float,
    rng: np.random.Generator, sample_rate: float,
) -> Scene:  # fmt: skip
    dry = sound(duration_s + LEAD_IN_S, sample_rate, rng)
    return simulate(
        room,
        sources=source[None],
        sounds=dry[None],
        microphones=microphones,
        snr_db=float(snr_db),
        rng=rng,
        sample_rate=sample_rate,
        lead_in_s=LEAD_IN_S,
    )


PRESETS = {"luvira": luvira_twin, "room": random_room}
