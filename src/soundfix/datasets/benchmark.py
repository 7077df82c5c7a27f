"""Test sets by name: parts that are told apart in tables, each clip the same whenever it is asked for.

luvira-twin     simulated: the 11 microphones of LuViRA's studio in 7.2 x 8.0 x 2.8 m, T60 0.2-0.8 s; every kind of sound
                (speech, music) at 5, 15 and 30 dB of signal to noise
luvira-like     the same as the recordings are: who sounds goes about between the microphones, T60 0.3-0.4 s, 15-30 dB
luvira-hard     the twin with positions 2 cm off, gains, 1 % of the speed of sound, directional sources, diffuse noise
random-rooms    rooms and arrays never seen, with all that `luvira-hard` has, T60 0-1 s, 0-30 dB
rough-rooms     rooms and halls as rough as reality: every kind of sound with all of it at random, and every kind of
                roughness by itself (roughness.py), in otherwise exact arrays
measured        impulse responses of real rooms (a folder of .npz and .sofa), every room and kind of sound, 30 dB; positions
                are said to be good to 2 cm, as those of dEchorate are, since the files do not say
rooms-by-size, luvira-by-reverberation, luvira-wrong-lists
                one thing is varied, all else is drawn alike (varied.py)
luvira          LuViRA on disk, music3 and speech3; several sources are sums of several moments
any folder      of scenes (folder.py), as `soundfix simulate` writes them, or of LOCATA (locata.py): each clip once

Dry sounds are those of the test part: no speaker and no piece that anything was trained on. Without recordings, the built-in
ones, which have no parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from soundfix.datasets.dataset import Dataset
from soundfix.datasets.folder import scene_folder, scene_folders
from soundfix.datasets.locata import array_waves, locata
from soundfix.datasets.luvira import SPLITS, luvira
from soundfix.datasets.measured import Measured, MeasuredRoom, read_rooms, room_files
from soundfix.datasets.mixture import Mixture
from soundfix.datasets.simulated import Simulated
from soundfix.datasets.varied import VARIED, Variation
from soundfix.datasets.wrong_lists import Relisted
from soundfix.errors import DatasetError
from soundfix.scene import Scene
from soundfix.simulation.roughness import APART, SMOOTH
from soundfix.simulation.soundbank import Sounds, open_sounds
from soundfix.simulation.synthesis import SYNTHESIZED
from soundfix.simulation.worlds import LUVIRA_HARD, LUVIRA_LIKE, LUVIRA_TWIN, RANDOM_ROOMS, ROUGH_ROOMS, World

SNRS_DB = (5.0, 15.0, 30.0)
MEASURED_SNR_DB, MEASURED_SIGMA_M = 30.0, 0.02
FIRST_SEED = 10**6  # seeds of training and validation are far below: a test set shares no room with them
SIMULATED = ("luvira-twin", "luvira-like", "luvira-hard", "random-rooms", "rough-rooms", *VARIED)
TOLD_BY_SOUND = {
    "luvira-twin": LUVIRA_TWIN,
    "luvira-like": LUVIRA_LIKE,
    "luvira-hard": LUVIRA_HARD,
    "random-rooms": RANDOM_ROOMS,
}
TOLD_BY_NOISE = ("luvira-twin", "luvira-hard")
CALM_ROOMS = replace(
    ROUGH_ROOMS,
    share_diffuse=0.0,
    share_directional=0.0,
    position_sigma_m=(0.0, 0.0),
    share_undeclared=0.0,
    gain_db=0.0,
    speed_spread=0.0,
    roughness=SMOOTH,
)
ROUGH_APART = {
    "none": CALM_ROOMS,
    "positions": replace(
        CALM_ROOMS, position_sigma_m=ROUGH_ROOMS.position_sigma_m, share_undeclared=ROUGH_ROOMS.share_undeclared
    ),
    "speed of sound": replace(CALM_ROOMS, speed_spread=ROUGH_ROOMS.speed_spread),
    "directional": replace(CALM_ROOMS, share_directional=1.0),
    "diffuse noise": replace(CALM_ROOMS, share_diffuse=1.0),
    "gains": replace(CALM_ROOMS, gain_db=ROUGH_ROOMS.gain_db),
    **{name: replace(CALM_ROOMS, roughness=rough) for name, rough in APART.items()},
}
BENCHMARKS = (*SIMULATED, "measured", "luvira")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """root: folder of `measured` and `luvira`. audio: folders of dry recordings. sources: how many sound at once.
    microphones: of arrays that are drawn. clip_s: seconds of a clip."""

    clips: int = 300
    root: Path | None = None
    audio: Sequence[Path] = ()
    seed: int = 0
    sources: int = 1
    microphones: int = 11
    clip_s: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Part:
    """Clips that tables tell apart: labels are the columns they go by."""

    labels: dict[str, str]
    data: Dataset


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """Clips of all parts in turn, spread evenly over each."""

    name: str
    parts: tuple[Part, ...]
    clips: int

    def __len__(self) -> int:
        return self.clips

    def __getitem__(self, clip: int) -> Scene:
        if not 0 <= clip < self.clips:
            raise IndexError(f"clip {clip} of {self.clips}")
        return self.part(clip).data[self.moment(clip)]

    def moment(self, clip: int) -> int:
        """Which clip of its part this is: where a part is shorter than was asked for, some are there twice."""
        each = -(-self.clips // len(self.parts))
        return clip // len(self.parts) * len(self.part(clip).data) // each

    def part(self, clip: int) -> Part:
        """Which part this clip belongs to."""
        return self.parts[clip % len(self.parts)]


def named_benchmark(name: str, wanted: Wanted) -> Benchmark:
    """The test set of this name. Raises DatasetError where it does not exist or cannot be as wanted."""
    if name not in BENCHMARKS and (scene_folders(Path(name)) or array_waves(Path(name))):
        return _of_recordings(Path(name), wanted)
    if name not in BENCHMARKS:
        raise DatasetError(
            f"no test set is called {name!r}; there are {', '.join(BENCHMARKS)}, folders of scenes (scene.wav) and of LOCATA"
        )
    if wanted.root is None and name not in SIMULATED:
        raise DatasetError(f"{name} is read from a folder: give --root")
    if wanted.root is not None and name in SIMULATED:
        raise DatasetError(f"{name} is simulated: it needs no --root")
    made = {"measured": _measured, "luvira": _luvira, **dict.fromkeys(VARIED, _varied)}
    parts = made.get(name, _simulated)(name, wanted)
    return Benchmark(name=name, parts=tuple(parts), clips=wanted.clips)


def _of_recordings(folder: Path, wanted: Wanted) -> Benchmark:
    """As they are: what sounds in them was settled when they were made."""
    if wanted.root is not None or wanted.audio or wanted.sources != 1:
        raise DatasetError(f"{folder} is a folder of recordings: it takes no --root, no --audio and no --sources")
    is_scenes = bool(scene_folders(folder))
    data: Dataset = scene_folder(folder, clip_s=wanted.clip_s) if is_scenes else locata(folder, clip_s=wanted.clip_s)
    return Benchmark(
        name=str(folder), parts=(Part(labels={"set": data.name}, data=data),), clips=min(wanted.clips, len(data))
    )


def _simulated(name: str, wanted: Wanted) -> list[Part]:
    sounds = open_sounds(wanted.audio, part="test")
    worlds = rough_worlds(sounds) if name == "rough-rooms" else sounds_apart(name, sounds)
    worlds = [(labels, alike(world, wanted)) for labels, world in worlds]
    each = -(-wanted.clips // len(worlds))
    return [
        Part(labels=labels, data=Simulated(world=world, sounds=sounds, seed=_seed(wanted, k), count=each))
        for k, (labels, world) in enumerate(worlds)
    ]


def _varied(name: str, wanted: Wanted) -> list[Part]:
    sounds, values = open_sounds(wanted.audio, part="test"), VARIED[name]
    each = -(-wanted.clips // len(values))
    return [Part(labels=dict(value.labels), data=_varied_data(value, wanted, sounds, each)) for value in values]


def _varied_data(value: Variation, wanted: Wanted, sounds: Sounds, count: int) -> Dataset:
    """All values with one seed: what differs between two of them is what is varied."""
    world, seed = alike(value.world, wanted), _seed(wanted, 0)
    data = Simulated(world=world, sounds=sounds, seed=seed, count=count)
    return Relisted(data=data, error=value.error, seed=seed) if value.error else data


def sounds_apart(name: str, sounds: Sounds) -> list[tuple[dict[str, str], World]]:
    """The world with every kind of sound, at every level of noise where that is told apart."""
    base = TOLD_BY_SOUND[name]
    apart = [({"noise": f"{snr:g} dB"}, replace(base, snr_db=(snr, snr))) for snr in SNRS_DB]
    return [
        ({"sound": kind, **labels}, replace(world, sound_shares={kind: 1.0}))
        for kind in sounds.kinds
        for labels, world in (apart if name in TOLD_BY_NOISE else [({}, base)])
    ]


def rough_worlds(sounds: Sounds) -> list[tuple[dict[str, str], World]]:
    """Every kind of sound with all roughness, then every kind of roughness with all sounds."""
    shares = {kind: float(kind in SYNTHESIZED) for kind in (*SYNTHESIZED, *sounds.kinds)}
    by_sound = [
        ({"sound": kind, "roughness": "all"}, replace(ROUGH_ROOMS, share_synthesized=made, sound_shares={kind: 1.0}))
        for kind, made in shares.items()
    ]
    return by_sound + [({"sound": "any", "roughness": kind}, world) for kind, world in ROUGH_APART.items()]


def alike(world: World, wanted: Wanted) -> World:
    """Without faults and unknown positions: conditions add them."""
    return replace(
        world,
        sources=(wanted.sources, wanted.sources),
        duration_s=wanted.clip_s,
        microphones=(wanted.microphones, wanted.microphones),
        unknown_positions=(0, 0),
        share_faulty=0.0,
    )


def _measured(name: str, wanted: Wanted) -> list[Part]:
    assert wanted.root is not None
    sounds = open_sounds(wanted.audio, part="test")
    rooms = [_not_exact(room) for room in read_rooms(room_files(wanted.root))]
    enough = [room for room in rooms if len(room.sources) >= wanted.sources]
    if not enough:
        raise DatasetError(f"{wanted.root} has no room with responses to {wanted.sources} sources")
    cases = [(room, kind) for room in enough for kind in sounds.kinds]
    each = -(-wanted.clips // len(cases))
    return [
        Part(
            labels={"room": room.name, "sound": kind},
            data=Measured(
                rooms=(room,),
                count=each,
                seed=_seed(wanted, k),
                sounds=sounds,
                sound_shares={kind: 1.0},
                source_count=wanted.sources,
                snr_db=MEASURED_SNR_DB,
                clip_s=wanted.clip_s,
            ),
        )
        for k, (room, kind) in enumerate(cases)
    ]


def _not_exact(room: MeasuredRoom) -> MeasuredRoom:
    """The same room; its list says how good its positions are."""
    sigma_m = np.full(len(room.microphones), MEASURED_SIGMA_M)
    return replace(room, microphones=replace(room.microphones, sigma_m=sigma_m))


def _luvira(name: str, wanted: Wanted) -> list[Part]:
    assert wanted.root is not None
    alone = [luvira(wanted.root, recordings=[name], clip_s=wanted.clip_s) for name in SPLITS["test"]]
    both = (wanted.sources, wanted.sources)
    return [
        Part(labels={"sound": recording}, data=Mixture(data=data, sources=both, seed=_seed(wanted, k)))
        for k, (recording, data) in enumerate(zip(SPLITS["test"], alone, strict=True))
    ]


def _seed(wanted: Wanted, part: int) -> int:
    """Of a part: no two parts share rooms."""
    return FIRST_SEED + 1000 * wanted.seed + part
