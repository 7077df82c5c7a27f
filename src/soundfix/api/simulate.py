"""`soundfix.simulate`, as the command: rooms with sounds, microphones and, if you like, faults, and the truth of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from soundfix.api.sound import Listed
from soundfix.datasets.simulated import Simulated
from soundfix.datasets.writing import write_set
from soundfix.engines.named import engine_named
from soundfix.errors import ConfigError
from soundfix.files.scenes import write_scene
from soundfix.files.take import listed_microphones
from soundfix.overrides import apply_overrides
from soundfix.scene import Room, Scene
from soundfix.simulation.faults import Fault, break_scene, parse_fault
from soundfix.simulation.own_room import in_room
from soundfix.simulation.soundbank import open_sounds
from soundfix.simulation.worlds import World, world_named


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulateRequest:
    """What was asked for; the options are those of `simulate`. Raises ConfigError, which names the option."""

    world: str = "clean-rooms"
    scenes: int = 1
    seed: int = 0
    room: Room | None = None
    microphones: Listed | None = None
    audio: Sequence[str | Path] = ()
    part: str | None = None
    changes: Sequence[str] = ()
    faults: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.scenes < 1 or self.seed < 0:
            raise ConfigError(f"{self.scenes} scenes, seed {self.seed}: wanted 1 or more, and a seed of 0 or more")
        if self.part is not None and not self.audio:
            raise ConfigError("--part is of no use: built-in sounds have no parts; give --audio too")
        if self.room is not None and self.microphones is None:
            raise ConfigError("--room without --microphones: where do they stand in it?")
        if self.microphones is not None and self.room is None:
            raise ConfigError("--microphones stand in a --room: give it too")

    def drawn_from(self) -> World:
        """The world, with the changes, in your own room if that was given."""
        world = apply_overrides(world_named(self.world), self.changes)
        return in_room(world, self.room, listed_microphones(self.microphones)) if self.room is not None else world


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Scenes(Sequence[Any]):  # of Scene; a check of types that looks at an item would draw it
    """Scenes with their truth, each drawn when it is asked for: scene k is the same whenever that is.

    simulated: where they come from. faults: every scene is broken by these.
    """

    simulated: Simulated
    faults: tuple[Fault, ...] = ()

    def __len__(self) -> int:
        return len(self.simulated)

    @overload
    def __getitem__(self, number: int) -> Scene: ...
    @overload
    def __getitem__(self, number: slice) -> list[Scene]: ...
    def __getitem__(self, number: int | slice) -> Scene | list[Scene]:
        """Scene `number`, from 0, or from the end; audio (M, T). Raises IndexError where there is none."""
        if isinstance(number, slice):
            return [self[k] for k in range(len(self))[number]]
        k = range(len(self))[number]
        return break_scene(self.simulated[k], self.faults, np.random.default_rng([self.simulated.seed, k, 1]))

    def write(
        self,
        folder: str | Path,
        *,
        shards: bool = False,
        workers: int | None = None,
        engine: str = "local",
        address: str | None = None,
        progress: Callable[[int], None] = lambda count: None,
    ) -> None:
        """Write them as `soundfix simulate` does: each as scene.wav, microphones.csv and truth.json, in folders of their own
        if there are several; or as tar shards to train on, by so many processes, or, with engine "ray", actors of the
        cluster at this address, whose machines all see the folder. progress is told how many were finished.

        Raises ConfigError where an option would do nothing, OutputError where the folder cannot be written.
        """
        folder = Path(folder)
        if shards and self.faults:
            raise ConfigError("--fault would break one scene, not a set: --set share_faulty=1 breaks them all")
        if (workers is not None or address is not None or engine != "local") and not shards:
            raise ConfigError("--workers, --engine and --address belong to --shards")
        if shards:
            write_set(folder, self.simulated, engine=engine_named(engine, workers or 1, address), progress=progress)
            return
        for number in range(len(self)):
            write_scene(folder / f"{number:04d}" if len(self) > 1 else folder, self[number])
            progress(1)

    def __repr__(self) -> str:
        broken = f", broken by {', '.join(f'{fault.kind}:{fault.microphone}' for fault in self.faults)}"
        return f"Scenes({len(self)}, seed {self.simulated.seed}{broken if self.faults else ''})"


def run(request: SimulateRequest) -> Scenes:
    """The scenes that were asked for; none is drawn yet."""
    world = request.drawn_from()
    sounds = open_sounds([Path(folder) for folder in request.audio], part=request.part)
    return Scenes(
        simulated=Simulated(world=world, sounds=sounds, seed=request.seed, count=request.scenes),
        faults=tuple(parse_fault(text) for text in request.faults),
    )


def simulate(
    world: str = "clean-rooms",
    *,
    scenes: int = 1,
    seed: int = 0,
    room: Room | None = None,
    microphones: Listed | None = None,
    audio: str | Path | Sequence[str | Path] = (),
    part: str | None = None,
    changes: Sequence[str] = (),
    faults: Sequence[str] = (),
) -> Scenes:
    """Make rooms with sounds, microphones and, if you like, faults; each scene knows its truth.

        for scene in soundfix.simulate("luvira-twin", scenes=10, changes=["duration_s=4"], faults=["dead:3"]):
            print(scene.audio.shape, scene.truth.sources)
        soundfix.simulate(scenes=100).write("rooms")

    world: clean-rooms, random-rooms (with all that goes wrong), rough-rooms (as rough as reality), luvira-twin or
    luvira-hard. The same seed gives the same
    scenes: audio (M, T) at 16000 Hz, microphones (M, 3) and sources (K, 3) in metres.
    room: your own, ((x0, y0, z0), (x1, y1, z1)) in metres, with microphones: path of their list, Microphones, or positions
    (M, 3) in metres. audio: folders of dry recordings; built-in sounds without. part: only their speakers of "train",
    "valid" or "test". changes: settings of the world, such as "rt60_s=[0.2,0.6]" (s). faults: KIND:MICROPHONE[:AMOUNT],
    such as "dead:3" or "late:2:0.005".

    Raises ConfigError on settings, SceneError on faults, AudioFileError and MicrophoneFileError on files.
    """
    request = SimulateRequest(
        world=world,
        scenes=scenes,
        seed=seed,
        room=room,
        microphones=microphones,
        audio=[audio] if isinstance(audio, str | Path) else audio,
        part=part,
        changes=changes,
        faults=faults,
    )
    return run(request)
