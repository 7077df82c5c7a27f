"""A study: methods trained alike where they need it, for the same time on the same data, then evaluated on the same windows.

Every entrant has a folder of its own in `runs`; what is trained is not trained again, what was interrupted goes on. How many
steps fit into the time is measured once, before the first, and noted in budget.json.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter, process_time
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from soundfix.atomic import atomic_path, make_folder
from soundfix.datasets.chosen import Chosen, Unlabelled, labelled
from soundfix.datasets.dataset import Dataset
from soundfix.datasets.mixture import Mixture
from soundfix.errors import OutputError
from soundfix.evaluation.run import Method
from soundfix.networks import checkpoint
from soundfix.networks.encoders import beats as beats_files
from soundfix.networks.model import Network
from soundfix.networks.registry import KINDS, build
from soundfix.overrides import apply_overrides
from soundfix.training.batches import Batch, Batches
from soundfix.training.fixed_batches import FixedBatches, FixedSet
from soundfix.training.fixed_validation import validation_of
from soundfix.training.fixed_windows import draw_of
from soundfix.training.loop import Job, most_sources, settings_of, start, train
from soundfix.training.recipes import RECIPES, STAGES, Recipe, Stage
from soundfix.training.runs import METRICS, MODEL, SETTINGS, Run
from soundfix.training.trainee import Trainee

BUDGET, DONE = "budget.json", "done"
# Of the time, relative to the other stages that a recipe has.
SHARES = {"correlation": 0.2, "autoencoder": 0.1, "localization": 0.7, "votes": 0.1, "reranker": 0.3}
FIXED_TO_TIME = 8  # clips whose windows are fixed for it
MEASURED, WARM = 8, 2  # steps that are timed, after some to warm up
LEAST_STEPS, LEAST_WARM_UP = 20, 100
VALIDATED = 60  # windows, where it is done one by one
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """One line of the tables. recipe and changes: what is trained; without, weights are another entrant's, or none.

    sources: how many sound at once, in training and in the tables. ears_of: whose trained NGCC-PHAT and acoustic encoder it
    takes. share: of the time that others have. labelled: share of the clips whose place is known; the others are heard too,
    if it keeps_rest.
    """

    label: str
    method: str
    recipe: str | None = None
    changes: tuple[str, ...] = ()
    weights_of: str | None = None
    sources: int = 1
    ears_of: str | None = None
    share: float = 1.0
    labelled: float = 1.0
    keeps_rest: bool = True
    options: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Budget:
    """minutes: of training for each entrant, at most: it ends before where validation has stopped falling. cache: where
    what frozen parts make of windows is kept. as_many_as: folder of a run whose number of steps is given, none measured."""

    minutes: float
    seed: int = 0
    workers: int = 1
    device: str = "cpu"
    beats: Path | None = None
    cache: Path | None = None
    as_many_as: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Material:
    """What is trained and validated on, with one source."""

    train: Dataset
    valid: Dataset

    def of(self, sources: int) -> "Material":
        """With so many at once."""
        if sources == 1:
            return self
        both = (sources, sources)
        return Material(train=Mixture(data=self.train, sources=both), valid=Mixture(data=self.valid, sources=both))

    def with_places(self, share: float, *, keeps_rest: bool) -> "Material":
        """Places are known of this share of the clips to train on; the others are heard too, or left out."""
        if share == 1:
            return self
        known = Chosen(data=self.train, clips=labelled(len(self.train), share))
        return replace(self, train=Unlabelled(data=self.train, known=frozenset(known.clips)) if keeps_rest else known)


def train_all(
    entrants: Sequence[Entrant], material: Material, out: Path, budget: Budget, say: Say,
    *, taught: Mapping[str, Path] = MappingProxyType({}),
) -> dict[str, Method]:  # fmt: skip
    """Label -> method with its weights, trained where they were not yet. taught: checkpoints of others, by label."""
    for each in entrants:  # whatever is wrong with a file is said before the first is trained
        if each.recipe:
            with_ears(recipe_of(each), budget, None)
    checkpoints = dict(taught)
    for each in entrants:
        if each.recipe:
            ears = checkpoints[each.ears_of] if each.ears_of else None
            checkpoints[each.label] = train_one(each, material, out / "runs" / folder_of(each), budget, say, ears=ears)
    return {
        each.label: Method(
            name=each.method,
            label=each.label,
            checkpoint=checkpoints.get(each.weights_of or each.label),
            beats=budget.beats if each.recipe and _listens_with_beats(recipe_of(each)) else None,
            options=each.options,
        )
        for each in entrants
    }


def train_one(
    entrant: Entrant, material: Material, folder: Path, budget: Budget, say: Say, *, ears: Path | None = None
) -> Path:
    """The checkpoint of one entrant. ears: a checkpoint of the one that it is ears_of."""
    material = material.of(entrant.sources).with_places(entrant.labelled, keeps_rest=entrant.keeps_rest)
    budget = replace(budget, minutes=budget.minutes * entrant.share)
    make_folder(folder)
    recipe = _within(recipe_of(entrant), material.train, folder, budget)
    steps = {name: getattr(recipe, name).steps for name in STAGES}
    say(f"{entrant.label}: {budget.minutes:g} minutes at most, steps {steps}")
    job = Job(
        recipe=recipe,
        data=[material.train],
        out=folder,
        seed=budget.seed,
        resume=(folder / SETTINGS).exists(),
        workers=budget.workers,
        device=budget.device,
        validate=validation_of(recipe, [material.valid], one_by_one=VALIDATED, folder=budget.cache, seed=budget.seed),
        validate_every=_every(recipe, material.train),
        network=with_ears(recipe, budget, ears),
        cache=budget.cache,
        settings={"ears_of": entrant.ears_of} if ears else {},
    )
    if job.resume:
        Run(folder, settings_of(job), resume=True)  # raises where it was begun with others
    if not (folder / DONE).exists():
        train(job, _telling(entrant, say))
        (folder / DONE).touch()
    return folder / MODEL


def _every(recipe: Recipe, data: Dataset) -> int:
    """Steps between validations: once round the windows, where they are fixed."""
    stage = recipe.localization
    around = len(data) * stage.windows_a_clip // stage.batch
    return max(around or stage.steps // 4, 1)


def _telling(entrant: Entrant, say: Say) -> Callable[[dict[str, Any]], None]:
    """Every validation, and how many shards are kept, as a sentence."""

    def watch(numbers: dict[str, Any]) -> None:
        if "keeping" in numbers:
            say(f"{entrant.label}: {numbers['keeping']} kept, {numbers['done']} of {numbers['of']} shards")
        elif "mae_m" in numbers:
            say(
                f"{entrant.label}: {numbers['stage']} {numbers['done']} of {numbers['of']}, validation "
                f"{100 * numbers['mae_m']:.1f} cm, {100 * numbers['acc']:.0f} %, {numbers['windows_a_second']:.0f} windows/s"
            )

    return watch


def recipe_of(entrant: Entrant) -> Recipe:
    """What is trained; how many steps depends on the machine."""
    assert entrant.recipe is not None
    return apply_overrides(RECIPES[entrant.recipe](), entrant.changes)


def steps_of(entrant: Entrant, out: Path) -> dict[str, int]:
    """Done in every stage, below out."""
    lines = (out / "runs" / folder_of(entrant) / METRICS).read_text(encoding="utf-8").splitlines()
    return {noted["stage"]: noted["done"] for noted in map(json.loads, lines)}


def minutes_of(entrant: Entrant, out: Path) -> float:
    """What the steps of training took (on a machine that did other things too, not quite the budget)."""
    folder, before, seconds = out / "runs" / folder_of(entrant), {"step": 0, "stage": ""}, 0.0
    batch = {name: getattr(recipe_of(entrant), name).batch for name in STAGES}
    for line in (folder / METRICS).read_text(encoding="utf-8").splitlines():
        noted = json.loads(line)
        windows = batch[noted["stage"]] * max(noted["step"] - before["step"], 0)
        seconds, before = seconds + windows / noted["windows_a_second"], noted
    return seconds / 60


def _within(recipe: Recipe, data: Dataset, folder: Path, budget: Budget) -> Recipe:
    """The recipe with as many steps as the time allows, measured once, or as another run has."""
    path = folder / BUDGET
    if not path.exists():
        steps = _noted(budget.as_many_as)["steps"] if budget.as_many_as else _steps_in(recipe, data, budget)
        with atomic_path(path) as part:
            part.write_text(json.dumps({"minutes": budget.minutes, "device": budget.device, "steps": steps}) + "\n")
    noted = _noted(folder)
    if (noted["minutes"], noted["device"]) != (budget.minutes, budget.device):
        raise OutputError(
            f"{folder} was given {noted['minutes']:g} minutes of {noted['device']}, wanted {budget.minutes:g} of "
            f"{budget.device}: choose another --out, or the same --minutes"
        )
    stages: dict[str, Any] = {name: _of_length(getattr(recipe, name), noted["steps"][name]) for name in STAGES}
    return replace(recipe, **stages)


def _noted(folder: Path) -> dict[str, Any]:
    """What a run was given."""
    found: dict[str, Any] = json.loads((folder / BUDGET).read_text(encoding="utf-8"))
    return found


def minutes_given(entrant: Entrant, out: Path) -> float | None:
    """What it was begun with below out, before its share; None where it was not begun."""
    folder = out / "runs" / folder_of(entrant)
    return _noted(folder)["minutes"] / entrant.share if (folder / BUDGET).exists() else None


def _of_length(stage: Stage, steps: int) -> Stage:
    """So many steps, of which as large a share warms up."""
    scaled = round(stage.warm_up * steps / max(stage.steps, 1))
    return replace(stage, steps=steps, warm_up=max(scaled, min(stage.warm_up, LEAST_WARM_UP)))


def _steps_in(recipe: Recipe, data: Dataset, budget: Budget) -> dict[str, int]:
    """Steps of every stage: each has its share of the time."""
    stages = {name: getattr(recipe, name) for name in STAGES}
    total = sum(SHARES[name] for name, stage in stages.items() if stage.steps)
    return {
        name: _count_steps(name, recipe, stage, data, budget, 60 * budget.minutes * SHARES[name] / total)
        if stage.steps
        else 0
        for name, stage in stages.items()
    }


def _count_steps(name: str, recipe: Recipe, stage: Stage, data: Dataset, budget: Budget, seconds: float) -> int:
    job = Job(
        recipe=recipe,
        data=[data],
        out=Path(),
        seed=budget.seed,
        device=budget.device,
        network=with_ears(recipe, budget, None),
    )
    trainee = Trainee(start(job))
    if not trainee.begin(name, stage, recipe):
        return 0
    taken = []
    for step in range(WARM + MEASURED):
        batch = _spread(data, stage, step, trainee.network, recipe).to(budget.device)
        started = _now(budget.device)
        trainee.step(batch, stage, recipe)
        taken.append(_now(budget.device) - started)
    return max(LEAST_STEPS, round(seconds / (sum(taken[WARM:]) / MEASURED)))


def _now(device: str) -> float:
    """Seconds; of a CPU those that this process was given, so that what else runs there takes nothing from a method."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
        return perf_counter()
    return process_time() / torch.get_num_threads()


def _spread(data: Dataset, stage: Stage, step: int, network: nn.Module, recipe: Recipe) -> Batch:
    """A batch to time: numbers of microphones and lengths of windows take turns, from the fewest to the most."""
    sources = most_sources(recipe)
    few, many = stage.microphones
    count = few + round((many - few) * (step % MEASURED) / (MEASURED - 1))
    window_s = stage.windows_s[step % len(stage.windows_s)]
    alike = replace(stage, microphones=(count, count), windows_s=(window_s,))
    if stage.windows_a_clip and stage == recipe.localization:
        some = Chosen(data=data, clips=range(min(FIXED_TO_TIME, len(data))))
        return FixedBatches(FixedSet([some], draw_of(alike, sources=sources, seed=1), network, None), alike, seed=1)[
            step
        ]
    return Batches([data], alike, seed=1, sources=sources)[step]


def with_ears(recipe: Recipe, budget: Budget, ears: Path | None) -> nn.Module | None:
    """With BEATs base, if its network listens with it, and trained ears, if there are some; else the loop builds it."""
    needs_beats = _listens_with_beats(recipe) and budget.beats is not None
    if not needs_beats and ears is None:
        return None
    torch.manual_seed(budget.seed)
    network = build(recipe.network)
    if budget.beats is not None and needs_beats:
        assert isinstance(network, Network)
        network.encoder = beats_files.load(budget.beats)
    if ears is not None:
        _lend(checkpoint.load_kind(ears, KINDS), network)
    return network


def _lend(teacher: nn.Module, network: nn.Module) -> None:
    """NGCC-PHAT and, of a network of ours, the small acoustic encoder; to who listens with such."""
    if network.ngcc is not None:
        network.ngcc = teacher.ngcc
    if isinstance(teacher, Network) and isinstance(network, Network) and teacher.encoder and network.encoder:
        network.encoder = teacher.encoder


def _listens_with_beats(recipe: Recipe) -> bool:
    return getattr(recipe.network, "acoustic", None) == "base"


def folder_of(entrant: Entrant | Method) -> str:
    """What its folders are called."""
    return "".join(letter if letter.isalnum() else "-" for letter in entrant.label.lower())
