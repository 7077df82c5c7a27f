"""From what was asked for (asked.py) to a job: data that is opened, a network to start from, what to validate on."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
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
from soundfix.training.asked import Asked, TrainRequest, asked_for, may_change
from soundfix.training.fixed_validation import validation_of
from soundfix.training.loop import Job, train
from soundfix.training.nodes import is_first, joined, own_device, told_by_first

VALIDATED = 100  # windows
Watch = Callable[[dict[str, Any]], None]


def run(
    request: TrainRequest,
    watch: Watch,
    *,
    stop: Callable[[], bool] = lambda: False,
    saved: Callable[[], None] = lambda: None,
) -> nn.Module:
    """Train as asked; stop: asked after every step, whether to save the state and end; saved: told of every state."""
    with joined():
        asked = told_by_first(asked_for(request) if is_first() else None)
        assert asked is not None
        words = asked.words
        data, valid = _opened(asked, words.data, "train"), _opened(asked, words.valid, "valid")
        if asked.recipe.localization.windows_a_clip:
            _check_has_end([*data, *valid])
        cache = Path(words.cache) if words.cache else None
        job = Job(
            recipe=asked.recipe,
            data=data,
            out=request.out,
            seed=asked.seed,
            resume=request.resume,
            workers=words.workers,
            device=own_device(chosen_device(words.device)),
            validate=validation_of(asked.recipe, valid, one_by_one=VALIDATED, folder=cache) if valid else None,
            network=_network(asked),
            cache=cache,
            minutes=request.minutes,
            stop=stop,
            saved=saved,
            settings=asked.names,
            words=asdict(words),
            may_change=may_change(words),
        )
        return train(job, _tracked(watch, request.out) if words.tracks else watch)


def _check_has_end(data: Sequence[Dataset]) -> None:
    for each in data:
        if len(each) >= ENDLESS:
            raise TrainingError(
                f"{each.name} is simulated without end, and windows that are drawn once need a set with one: make one with "
                "soundfix simulate FOLDER --world NAME --shards, and give the folder"
            )


def chosen_device(name: str) -> str:
    """auto is the GPU, where there is one."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise TrainingError(f"--device {name}: this torch sees no GPU; cpu or auto")
    return name


def _opened(asked: Asked, names: Sequence[str], part: str) -> list[Dataset]:
    seed, audio = asked.seed + (part == "valid"), [Path(folder) for folder in asked.words.audio]
    return [open_dataset(name, audio=audio, part=part, seed=seed) for name in names]


def _without_arrays(config: Any) -> Any:
    """What a recipe says of a network: which arrays it remembers is not among it."""
    return replace(config, arrays=()) if isinstance(config, NetworkConfig) else config


def _network(asked: Asked) -> nn.Module | None:
    """The network to start from; None: random weights and no outside encoder."""
    recipe, words = asked.recipe, asked.words
    if words.start is None and words.beats is None:
        return None
    torch.manual_seed(asked.seed)
    network = checkpoint.load_kind(words.start, KINDS) if words.start else build(recipe.network)
    if isinstance(network, Network) and isinstance(recipe.network, NetworkConfig):
        network = grown(network, recipe.network)
    if _without_arrays(network.config) != recipe.network:
        raise TrainingError(f"{words.start} is another network than {recipe.name}: was it trained with other settings?")
    if words.beats is not None:
        if not isinstance(network, Network):
            raise TrainingError(f"--beats: {recipe.name} does not listen with BEATs")
        network.encoder = beats.load(words.beats)
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
