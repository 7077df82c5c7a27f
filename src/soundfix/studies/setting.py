"""Where a study takes place: LuViRA, where its folder is given, or a twin of it; how much of it, and for how long.

luvira-like     the twin as the recordings are: who sounds goes about between the microphones, T60 0.3-0.4 s, 15-30 dB
luvira-twin     anywhere in the studio, T60 0.2-0.8 s, 5-30 dB
luvira-hard     the same with a list 2 cm off, gains, directional sources, diffuse noise

Easier than LuViRA: walls are flat and nothing stands in the room, who sounds does so alike to all sides, the list is exact,
one reverberation time. Harder: speakers and pieces of the test were never heard; LuViRA plays the same two recordings again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from soundfix.atomic import make_folder
from soundfix.datasets.benchmark import Wanted, named_benchmark
from soundfix.datasets.chosen import held_out
from soundfix.datasets.luvira import luvira
from soundfix.datasets.shards import Shards
from soundfix.datasets.simulated import Simulated
from soundfix.datasets.writing import write_set
from soundfix.engines.local import Local
from soundfix.evaluation.conditions import Grid
from soundfix.evaluation.rows import Row
from soundfix.evaluation.run import Method, Plan, evaluate
from soundfix.simulation.soundbank import Sounds, open_sounds
from soundfix.simulation.worlds import World, world_named
from soundfix.studies.study import Budget, Material, Say

VALID_SCENES = 150
KINDS = ("music", "speech")  # what sounds, where the recordings hold both
CLIP_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Setting:
    """root: folder of LuViRA; without it, the twin. scenes: simulated to train on. clips: tested, a window of each under
    every condition. small: NGCC-PHAT of 8 channels and small batches, for machines without a GPU. world: the twin."""

    budget: Budget
    root: Path | None = None
    audio: Sequence[Path] = ()
    scenes: int = 3000
    clips: int = 300
    small: bool = False
    world: str = "luvira-like"

    @property
    def dataset(self) -> str:
        return "luvira" if self.root else self.world

    def wanted(self, clip_s: float = 0.0) -> Wanted:
        """Of the test set; clip_s: at least so long."""
        return Wanted(
            clips=self.clips,
            root=self.root,
            audio=tuple(self.audio),
            seed=self.budget.seed,
            clip_s=max(CLIP_S, clip_s),
        )


def material_for(setting: Setting, out: Path, say: Say) -> Material:
    """LuViRA's training split (every tenth clip to validate), or scenes of its twin; the test set shares no speaker and no
    piece with it. What is wrong with the test set is said here, before anything is trained."""
    make_folder(out)
    named_benchmark(setting.dataset, setting.wanted())
    if setting.root:
        kept, tenth = held_out(luvira(setting.root, split="train"))
        return Material(train=kept, valid=tenth)
    say(f"{setting.scenes} scenes of {setting.world} to train on")
    data = _shards(setting, out / "data" / "train", "train", setting.scenes)
    valid = _shards(setting, out / "data" / "valid", "valid", VALID_SCENES)
    return Material(train=data, valid=valid)


def _shards(setting: Setting, folder: Path, part: str, scenes: int) -> Shards:
    sounds, workers = open_sounds(setting.audio, part=part), setting.budget.workers
    seed = setting.budget.seed + (1 if part == "train" else 2)
    folder.parent.mkdir(parents=True, exist_ok=True)
    world = _heard_in(world_named(setting.world), sounds)
    write_set(folder, Simulated(world=world, sounds=sounds, seed=seed, count=scenes), engine=Local(max(workers, 1)))
    return Shards(folder)


def _heard_in(world: World, sounds: Sounds) -> World:
    """The world with music and speech alone, where there are both."""
    both = set(KINDS) <= set(sounds.kinds)
    return replace(world, sound_shares=dict.fromkeys(KINDS[::-1], 1.0)) if both else world


def rows_of(
    setting: Setting, out: Path, methods: Sequence[Method], grid: Grid, progress: Callable[[int], None],
    *, sources: int = 1,
) -> list[Row]:  # fmt: skip
    """What these methods answer under these conditions; nothing that was done before is done again."""
    wanted = setting.wanted(clip_s=2 * max(grid.windows_s))
    plan = Plan(
        dataset=setting.dataset, methods=tuple(methods), wanted=wanted, grid=grid, sources=(sources,),
        engine=Local(max(setting.budget.workers, 1)),
    )  # fmt: skip
    return evaluate(plan, out, progress=progress)
