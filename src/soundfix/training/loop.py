"""Training, top to bottom: one plain loop in stages, interrupted at any step and gone on with as if nothing happened.

    for every stage (stages.py):  for every step:  batch (batches.py) -> loss -> gradient -> AdamW -> moving average
                                  now and then:    numbers, validation, a state on disk (runs.py)

On the CPU two runs with the same settings have the same weights bit for bit, interrupted or not. Several processes
share each batch (nodes.py). On a GPU the forward pass runs in bfloat16.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor, nn

from soundfix.alone import alone_in
from soundfix.atomic import make_folder
from soundfix.datasets.dataset import Dataset
from soundfix.errors import TrainingError
from soundfix.localization.known_layouts import Array, distinct
from soundfix.localization.multi_source import MOST_SOURCES
from soundfix.networks import checkpoint
from soundfix.networks.config import NetworkConfig
from soundfix.networks.registry import build, kind_of
from soundfix.networks.rivals.wav2pos import Wav2posConfig
from soundfix.scene import Scene
from soundfix.training.batches import Batch, Batches, loader
from soundfix.training.clock import Clock
from soundfix.training.fixed_batches import FixedBatches, FixedSet
from soundfix.training.fixed_windows import draw_of
from soundfix.training.lessons import know_arrays, know_room
from soundfix.training.memory import keep_memory
from soundfix.training.nodes import any_of_all, count, first_before_others, is_first, joined, rank, told_by_first
from soundfix.training.recipes import STAGES, Recipe, Stage
from soundfix.training.runs import MODEL, Run
from soundfix.training.stages import Terms
from soundfix.training.trainee import Trainee

NORMALIZED_TO = 256  # clips whose sources set the origin and unit of coordinates, for networks that learn one room


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is trained on what. validate gives numbers for the table, from a network; every, in steps."""

    recipe: Recipe
    data: Sequence[Dataset]
    out: Path
    seed: int = 0
    resume: bool = False
    workers: int = 1
    device: str = "cpu"
    validate: Callable[[nn.Module], dict[str, float]] | None = None
    save_every: int = 200
    note_every: int = 20
    validate_every: int = 500
    settings: dict[str, Any] = field(default_factory=dict)  # more of what must be the same when going on
    words: dict[str, Any] = field(default_factory=dict)  # what it was asked for by, kept beside the settings
    may_change: frozenset[str] = frozenset()  # settings that may be others when going on, which is noted
    network: nn.Module | None = None  # to start from; random weights without it
    cache: Path | None = None  # folder where what frozen parts make of fixed windows is kept
    minutes: float = float("inf")  # of this call: then it stops, and the next one goes on
    stop: Callable[[], bool] = lambda: False  # asked after every step: whether to save the state, and end
    saved: Callable[[], None] = lambda: None  # told of every state on disk


def train(job: Job, watch: Callable[[dict[str, Any]], None] = lambda numbers: None) -> nn.Module:
    """Train, and give the moving average of the weights, which is also in job.out / model.safetensors.

    watch is told the numbers of every note. Raises TrainingError when the run cannot start or go on.
    """
    keep_memory()
    ends = monotonic() + 60 * job.minutes
    with joined(), alone_in(job.out) if is_first() else nullcontext():
        return _trained(job, watch, ends)


def _trained(job: Job, watch: Callable[[dict[str, Any]], None], ends: float) -> nn.Module:
    run = Run(job.out, settings_of(job), resume=job.resume, may_change=job.may_change) if is_first() else None
    trainee = Trainee(start(job))
    state = told_by_first(run.newest() if run else None)
    if state is not None:
        trainee.restore(state)
        changes = map(str, run.changes if run else ())
        _tell(watch, f"{job.out} goes on after step {trainee.step_count}, in {trainee.stage}", *changes)
    for name in STAGES:
        stage = getattr(job.recipe, name)
        if trainee.begin(name, stage, job.recipe) and _run_stage(job, trainee, stage, run, watch, ends):
            _tell(watch, f"stopped: {job.out} holds the state, --resume goes on with it")
            break
    if run is not None:
        write(job, trainee)
    return trainee.averaged()


def _run_stage(
    job: Job, trainee: Trainee, stage: Stage, run: Run | None, watch: Callable[[dict[str, Any]], None], ends: float
) -> bool:
    """Until its steps are done, or validation has stopped falling (schedule plateau); true: this call is over before."""
    batches, clock = _batches(job, trainee, stage, watch), Clock()
    for batch in clock.waited(loader(batches, first=trainee.done, workers=job.workers)):
        terms = trainee.step(batch.to(job.device), stage, job.recipe)
        _check_finite(terms, batch, job.out, trainee.step_count)
        clock.add(terms, windows=stage.batch)
        if trainee.done % job.note_every == 0 or trainee.done == stage.steps:
            validated = _validated(job, trainee, stage, clock)
            if run is not None:
                numbers = {"step": trainee.step_count, "stage": trainee.stage, "of": stage.steps, "done": trainee.done}
                numbers |= clock.numbers() | _left(job, trainee, stage, clock, ends) | validated
                run.note(numbers)
                watch(numbers)
        ends_here = any_of_all(monotonic() > ends or job.stop())
        is_last = trainee.done == stage.steps or trainee.plateau.is_over or ends_here
        if run is not None and (trainee.done % job.save_every == 0 or is_last):
            run.save(trainee.state())
            job.saved()
        if is_last:
            return ends_here
    return False


def _tell(watch: Callable[[dict[str, Any]], None], *lines: str) -> None:
    if is_first():
        watch({"said": lines})


def _left(job: Job, trainee: Trainee, stage: Stage, clock: Clock, ends: float) -> dict[str, Any]:
    """How long the run will take yet, and when this call stops, if that is told."""
    last, every = stage.steps, job.validate_every
    validations = (
        (last - 1) // every - trainee.done // every + 1 if _validates(job, trainee) and trainee.done < last else 0
    )
    later = [name for name in STAGES[STAGES.index(trainee.stage) + 1 :] if getattr(job.recipe, name).steps]
    left = clock.left(steps=last - trainee.done, validations=validations, later=later)
    return left | ({"stops_in_s": max(0.0, ends - monotonic())} if ends < float("inf") else {})


def _batches(
    job: Job, trainee: Trainee, stage: Stage, watch: Callable[[dict[str, Any]], None]
) -> Batches | FixedBatches:
    """Of windows that were drawn once, in localization where the stage has some of each clip; else of new ones."""
    sources, seed = most_sources(job.recipe), _seed(job, trainee.stage)
    if not stage.windows_a_clip or trainee.stage != "localization":
        return Batches(job.data, stage, seed=seed, sources=sources, rank=rank(), ranks=count())
    if stage.thaws_encoder:
        raise TrainingError(
            "thaws_encoder and windows_a_clip: what an encoder that learns makes of windows cannot be kept"
        )
    windows = FixedSet(job.data, draw_of(stage, sources=sources, seed=job.seed), trainee.network, job.cache)
    with first_before_others():
        windows.fill(
            workers=job.workers, progress=lambda what, done, of: watch({"keeping": what, "done": done, "of": of})
        )
    return FixedBatches(windows, stage, seed=seed, rank=rank(), ranks=count())


def _validates(job: Job, trainee: Trainee) -> bool:
    return job.validate is not None and trainee.stage in ("localization", "reranker")


def _validated(job: Job, trainee: Trainee, stage: Stage, clock: Clock) -> dict[str, float]:
    """What the first process measured, where it is due; known to all, for a learning rate may depend on it."""
    due = trainee.done // job.validate_every > (trainee.done - job.note_every) // job.validate_every
    if job.validate is None or not _validates(job, trainee) or not (due or trainee.done == stage.steps):
        return {}
    with clock.validating():
        numbers = told_by_first(job.validate(trainee.averaged()) if is_first() else {})
    trainee.know_error(numbers["decoder_error_m"])
    if stage.schedule == "plateau" and not stage.is_whole(trainee.done):
        trainee.plateau.tell(numbers["mae_m"])
    if is_first():
        write(job, trainee)
    return numbers


def start(job: Job) -> nn.Module:
    """The network before its first step."""
    torch.manual_seed(job.seed)
    network = job.network or build(job.recipe.network)
    glance = _glance(job.data)
    know_room(network, glance.sources, glance.microphones)
    know_arrays(network, glance.arrays)
    return network.to(job.device)


def write(job: Job, trainee: Trainee) -> None:
    """The averaged network as a checkpoint."""
    notes = {"recipe": job.recipe.name, "seed": job.seed, "stage": trainee.stage, "steps": trainee.step_count}
    kind = kind_of(job.recipe.network)
    checkpoint.save(trainee.averaged(), job.out / MODEL, kind=kind, notes=notes | job.settings)


def _check_finite(terms: Terms, batch: Batch, out: Path, step: int) -> None:
    """Stop at a loss that is not a number, with the batch beside the run."""
    wrong = [name for name, term in terms.items() if not bool(term.isfinite())]
    if not wrong:
        return
    path = out / f"not-finite-{step:08d}{f'-{rank()}' if rank() else ''}.safetensors"
    make_folder(out)
    both = vars(batch) | vars(batch.windows)
    tensors = {name: value for name, value in both.items() if isinstance(value, Tensor)}
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, path)
    raise TrainingError(
        f"after step {step} the loss of {', '.join(wrong)} is not finite; the batch is in {path}. "
        "Is the learning rate too high?"
    )


def most_sources(recipe: Recipe) -> int:
    """How many sources may sound at once in what its network learns from; one slot of a likelihood head places several."""
    network = recipe.network
    if isinstance(network, NetworkConfig) and network.head is not None:
        return max(network.sources, MOST_SOURCES)
    return network.sources if isinstance(network, NetworkConfig | Wav2posConfig) else 1


class _Glance(NamedTuple):
    """Of some clips: true places of sources and the microphones of the first, from the middle of their rooms; arrays."""

    sources: Float[Tensor, "point 3"]
    microphones: Float[Tensor, "mic 3"]
    arrays: list[Array]


def _glance(data: Sequence[Dataset]) -> _Glance:
    sources, microphones, arrays = [torch.zeros(0, 3)], torch.zeros(0, 3), []
    for dataset in data:
        for clip in range(min(len(dataset), NORMALIZED_TO)):
            scene = dataset[clip]
            middle = scene.search_box().mean(axis=0)
            arrays.append(_stands(scene))
            if not len(microphones):
                microphones = torch.from_numpy(scene.microphones.positions - middle).float()
            if scene.truth is not None:
                sources.append(torch.from_numpy(scene.truth.sources - middle).float())
    points = torch.cat(sources)
    whole = [positions for positions in arrays if np.isfinite(positions).all()]
    return _Glance(points[points.isfinite().all(dim=1)], microphones, distinct(whole))


def _stands(scene: Scene) -> Array:
    """Where all microphones truly stand, or are listed; NaN where that is unknown."""
    true_m = None if scene.truth is None else scene.truth.positions
    return scene.microphones.border_positions() if true_m is None else true_m


def _seed(job: Job, stage: str) -> int:
    return job.seed * len(STAGES) + STAGES.index(stage)


def settings_of(job: Job) -> dict[str, Any]:
    names = [each.name for each in job.data]
    words = {"words": job.words} if job.words else {}
    return {"recipe": asdict(job.recipe), "data": names, "seed": job.seed} | job.settings | words
