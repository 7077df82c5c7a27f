"""Where a study takes place: LuViRA, where its folder is given, or its simulated twin; how much of it, and for how long."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from soundfix.datasets.benchmark import Wanted
from soundfix.datasets.luvira import luvira
from soundfix.datasets.shards import Shards
from soundfix.datasets.simulated import Simulated
from soundfix.datasets.writing import write_set
from soundfix.evaluation.conditions import Grid
from soundfix.evaluation.rows import Row
from soundfix.evaluation.run import Method, Plan, evaluate
from soundfix.evaluation.study import Budget, Material, Say
from soundfix.soundbank import open_sounds
from soundfix.worlds import LUVIRA_TWIN

VALID_SCENES = 60
CLIP_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Setting:
    """root: folder of LuViRA; without it, the twin. scenes: simulated to train on. clips: tested, a window of each under
    every condition. small: NGCC-PHAT of 8 channels and small batches, for machines without a GPU."""

    budget: Budget
    root: Path | None = None
    audio: Sequence[Path] = ()
    scenes: int = 3000
    clips: int = 300
    small: bool = False

    @property
    def dataset(self) -> str:
        return "luvira" if self.root else "luvira-twin"


def material_for(setting: Setting, out: Path, say: Say) -> Material:
    """LuViRA's training split, or scenes of its twin; the test set shares no speaker and no piece with it."""
    if setting.root:
        recorded = luvira(setting.root, split="train")
        return Material(train=recorded, valid=recorded)
    say(f"{setting.scenes} scenes of the twin to train on")
    data = _shards(setting, out / "data" / "train", "train", setting.scenes)
    valid = _shards(setting, out / "data" / "valid", "valid", VALID_SCENES)
    return Material(train=data, valid=valid)


def _shards(setting: Setting, folder: Path, part: str, scenes: int) -> Shards:
    sounds, workers = open_sounds(setting.audio, part=part), setting.budget.workers
    seed = setting.budget.seed + (1 if part == "train" else 2)
    folder.parent.mkdir(parents=True, exist_ok=True)
    write_set(folder, Simulated(world=LUVIRA_TWIN, sounds=sounds, seed=seed, count=scenes), workers=max(workers, 1))
    return Shards(folder)


def rows_of(
    setting: Setting, out: Path, methods: Sequence[Method], grid: Grid, progress: Callable[[int], None],
    *, sources: int = 1,
) -> list[Row]:  # fmt: skip
    """What these methods answer under these conditions; nothing that was done before is done again."""
    wanted = Wanted(
        clips=setting.clips,
        root=setting.root,
        audio=tuple(setting.audio),
        seed=setting.budget.seed,
        clip_s=max(CLIP_S, 2 * max(grid.windows_s)),
    )
    plan = Plan(
        dataset=setting.dataset, methods=tuple(methods), wanted=wanted, grid=grid, sources=(sources,),
        workers=max(setting.budget.workers, 1),
    )  # fmt: skip
    return evaluate(plan, out, progress=progress)
