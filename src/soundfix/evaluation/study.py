"""A study: methods trained alike where they need it, for the same time on the same data, then evaluated on the same windows.

Every entrant has a folder of its own in `runs`; what is trained is not trained again, what was interrupted goes on. How many
steps fit into the time is measured once, before the first, and noted in budget.json.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

import torch

from soundfix import beats as beats_files
from soundfix.atomic import atomic_path, make_folder
from soundfix.datasets.dataset import Dataset
from soundfix.evaluation.run import Method
from soundfix.kinds import build
from soundfix.model import Network
from soundfix.overrides import apply_overrides
from soundfix.recipes import RECIPES, STAGES, Recipe, Stage
from soundfix.training.batches import Batches
from soundfix.training.loop import Job, slots, start, train
from soundfix.training.runs import MODEL, SETTINGS
from soundfix.training.trainee import Trainee
from soundfix.training.validation import Validation

BUDGET = "budget.json"
SHARES = {"correlation": 0.2, "autoencoder": 0.1, "localization": 0.7}  # of the time, where a recipe has the stage
MEASURED, WARM = 6, 2  # steps that are timed, after some to warm up
LEAST_STEPS = 20
VALIDATED = 60  # windows
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """One line of the tables. recipe and changes: what is trained; without, weights are another entrant's, or none.

    several: trained on windows with one to three sources.
    """

    label: str
    method: str
    recipe: str | None = None
    changes: tuple[str, ...] = ()
    weights_of: str | None = None
    several: bool = False
    options: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Budget:
    """minutes: of training, for each entrant."""

    minutes: float
    seed: int = 0
    workers: int = 1
    device: str = "cpu"
    beats: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Material:
    """What is trained and validated on; several: with one to three sources at once."""

    train: Dataset
    valid: Dataset
    several: Dataset
    made: dict[str, str] = field(default_factory=dict)


def train_all(
    entrants: Sequence[Entrant], material: Material, out: Path, budget: Budget, say: Say
) -> dict[str, Method]:
    """Label -> method with its weights, trained where they were not yet."""
    checkpoints = {
        each.label: train_one(each, material, out / "runs" / _folder(each), budget, say)
        for each in entrants
        if each.recipe
    }
    return {
        each.label: Method(
            name=each.method,
            label=each.label,
            checkpoint=checkpoints.get(each.weights_of or each.label),
            options=each.options,
        )
        for each in entrants
    }


def train_one(entrant: Entrant, material: Material, folder: Path, budget: Budget, say: Say) -> Path:
    """The checkpoint of one entrant."""
    recipe = recipe_of(entrant)
    data = material.several if entrant.several else material.train
    make_folder(folder)
    recipe = _within(recipe, data, folder, budget)
    steps = {name: getattr(recipe, name).steps for name in STAGES}
    say(f"{entrant.label}: {budget.minutes:g} minutes, steps {steps}")
    job = Job(
        recipe=recipe,
        data=[data],
        out=folder,
        seed=budget.seed,
        resume=(folder / SETTINGS).exists(),
        workers=budget.workers,
        device=budget.device,
        validate=Validation([material.valid], recipe.localization, windows=VALIDATED),
        validate_every=max(recipe.localization.steps // 4, 1),
        network=_with_beats(recipe, budget),
    )
    if not _is_finished(folder, sum(steps.values())):
        train(job)
    return folder / MODEL


def recipe_of(entrant: Entrant) -> Recipe:
    """What is trained; how many steps depends on the machine."""
    assert entrant.recipe is not None
    return apply_overrides(RECIPES[entrant.recipe](), entrant.changes)


def steps_of(entrant: Entrant, out: Path) -> dict[str, int]:
    """Of every stage, as they were trained below out."""
    return json.loads((out / "runs" / _folder(entrant) / BUDGET).read_text(encoding="utf-8"))["steps"]


def _is_finished(folder: Path, steps: int) -> bool:
    return (folder / f"state-{steps:08d}.safetensors").exists() and (folder / MODEL).exists()


def _within(recipe: Recipe, data: Dataset, folder: Path, budget: Budget) -> Recipe:
    """The recipe with as many steps as the time allows; measured once."""
    path = folder / BUDGET
    if not path.exists():
        steps = _steps_in(recipe, data, budget)
        with atomic_path(path) as part:
            part.write_text(json.dumps({"minutes": budget.minutes, "device": budget.device, "steps": steps}) + "\n")
    steps = json.loads(path.read_text(encoding="utf-8"))["steps"]
    return replace(recipe, **{name: replace(getattr(recipe, name), steps=steps[name]) for name in STAGES})


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
        network=_with_beats(recipe, budget),
    )
    trainee = Trainee(start(job))
    if not trainee.begin(name, stage, recipe):
        return 0
    batches = Batches([data], stage, seed=1, sources=slots(recipe))
    taken = []
    for step in range(WARM + MEASURED):
        batch = batches[step].to(budget.device)
        started = perf_counter()
        trainee.step(batch, stage, recipe, 1)
        if budget.device.startswith("cuda"):
            torch.cuda.synchronize()
        taken.append(perf_counter() - started)
    return max(LEAST_STEPS, round(seconds / (sum(taken[WARM:]) / MEASURED)))


def _with_beats(recipe: Recipe, budget: Budget) -> Network | None:
    """With BEATs base, if its network listens with it; else the loop builds it."""
    if getattr(recipe.network, "acoustic", None) != "base" or budget.beats is None:
        return None
    torch.manual_seed(budget.seed)
    network = build(recipe.network)
    assert isinstance(network, Network)
    network.encoder = beats_files.load(budget.beats)
    return network


def _folder(entrant: Entrant) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in entrant.label.lower())
