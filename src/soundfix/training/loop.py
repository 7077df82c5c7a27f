"""Training, top to bottom: three stages, one plain loop, interrupted at any step and gone on with as if nothing happened.

    for every stage (stages.py):  for every step:  batch (batches.py) -> loss -> gradient -> AdamW -> moving average
                                  now and then:    numbers, validation, a state on disk (runs.py)

On the CPU two runs with the same settings have the same weights bit for bit, interrupted or not. Several processes
(torchrun) share each batch and add up their gradients; BatchNorm of NGCC-PHAT sees each process's share only.
On a GPU the forward pass runs in bfloat16.
"""

import os
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
from soundfix.training.recipes import STAGES, Recipe, Stage
from soundfix.training.runs import MODEL, Run, State, read_newest
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
    network: nn.Module | None = None  # to start from; random weights without it
    cache: Path | None = None  # folder where what frozen parts make of fixed windows is kept
    minutes: float = float("inf")  # of this call: then it stops, and the next one goes on
    stop: Callable[[], bool] = lambda: False  # asked after every step: whether to save the state, and end


def train(job: Job, watch: Callable[[dict[str, Any]], None] = lambda numbers: None) -> nn.Module:
    """Train, and give the moving average of the weights, which is also in job.out / model.safetensors.

    watch is told the numbers of every note. Raises TrainingError when the run cannot start or go on.
    """
    keep_memory()
    ends, (rank, ranks) = monotonic() + 60 * job.minutes, join_processes(job.device)
    with alone_in(job.out) if rank == 0 else nullcontext():
        return _trained(job, watch, (rank, ranks), ends)


def _trained(job: Job, watch: Callable[[dict[str, Any]], None], of: tuple[int, int], ends: float) -> nn.Module:
    rank, _ = of
    run = Run(job.out, settings_of(job), resume=job.resume) if rank == 0 else None
    trainee = Trainee(start(job))
    state = _newest(job, run)
    if state is not None:
        trainee.restore(state)
    for name in STAGES:
        stage = getattr(job.recipe, name)
        if monotonic() < ends and not job.stop() and trainee.begin(name, stage, job.recipe):
            _run_stage(job, trainee, stage, run, watch, of, ends)
    if run is not None:
        write(job, trainee)
    return trainee.averaged()


def _run_stage(
    job: Job,
    trainee: Trainee,
    stage: Stage,
    run: Run | None,
    watch: Callable[[dict[str, Any]], None],
    of: tuple[int, int],
    ends: float,
) -> None:
    """Until its steps are done, validation has stopped falling (schedule plateau), or the time of this call is over."""
    batches, clock = _batches(job, trainee, stage, watch, of), Clock()
    for batch in clock.waited(loader(batches, first=trainee.done, workers=job.workers)):
        terms = trainee.step(batch.to(job.device), stage, job.recipe, of[1])
        _check_finite(terms, batch, job.out, trainee.step_count)
        clock.add(terms, windows=stage.batch)
        if run is None:
            continue
        if trainee.done % job.note_every == 0 or trainee.done == stage.steps:
            numbers = {"step": trainee.step_count, "stage": trainee.stage, "of": stage.steps, "done": trainee.done}
            numbers |= clock.numbers(left=stage.steps - trainee.done) | _validated(job, trainee, stage)
            run.note(numbers)
            watch(numbers)
        is_last = trainee.done == stage.steps or trainee.plateau.is_over or monotonic() > ends or job.stop()
        if trainee.done % job.save_every == 0 or is_last:
            run.save(trainee.state())
        if is_last:
            return


def _batches(
    job: Job, trainee: Trainee, stage: Stage, watch: Callable[[dict[str, Any]], None], of: tuple[int, int]
) -> Batches | FixedBatches:
    """Of windows that were drawn once, in localization where the stage has some of each clip; else of new ones."""
    sources, seed, (rank, ranks) = most_sources(job.recipe), _seed(job, trainee.stage), of
    if not stage.windows_a_clip or trainee.stage != "localization":
        return Batches(job.data, stage, seed=seed, sources=sources, rank=rank, ranks=ranks)
    if stage.thaws_encoder:
        raise TrainingError(
            "thaws_encoder and windows_a_clip: what an encoder that learns makes of windows cannot be kept"
        )
    windows = FixedSet(job.data, draw_of(stage, sources=sources, seed=job.seed), trainee.network, job.cache)
    windows.fill(
        workers=job.workers, progress=lambda what, done, shards: watch({"keeping": what, "done": done, "of": shards})
    )
    return FixedBatches(windows, stage, seed=seed, rank=rank, ranks=ranks)


def _validated(job: Job, trainee: Trainee, stage: Stage) -> dict[str, float]:
    due = trainee.done // job.validate_every > (trainee.done - job.note_every) // job.validate_every
    if (
        job.validate is None
        or trainee.stage not in ("localization", "reranker")
        or not (due or trainee.done == stage.steps)
    ):
        return {}
    numbers = job.validate(trainee.averaged())
    trainee.know_error(numbers["decoder_error_m"])
    if stage.schedule == "plateau" and not stage.is_whole(trainee.done):
        trainee.plateau.tell(numbers["mae_m"])
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


def join_processes(device: str) -> tuple[int, int]:
    """This process's rank and their number, as torchrun says; 0 of 1 without it."""
    ranks = int(os.environ.get("WORLD_SIZE", 1))
    if ranks > 1 and not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    return (torch.distributed.get_rank(), ranks) if ranks > 1 else (0, 1)


def _newest(job: Job, run: Run | None) -> State | None:
    """Every process reads the same state; only the first may change the folder."""
    if run is not None:
        return run.newest()
    return read_newest(job.out) if job.resume else None


def _check_finite(terms: Terms, batch: Batch, out: Path, step: int) -> None:
    """Stop at a loss that is not a number, with the batch beside the run."""
    wrong = [name for name, term in terms.items() if not bool(term.isfinite())]
    if not wrong:
        return
    path = out / f"not-finite-{step:08d}.safetensors"
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
    return {"recipe": asdict(job.recipe), "data": names, "seed": job.seed} | job.settings
