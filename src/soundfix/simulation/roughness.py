"""What real recordings have and a shoebox with white noise has not, each kind in a share of the scenes.

    rumble, hum, interference, fans     backgrounds.py; levels in dB of the sound's mean power
    responses                           of loudspeaker and microphones, with phase (recorders.py)
    shadow, scatterers                  obstacles.py
    array                               the whole list of positions is too large or too small
    recorder                            gain control, codecs, clocks, clipping, 8 bits (recorders.py)

A kind without a range is not there. APART holds roughness with one kind alone, in every scene: what tests tell apart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from soundfix.errors import ConfigError
from soundfix.resample import SAMPLE_RATE
from soundfix.simulation import backgrounds, obstacles, recorders
from soundfix.simulation.rooms import RoomConfig
from soundfix.simulation.talkers import Talker

Range = tuple[float, float]
Responses = list[Float[np.ndarray, "pattern mic _"]]
MOST_FANS = 3
LIMITS: Mapping[str, Range] = MappingProxyType(
    {
        "share": (0.0, 1.0),
        **dict.fromkeys(("rumble_db", "hum_db", "interference_db", "fan_db"), (-60.0, 60.0)),
        "response_db": (0.0, 30.0),
        "shadow_db": (0.0, 40.0),
        "scatterers": (0, 64),
        "array_scale": (0.0, 0.1),
    }
)


@dataclass(frozen=True, kw_only=True)
class Roughness:
    """share: of the scenes, that has each kind, whatever the others. *_db: range of the level over that of the sound.

    response_db: highest peaks and deepest dips of responses. shadow_db: range of the direct sound's loss behind the source.
    scatterers: range of their number. array_scale: largest share by which the list of positions is too large or too small.
    recorders: kinds of recorders.RECORDERS, one of which a scene has. Raises ConfigError.
    """

    share: float = 0.0
    rumble_db: Range | None = None
    hum_db: Range | None = None
    interference_db: Range | None = None
    fan_db: Range | None = None
    response_db: float = 0.0
    shadow_db: Range | None = None
    scatterers: tuple[int, int] | None = None
    array_scale: float = 0.0
    recorders: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            first, last = value if isinstance(value, tuple) else (value, value)
            if value is not None and not low <= first <= last <= high:
                raise ConfigError(f"roughness.{name}={value}, wanted {low:g} to {high:g}, the lower first")
        if strange := [kind for kind in self.recorders if kind not in recorders.RECORDERS]:
            raise ConfigError(f"roughness.recorders holds {strange[0]!r}; there are {', '.join(recorders.RECORDERS)}")


ROUGH = Roughness(
    share=0.3,
    rumble_db=(-10.0, 20.0),
    hum_db=(-20.0, 10.0),
    interference_db=(-30.0, -5.0),
    fan_db=(-20.0, -3.0),
    response_db=8.0,
    shadow_db=(0.0, 15.0),
    scatterers=(1, 16),
    array_scale=0.02,
    recorders=tuple(recorders.RECORDERS),
)
SMOOTH = Roughness()


def _alone(**kind: object) -> Roughness:
    return replace(SMOOTH, share=1.0, **kind)  # type: ignore[arg-type]


APART: Mapping[str, Roughness] = MappingProxyType(
    {
        "rumble": _alone(rumble_db=ROUGH.rumble_db),
        "hum": _alone(hum_db=ROUGH.hum_db),
        "interference": _alone(interference_db=ROUGH.interference_db),
        "fans": _alone(fan_db=ROUGH.fan_db),
        "responses": _alone(response_db=ROUGH.response_db),
        "shadow": _alone(shadow_db=ROUGH.shadow_db),
        "scatterers": _alone(scatterers=ROUGH.scatterers),
        "array scale": _alone(array_scale=ROUGH.array_scale),
        **{kind: _alone(recorders=(kind,)) for kind in recorders.RECORDERS},
    }
)


def _has(rough: Roughness, kind: object, rng: np.random.Generator) -> bool:
    return bool(kind) and rng.random() < rough.share


def obstructed(
    rough: Roughness,
    talker: Talker,
    responses: Responses,
    direct: Float[np.ndarray, "pattern mic tap"],
    room: RoomConfig,
    microphones_m: Float[np.ndarray, "mic 3"],
    rng: np.random.Generator,
) -> Responses:
    """The responses of a source that stands, its direct sound in the shadow, and that of scatterers added.

    direct: what is the direct sound in them. Whoever walks has nothing in the way.
    """
    if len(talker.places) > 1:
        return responses
    whole, source, rate = responses[0], talker.places[0], float(SAMPLE_RATE)
    if _has(rough, rough.shadow_db, rng):
        assert rough.shadow_db is not None
        depth_db = rng.uniform(*rough.shadow_db)
        dark = obstacles.shadowed(direct, source, microphones_m, shadow_db=depth_db, rate=rate, rng=rng)
        whole = _added(whole, dark - direct)
    if _has(rough, rough.scatterers, rng):
        assert rough.scatterers is not None
        low, high = rough.scatterers
        some = obstacles.scattered(
            source, microphones_m, np.array(room.size_m), count=int(rng.integers(low, high + 1)),
            speed_m_s=room.speed_of_sound_m_s, rate=rate, rng=rng,
        )  # fmt: skip
        whole = _added(whole, some[None])
    return [whole]


def _added(whole: np.ndarray, more: np.ndarray) -> np.ndarray:
    """More in the first pattern, or in all that it has."""
    length = max(whole.shape[-1], more.shape[-1])
    both = np.pad(whole, ((0, 0), (0, 0), (0, length - whole.shape[-1])))
    both[: len(more), :, : more.shape[-1]] += more
    return both


def background(
    rough: Roughness,
    clean: Float[np.ndarray, "mic time"],
    microphones_m: Float[np.ndarray, "mic 3"],
    speed_m_s: float,
    play: Callable[[Float[np.ndarray, "time"]], Float[np.ndarray, "mic time"]],
    rng: np.random.Generator,
) -> Float[np.ndarray, "mic time"]:
    """All that sounds beside, at its level over the clean sound's. play: a dry sound through the room, from somewhere."""
    microphones, count = clean.shape
    rate, level = float(SAMPLE_RATE), float(np.sqrt(np.mean(np.square(clean))))
    total = np.zeros_like(clean)

    def add(sound: np.ndarray, levels_db: Range | None) -> None:
        assert levels_db is not None
        rms = np.sqrt(np.mean(np.square(sound))) + 1e-12
        np.add(total, sound * (level / rms * 10 ** (rng.uniform(*levels_db) / 20)), out=total, casting="unsafe")

    if _has(rough, rough.rumble_db, rng):
        add(backgrounds.rumble(microphones_m, count, speed_m_s=speed_m_s, rate=rate, rng=rng), rough.rumble_db)
    if _has(rough, rough.hum_db, rng):
        add(backgrounds.hum(microphones, count, rate=rate, rng=rng), rough.hum_db)
    if _has(rough, rough.interference_db, rng):
        add(backgrounds.interference(microphones, count, rate=rate, rng=rng), rough.interference_db)
    if _has(rough, rough.fan_db, rng):
        for _ in range(rng.integers(1, MOST_FANS + 1)):
            add(play(backgrounds.fan(count + round(0.5 * SAMPLE_RATE), rate=rate, rng=rng))[:, -count:], rough.fan_db)
    return total


def radiated_by_loudspeaker(
    rough: Roughness, sound: Float[np.ndarray, "time"], rng: np.random.Generator
) -> Float[np.ndarray, "time"]:
    """The dry sound as a loudspeaker gives it."""
    if not _has(rough, rough.response_db, rng):
        return sound
    return recorders.coloured(sound[None], peaks_db=rough.response_db, rate=float(SAMPLE_RATE), rng=rng)[0]


def recorded(
    rough: Roughness, audio: Float[np.ndarray, "mic time"], rng: np.random.Generator
) -> Float[np.ndarray, "mic time"]:
    """Through every microphone's response."""
    if not _has(rough, rough.response_db, rng):
        return audio
    return recorders.coloured(audio, peaks_db=rough.response_db / 2, rate=float(SAMPLE_RATE), rng=rng)


def kept(
    rough: Roughness, audio: Float[np.ndarray, "mic time"], rng: np.random.Generator
) -> Float[np.ndarray, "mic time"]:
    """What the recorder makes of it."""
    if not _has(rough, rough.recorders, rng):
        return audio
    kind = str(rng.choice(rough.recorders))
    return recorders.RECORDERS[kind](audio, rate=float(SAMPLE_RATE), rng=rng)


def scaled_list(
    rough: Roughness, listed_m: Float[np.ndarray, "mic 3"], rng: np.random.Generator
) -> Float[np.ndarray, "mic 3"]:
    """The list of positions, too large or too small about its middle."""
    if not _has(rough, rough.array_scale, rng):
        return listed_m
    middle = np.nanmean(listed_m, axis=0)
    return middle + (1 + rng.uniform(-rough.array_scale, rough.array_scale)) * (listed_m - middle)
