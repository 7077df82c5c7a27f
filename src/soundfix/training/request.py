"""From the words of `soundfix train` to a job: recipe with its changes, data, where to start, what to validate on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from soundfix.datasets.dataset import Dataset
from soundfix.datasets.opening import ENDLESS, open_dataset
from soundfix.errors import MissingPackageError, TrainingError
from soundfix.networks import checkpoint
from soundfix.networks.config import NetworkConfig
from soundfix.networks.encoders import beats
from soundfix.networks.growing import grown
from soundfix.networks.model import Network
from soundfix.networks.registry import KINDS, build
from soundfix.overrides import apply_overrides
from soundfix.training.fixed_validation import validation_of
from soundfix.training.loop import Job, train
from soundfix.training.recipes import RECIPES, Recipe

VALIDATED = 100  # windows
WINDOWS_A_CLIP = 4  # where windows are kept
Watch = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class TrainRequest:
    """What was asked for, in words."""

    recipe: str
    data: Sequence[str]
    valid: Sequence[str]
    out: Path
    changes: Sequence[str]
    seed: int
    resume: bool
    start: Path | None
    beats: Path | None
    audio: Sequence[Path]
    workers: int
    device: str
    tracks: bool
    cache: Path | None = None
    minutes: float = float("inf")


def run(request: TrainRequest, watch: Watch, stop: Callable[[], bool] = lambda: False) -> nn.Module:
    """Train as asked; stop: asked after every step, whether to save the state and end."""
    recipe = _cached(named_recipe(request.recipe, request.changes), request)
    data, valid = _opened(request, request.data, "train"), _opened(request, request.valid, "valid")
    if recipe.localization.windows_a_clip:
        _check_has_end([*data, *valid])
    job = Job(
        recipe=recipe,
        data=data,
        out=request.out,
        seed=request.seed,
        resume=request.resume,
        workers=request.workers,
        device=chosen_device(request.device),
        validate=validation_of(recipe, valid, one_by_one=VALIDATED, folder=request.cache) if valid else None,
        network=_network(request, recipe),
        cache=request.cache,
        minutes=request.minutes,
        stop=stop,
        settings={"start": str(request.start) if request.start else None},
    )
    return train(job, _tracked(watch, request.out) if request.tracks else watch)


def named_recipe(name: str, changes: Sequence[str]) -> Recipe:
    """A recipe with changes such as "localization.steps=5000"; a misspelt name is told with the nearest one."""
    if name not in RECIPES:
        raise TrainingError(f"no recipe is called {name!r}; there are {', '.join(RECIPES)}")
    return apply_overrides(RECIPES[name](), changes)


def _check_has_end(data: Sequence[Dataset]) -> None:
    for each in data:
        if len(each) >= ENDLESS:
            raise TrainingError(
                f"{each.name} is simulated without end, and windows that are drawn once need a set with one: make one with "
                "soundfix simulate FOLDER --world NAME --shards, and give the folder"
            )


def _cached(recipe: Recipe, request: TrainRequest) -> Recipe:
    """With windows that are drawn once, where what is made of them is to be kept and the recipe does not say how many."""
    stage = recipe.localization
    if request.cache is None or stage.windows_a_clip:
        return recipe
    return replace(recipe, localization=replace(stage, windows_a_clip=WINDOWS_A_CLIP))


def chosen_device(name: str) -> str:
    """auto is the GPU, where there is one."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise TrainingError(f"--device {name}: this torch sees no GPU; cpu or auto")
    return name


def _opened(request: TrainRequest, names: Sequence[str], part: str) -> list[Dataset]:
    seed = request.seed + (part == "valid")
    return [open_dataset(name, audio=request.audio, part=part, seed=seed) for name in names]


def _without_arrays(config: Any) -> Any:
    """What a recipe says of a network: which arrays it remembers is not among it."""
    return replace(config, arrays=()) if isinstance(config, NetworkConfig) else config


def _network(request: TrainRequest, recipe: Recipe) -> nn.Module | None:
    """The network to start from; None: random weights and no outside encoder."""
    if request.start is None and request.beats is None:
        return None
    torch.manual_seed(request.seed)
    network = checkpoint.load_kind(request.start, KINDS) if request.start else build(recipe.network)
    if isinstance(network, Network) and isinstance(recipe.network, NetworkConfig):
        network = grown(network, recipe.network)
    if _without_arrays(network.config) != recipe.network:
        raise TrainingError(
            f"{request.start} is another network than {recipe.name}: was it trained with other settings?"
        )
    if request.beats is not None:
        if not isinstance(network, Network):
            raise TrainingError(f"--beats: {recipe.name} does not listen with BEATs")
        network.encoder = beats.load(request.beats)
    return network


def _tracked(watch: Watch, out: Path) -> Watch:
    """Numbers go to TensorBoard too."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingPackageError("tensorboard", "track") from error
    writer = SummaryWriter(str(out))

    def both(numbers: dict[str, Any]) -> None:
        for name, value in numbers.items():
            if isinstance(value, float):
                writer.add_scalar(f"{numbers['stage']}/{name}", value, numbers["step"])
        writer.flush()
        watch(numbers)

    return both
