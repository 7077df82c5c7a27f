"""Worlds: distributions of scenes to train and test on. Each draw is a room, microphones, sounds, noise, and the truth.

    scene = draw_world(LUVIRA_TWIN, BuiltInSounds(), np.random.default_rng(0))

A pair of numbers is a range to draw from evenly, a share the probability that a scene has something. The scene says what
an installer would know: a list of positions that may be off, the usual speed of sound. What truly was is in its truth.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np
from jaxtyping import Float

from soundfix.errors import ConfigError
from soundfix.microphones import Microphones
from soundfix.physics import NOMINAL_SPEED_M_S
from soundfix.resample import SAMPLE_RATE
from soundfix.scene import Scene, Track, Truth
from soundfix.simulation import placement, roughness, talkers
from soundfix.simulation.diffuse import diffuse_noise
from soundfix.simulation.faults import KINDS, Fault, break_scene, with_true_positions
from soundfix.simulation.rooms import IMAGE_ORDER, RoomConfig, measured_rt60, radiated, sabine_rt60
from soundfix.simulation.roughness import ROUGH, SMOOTH, Roughness
from soundfix.simulation.soundbank import Sounds, draw_kind
from soundfix.simulation.studio import LUVIRA_ORIGIN_M, LUVIRA_POSITIONS_M, LUVIRA_SIZE_M
from soundfix.simulation.synthesis import SYNTHESIZED
from soundfix.simulation.tails import prolonged, read_tails

LEVELS_DB = (-3.0, 3.0)  # of sources that sound at once
LEAST_SOUND, LEAST_KNOWN = 3, 4  # microphones that no fault and no missing position takes away
FAN_ORDER = 6  # images of a fan up to this; the rest of its reverberation is noise
LEAD_IN_S = 0.3  # sound before a scene begins, so that it starts in the middle of the reverberation
Point = tuple[float, float, float]
Range = tuple[float, float]
Count = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class World:
    """What scenes are drawn from. Raises ConfigError where a range is empty or a number cannot be."""

    size_m: Point | None = None  # of the room; None: each scene its own, of 3-12 x 3-12 x 2.2-4.5 m
    largest_m: Point = placement.LARGEST_ROOM_M  # ... or up to so much
    share_small: float = 0.0  # of scenes that draw their own array, where it takes up a part of the room alone
    origin_m: Point = (0.0, 0.0, 0.0)  # its lowest corner, in the coordinates of scenes and of positions_m
    positions_m: tuple[Point, ...] = ()  # of the microphones; none: each scene its own
    names: tuple[str, ...] = ()  # of those; none: mic1, mic2 ...
    microphones: Count = (
        4,
        16,
    )  # so many where there are no positions_m: on walls, below the ceiling, on tables and stands
    duration_s: float = 2.0
    image_order: int = IMAGE_ORDER
    rt60_s: Range = (0.2, 0.8)  # asked for; truth holds the measured one. Shorter than any walls give: anechoic
    snr_db: Range = (5.0, 30.0)  # mean power of the reverberant sound over that of the noise
    peak: Range = (0.1, 0.9)  # largest sample, in dB evenly
    sources: Count = (1, 1)  # at once
    source_height_m: Range = (0.5, 2.0)
    source_reach_m: float = 100.0  # no source further from the box round the microphones
    sound_shares: dict[str, float] = field(default_factory=dict)  # kind -> weight; empty: all kinds equally often
    share_synthesized: float = 0.0  # each source: a sound by formula, such as a bird or an engine (synthesis.py)
    share_diffuse: float = 0.0  # spherically isotropic noise; the other scenes: white, independent at every microphone
    tails: str = ""  # file of measured late reverberation that is laid over that of the room (tails.py); none without
    share_directional: float = 0.0  # each source: a mouth that faces somewhere; the others: alike to all sides
    share_moving: float = 0.0  # each source: a straight line or an arc
    moving_m_s: Range = (0.3, 1.5)
    roams: bool = False  # who moves goes from place to place instead, all through the room, up and down
    position_sigma_m: Range = (0.0, 0.0)  # standard error of the list of positions, along each axis; drawn for a scene
    share_undeclared: float = 0.0  # scenes whose list says that it is exact, whatever it is
    gain_db: float = 0.0  # each microphone's amplifier: plus or minus up to this
    speed_spread: float = 0.0  # the true speed of sound: 343 m/s plus or minus up to this share
    unknown_positions: Count = (0, 0)  # microphones not in the list; four at least stay
    share_faulty: float = 0.0  # scenes with faults (see faults.py), each of another microphone
    faults: Count = (1, 3)  # how many; three microphones at least stay sound
    fault_kinds: tuple[str, ...] = (
        "dead", "noisy", "clipped", "nan", "dc", "inverted", "late", "swapped", "moved"
    )  # fmt: skip
    roughness: Roughness = SMOOTH  # what real recordings have besides (roughness.py)

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            first, last = value if isinstance(value, tuple) else (value, value)
            if not low <= first <= last <= high:
                raise ConfigError(f"{name}={value}, wanted {low:g} to {high:g}, the lower first")
        if any(largest < least for largest, least in zip(self.largest_m, placement.LEAST_ROOM_M, strict=True)):
            raise ConfigError(f"largest_m={self.largest_m}, wanted {placement.LEAST_ROOM_M} m or more")
        if self.size_m is None and (self.positions_m or any(self.origin_m)):
            raise ConfigError("positions_m or origin_m without size_m: how large is their room?")
        if 0 < len(self.positions_m) < LEAST_KNOWN:
            raise ConfigError(f"{len(self.positions_m)} microphones, wanted {LEAST_KNOWN} or more")
        if self.names and len(self.names) != len(self.positions_m):
            raise ConfigError(f"{len(self.names)} names for {len(self.positions_m)} positions_m")
        if strange := [kind for kind in self.fault_kinds if kind not in KINDS]:
            raise ConfigError(f"fault_kinds holds {strange[0]!r}; there are {', '.join(KINDS)}")
        if any(not 0 < weight < np.inf for weight in self.sound_shares.values()):
            raise ConfigError(f"sound_shares={self.sound_shares}: wanted weights above 0; leave out what is not wanted")


LIMITS: dict[str, tuple[float, float]] = {
    "microphones": (4, 64),
    "duration_s": (0.25, 60.0),
    "image_order": (0, 60),
    "rt60_s": (0.0, 3.0),
    "snr_db": (-30.0, 100.0),
    "peak": (1e-3, 1.0),
    "sources": (1, 5),
    "source_height_m": (0.0, 10.0),
    "source_reach_m": (0.0, 100.0),
    "moving_m_s": (0.01, 10.0),
    "position_sigma_m": (0.0, 1.0),
    "gain_db": (0.0, 60.0),
    "speed_spread": (0.0, 0.1),
    "unknown_positions": (0, 64),
    "faults": (1, 64),
    **{each.name: (0.0, 1.0) for each in fields(World) if each.name.startswith("share_")},
}

CLEAN_ROOMS = World()
LUVIRA_TWIN = World(
    size_m=LUVIRA_SIZE_M,
    positions_m=tuple(
        (x + LUVIRA_ORIGIN_M[0], y + LUVIRA_ORIGIN_M[1], z + LUVIRA_ORIGIN_M[2]) for x, y, z in LUVIRA_POSITIONS_M
    ),
)
LUVIRA_LIKE = replace(  # as the recordings are: who sounds goes about where motion capture sees it
    LUVIRA_TWIN,
    rt60_s=(0.3, 0.4),
    snr_db=(15.0, 30.0),
    source_height_m=(0.3, 1.6),
    source_reach_m=0.0,
    share_moving=1.0,
    roams=True,
    moving_m_s=(0.1, 0.8),
)
LUVIRA_HARD = replace(
    LUVIRA_TWIN,
    share_diffuse=0.5,
    share_directional=0.5,
    position_sigma_m=(0.02, 0.02),
    gain_db=6.0,
    speed_spread=0.01,
)
RANDOM_ROOMS = World(
    rt60_s=(0.0, 1.0),
    snr_db=(0.0, 30.0),
    sources=(1, 3),
    share_diffuse=0.5,
    share_directional=0.5,
    share_moving=0.2,
    position_sigma_m=(0.0, 0.05),
    gain_db=6.0,
    speed_spread=0.01,
    unknown_positions=(0, 2),
    share_faulty=0.3,
)
ROUGH_ROOMS = World(
    largest_m=(18.0, 14.0, 6.0),
    share_small=0.5,
    rt60_s=(0.1, 0.9),
    snr_db=(5.0, 30.0),
    source_height_m=(0.1, 2.0),
    source_reach_m=1.0,
    share_synthesized=0.6,
    share_diffuse=0.5,
    share_directional=0.6,
    position_sigma_m=(0.0, 0.06),
    share_undeclared=0.5,
    gain_db=10.0,
    speed_spread=0.02,
    roughness=ROUGH,
)
WORLDS: Mapping[str, World] = {
    "clean-rooms": CLEAN_ROOMS,
    "random-rooms": RANDOM_ROOMS,
    "rough-rooms": ROUGH_ROOMS,
    "luvira-twin": LUVIRA_TWIN,
    "luvira-like": LUVIRA_LIKE,
    "luvira-hard": LUVIRA_HARD,
}


def world_named(name: str) -> World:
    """One of WORLDS, or a ConfigError that names them."""
    if name not in WORLDS:
        raise ConfigError(f"no world is called {name!r}; there are {', '.join(WORLDS)}")
    return WORLDS[name]


def draw_world(world: World, sounds: Sounds, rng: np.random.Generator) -> Scene:
    """One scene, 16 kHz; the same for the same state of rng."""
    room = _room(world, rng)
    places = _microphones(world, room, rng)
    sources = _sources(world, room, places, sounds, rng)
    clean, rt60_s = _clean(world, room, sources, places, rng)
    snr_db = float(rng.uniform(*world.snr_db))
    audio = clean + _noise(world, clean, snr_db, places, room.speed_of_sound_m_s, rng)
    noises, fans = _background(world, clean, room, places, rng)
    audio = roughness.recorded(world.roughness, audio + noises, rng)
    gains_db = rng.uniform(-world.gain_db, world.gain_db, len(places))
    audio *= (10 ** (gains_db / 20)).astype(np.float32)[:, None]
    audio = roughness.kept(world.roughness, audio, rng)
    audio *= _peak(world, rng) / np.abs(audio).max()
    scene = Scene(
        audio=audio,
        sample_rate=SAMPLE_RATE,
        microphones=_listed(world, places, rng),
        room=room.box,
        speed_of_sound_m_s=NOMINAL_SPEED_M_S,
        truth=Truth(
            **_whereabouts(world, sources),
            rt60_s=rt60_s,
            snr_db=snr_db,
            speed_of_sound_m_s=room.speed_of_sound_m_s if world.speed_spread else None,
            gains_db=gains_db if world.gain_db else None,
            beside=fans,
        ),
    )
    whole = _broken(world, with_true_positions(scene, places), rng)
    return _moved(whole, np.array(world.origin_m))


def _room(world: World, rng: np.random.Generator) -> RoomConfig:
    size_m = world.size_m or placement.random_size(rng, world.largest_m)
    speed = NOMINAL_SPEED_M_S * (1 + rng.uniform(-world.speed_spread, world.speed_spread))
    room = RoomConfig(size_m=size_m, absorption=1.0, image_order=world.image_order, speed_of_sound_m_s=speed)
    rt60_s = float(rng.uniform(*world.rt60_s))
    return replace(room, absorption=None, rt60_s=rt60_s if rt60_s > sabine_rt60(room) else 0.0)


def _microphones(world: World, room: RoomConfig, rng: np.random.Generator) -> Float[np.ndarray, "mic 3"]:
    """Where they truly stand, from the lowest corner."""
    if world.positions_m:
        return np.array(world.positions_m) - np.array(world.origin_m)
    count, size_m = _count(world.microphones, rng), np.array(room.size_m)
    if world.share_small and rng.random() < world.share_small:
        return placement.small_array(size_m, count, rng)
    return placement.random_microphones(size_m, count, rng)


def _sources(
    world: World, room: RoomConfig, microphones: np.ndarray, sounds: Sounds, rng: np.random.Generator
) -> list[talkers.Talker]:
    """They sound, and walk, from LEAD_IN_S before the scene, so that it begins in the middle of the reverberation."""
    found: list[talkers.Talker] = []
    duration_s = LEAD_IN_S + world.duration_s
    for _ in range(_count(world.sources, rng)):
        taken = np.concatenate([other.places for other in found] or [np.zeros((0, 3))])
        walk = placement.random_walk(
            np.array(room.size_m),
            (microphones, taken),
            heights_m=world.source_height_m,
            speed_m_s=world.moving_m_s if rng.random() < world.share_moving else None,
            duration_s=duration_s,
            rng=rng,
            roams=world.roams,
            reach_m=world.source_reach_m,
        )
        sound = radiated(_dry(world, sounds, duration_s, rng), SAMPLE_RATE)
        sound = roughness.radiated_by_loudspeaker(world.roughness, sound, rng)
        level = 10 ** (rng.uniform(*LEVELS_DB) / 20) / np.sqrt(np.mean(np.square(sound)))
        facing = _facing(rng) if rng.random() < world.share_directional else None
        found.append(talkers.Talker(sound=level * sound, places=walk.places, times_s=walk.times_s, facing=facing))
    return found


def _dry(world: World, sounds: Sounds, duration_s: float, rng: np.random.Generator) -> Float[np.ndarray, "time"]:
    """From sounds, or by formula; sound_shares say how often of each kind of what it is drawn from."""
    shares = world.sound_shares
    if world.share_synthesized and rng.random() < world.share_synthesized:
        kind = draw_kind(tuple(SYNTHESIZED), {k: w for k, w in shares.items() if k in SYNTHESIZED}, rng)
        return SYNTHESIZED[kind](duration_s, sample_rate=SAMPLE_RATE, rng=rng)
    others = {k: w for k, w in shares.items() if k not in SYNTHESIZED}
    return sounds.draw(duration_s, rng, others if world.share_synthesized else shares)


def _facing(rng: np.random.Generator) -> Float[np.ndarray, "3"]:
    """Anywhere round, up to 20 degrees up or down."""
    azimuth, elevation = rng.uniform(-np.pi, np.pi), np.deg2rad(rng.uniform(-20, 20))
    level = np.cos(elevation)
    return np.array([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)])


def _clean(
    world: World, room: RoomConfig, sources: list[talkers.Talker], microphones: np.ndarray, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "mic time"], float]:
    """What the microphones hear but the noise, and the reverberation time (s) of the first source's responses."""
    clean, rt60s_s = [], []
    for source in sources:
        responses = talkers.responses_of(source, room, microphones, sample_rate=SAMPLE_RATE, rng=rng)
        rt60s_s.append(measured_rt60(responses[0][0], SAMPLE_RATE))
        if world.roughness.share:
            direct = talkers.direct_responses(source, room, microphones, sample_rate=SAMPLE_RATE)
            responses = roughness.obstructed(world.roughness, source, responses, direct, room, microphones, rng)
        clean.append(talkers.heard(source, responses, room, microphones, sample_rate=SAMPLE_RATE))
    whole = sum(clean[1:], start=clean[0])
    if world.tails:
        whole = prolonged(whole, read_tails(world.tails, SAMPLE_RATE), rng)
    return whole[:, round(LEAD_IN_S * SAMPLE_RATE) :], rt60s_s[0]


def _noise(
    world: World, clean: np.ndarray, snr_db: float, microphones: np.ndarray, speed_m_s: float, rng: np.random.Generator
) -> Float[np.ndarray, "mic time"]:
    if rng.random() < world.share_diffuse:
        noise = diffuse_noise(microphones, clean.shape[1], speed_m_s=speed_m_s, sample_rate=SAMPLE_RATE, rng=rng)
    else:
        noise = rng.standard_normal(clean.shape, dtype=np.float32)
    noise *= np.float32(_rms(clean) / _rms(noise) * 10 ** (-snr_db / 20))
    return noise


def _background(
    world: World, clean: np.ndarray, room: RoomConfig, microphones: np.ndarray, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "mic time"], Float[np.ndarray, "fan 3"]]:
    """Of roughness, and where its fans stand: anywhere in the room."""
    fans = []

    def play(dry: Float[np.ndarray, "time"]) -> Float[np.ndarray, "mic time"]:
        fans.append(place := rng.uniform(0.1, np.array(room.size_m) - 0.1))
        fan = talkers.Talker(sound=dry, places=place[None], times_s=np.zeros(1))
        few = replace(room, image_order=min(FAN_ORDER, world.image_order))
        responses = talkers.responses_of(fan, few, microphones, sample_rate=SAMPLE_RATE, rng=rng)
        return talkers.heard(fan, responses, few, microphones, sample_rate=SAMPLE_RATE)

    total = roughness.background(world.roughness, clean, microphones, room.speed_of_sound_m_s, play, rng)
    return total, np.reshape(fans, (-1, 3))


def _rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))


def _peak(world: World, rng: np.random.Generator) -> np.float32:
    return np.float32(np.exp(rng.uniform(*np.log(world.peak))))


def _listed(world: World, places: np.ndarray, rng: np.random.Generator) -> Microphones:
    """What the list says of them."""
    sigma_m = rng.uniform(*world.position_sigma_m)
    listed = places + sigma_m * rng.standard_normal(places.shape)
    listed = roughness.scaled_list(world.roughness, listed, rng)
    if world.share_undeclared and rng.random() < world.share_undeclared:
        sigma_m = 0.0
    unknown = min(_count(world.unknown_positions, rng), max(len(places) - LEAST_KNOWN, 0))
    listed[rng.permutation(len(places))[:unknown]] = np.nan
    return Microphones(positions=listed, sigma_m=np.full(len(places), sigma_m), names=world.names)


def _whereabouts(world: World, sources: list[talkers.Talker]) -> dict:
    """The fields `sources` and `track` of the truth."""
    middle = np.array([LEAD_IN_S + world.duration_s / 2])
    now = np.concatenate([source.at(middle) for source in sources])
    if all(len(source.places) == 1 for source in sources):
        return {"sources": now, "track": None}
    times_s = max((source.times_s for source in sources), key=len)
    places = np.stack([source.at(times_s) for source in sources], axis=1)
    return {"sources": now, "track": Track(times_s=times_s - LEAD_IN_S, places=places)}


def _broken(world: World, scene: Scene, rng: np.random.Generator) -> Scene:
    if rng.random() >= world.share_faulty or not world.fault_kinds:
        return scene
    count = min(_count(world.faults, rng), len(scene.microphones) - LEAST_SOUND)
    chosen = rng.permutation(len(scene.microphones))[:count]
    return break_scene(scene, [_fault(world, scene, int(m), rng) for m in chosen], rng)


def _fault(world: World, scene: Scene, m: int, rng: np.random.Generator) -> Fault:
    """One of the world's kinds; what has no position cannot be moved, and is dead instead."""
    kind = str(rng.choice(world.fault_kinds))
    is_movable = bool(scene.microphones.is_known[m])
    return Fault("dead" if kind == "moved" and not is_movable else kind, scene.microphones.names[m])


def _moved(scene: Scene, by_m: Float[np.ndarray, "3"]) -> Scene:
    """The same scene in coordinates whose origin lies at -by_m."""
    truth = scene.truth
    assert truth is not None
    track = truth.track and replace(truth.track, places=truth.track.places + by_m)
    positions = None if truth.positions is None else truth.positions + by_m
    sources, beside = truth.sources + by_m, truth.beside + by_m
    (x0, y0, z0), (x1, y1, z1) = (np.array(scene.room) + by_m).tolist()
    return replace(
        scene,
        microphones=replace(scene.microphones, positions=scene.microphones.border_positions() + by_m),
        room=((x0, y0, z0), (x1, y1, z1)),
        truth=replace(truth, sources=sources, beside=beside, positions=positions, track=track),
    )


def _count(limits: Count, rng: np.random.Generator) -> int:
    return int(rng.integers(limits[0], limits[1] + 1))
