"""From clips to batches: windows of one length and number of microphones, with what is true of them.

Batch number `step` is a pure function of the data, the stage, the seed and the step: who goes on with a run needs to
remember nothing but the step. With several processes each makes its own share of the same batch.
Axes: B batch, M microphones (padded; is_heard says which are there), K sources, T samples at 16 kHz, P pairs.
"""

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.utils.data import DataLoader

from soundfix.datasets.dataset import Dataset, find_clip
from soundfix.datasets.noise import noise_alone
from soundfix.datasets.windows import draw_window
from soundfix.errors import DatasetError, TrainingError
from soundfix.networks.frozen import Frozen
from soundfix.networks.losses import draw_points
from soundfix.networks.masking import TokenMask, draw_mask
from soundfix.networks.model import Windows
from soundfix.resample import SAMPLE_RATE
from soundfix.scene import Room, Scene
from soundfix.training.memory import keep_memory
from soundfix.training.recipes import Stage

WALLS_OFF = 0.5  # of the windows, where a stage has walls off
HEIGHT_OFF_M = 0.02  # standard deviation of a height that is told
AHEAD = 4  # batches made before they are wanted
WINDOWS = tuple(each.name for each in fields(Windows))
Row = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Windows and their truth, in metres from the middle of each room; NaN where the truth is not known.

    is_there: sources that are sounding and whose place is known; none, where more sound than the network has slots for.
    is_empty: nothing sounds, as far as is known; there is noise alone.
    box_m: the walls. search_m: where sources are sought: the same, or a plane where their height is told.
    hides_sound, hides_position: the tokens that are hidden. points_m: where a likelihood is compared. finds_next: the
    second look is shown what is left when one source was found. frozen: what frozen parts made of them, if it is kept.
    """

    windows: Windows
    sources_m: Float[Tensor, "batch source 3"]
    is_there: Bool[Tensor, "batch source"]
    is_empty: Bool[Tensor, "batch"]
    microphones_m: Float[Tensor, "batch mic 3"]
    box_m: Float[Tensor, "batch 2 3"]
    search_m: Float[Tensor, "batch 2 3"]
    speed_m_s: Float[Tensor, "batch"]
    hides_sound: Bool[Tensor, "batch mic"]
    hides_position: Bool[Tensor, "batch mic"]
    points_m: Float[Tensor, "batch point 3"]
    finds_next: Bool[Tensor, "batch"]
    frozen: Frozen = field(default_factory=Frozen)

    @property
    def mask(self) -> TokenMask:
        return TokenMask(self.hides_sound, self.hides_position)

    def to(self, device: torch.device | str) -> "Batch":
        return Batch(**{name: value.to(device) for name, value in vars(self).items()})


class Batches(torch.utils.data.Dataset):
    """[step] is the batch of that step; rank and ranks choose one process's share of it."""

    def __init__(
        self,
        datasets: Sequence[Dataset],
        stage: Stage,
        *,
        seed: int,
        sources: int,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self.datasets, self.stage, self.seed, self.sources = datasets, stage, seed, sources
        self.share = share_of(stage, rank, ranks)
        self.counts = [len(each) for each in datasets]
        if not sum(self.counts):
            raise TrainingError("no clips to train on: is the data set empty?")

    def __len__(self) -> int:
        return self.stage.steps

    def __getitem__(self, step: int) -> Batch:
        stage, rng = self.stage, np.random.default_rng([self.seed, step])
        samples = round(float(rng.choice(stage.windows_s)) * SAMPLE_RATE)
        microphones = int(rng.integers(stage.microphones[0], stage.microphones[1] + 1))
        clips = rng.integers(sum(self.counts), size=stage.batch)
        seeds = rng.integers(2**63, size=stage.batch)
        rows = [
            self._row(int(clip), samples, microphones, np.random.default_rng(own))
            for clip, own in zip(clips[self.share], seeds[self.share], strict=True)
        ]
        return stacked(rows)

    def _row(self, clip: int, samples: int, microphones: int, rng: np.random.Generator) -> Row:
        dataset, number = find_clip(self.counts, clip)
        whole = self.datasets[dataset][number]
        count = len(whole.microphones) if self.stage.keeps_channels else microphones
        window = draw_window(whole, samples, count, rng)
        if self.stage.share_noise and rng.random() < self.stage.share_noise:
            window = noise_alone(window, rng)
        if self.stage.share_roomless and rng.random() < self.stage.share_roomless:
            window = replace(window, room=None)
        if self.stage.walls_off_m and rng.random() < WALLS_OFF and window.room is not None:
            window = replace(window, room=_off(window.room, self.stage.walls_off_m, rng))
        row = row_of(window, microphones=count, sources=self.sources)
        if self.stage.share_height and rng.random() < self.stage.share_height:
            row["search_m"] = _at_height(row, rng)
        if self.stage.keeps_channels:
            row["is_heard"] &= torch.from_numpy(rng.permutation(count) < microphones)
        return row | hidden_and_points(row, self.stage, rng)


def share_of(stage: Stage, rank: int, ranks: int) -> slice:
    """One process's rows of a batch. Raises TrainingError where they cannot all have as many."""
    if stage.batch % ranks:
        raise TrainingError(f"a batch of {stage.batch} for {ranks} processes: wanted a multiple of their number")
    return slice(rank, None, ranks)


def _off(room: Room, error_m: float, rng: np.random.Generator) -> Room:
    """The room with each wall a little off."""
    low, high = (np.array(room) + error_m * rng.standard_normal((2, 3))).tolist()
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def _at_height(row: Row, rng: np.random.Generator) -> Float[Tensor, "2 3"]:
    """The box at the height of the first source, which is told a little wrong; as it is where no source is known."""
    search_m, height_m = row["search_m"].clone(), row["sources_m"][0, 2]
    if bool(row["is_there"][0]):
        search_m[:, 2] = height_m + HEIGHT_OFF_M * float(rng.standard_normal())
    return search_m


def row_of(scene: Scene, *, microphones: int, sources: int) -> Row:
    """A scene as tensors, padded to these numbers of microphones and sources."""
    count, box = len(scene.microphones), scene.search_box()
    origin, is_known, truth = box.mean(axis=0), scene.microphones.is_known, scene.truth
    places = np.full((0, 3), np.nan) if truth is None or len(truth.sources) > sources else truth.sources
    row = {
        "audio": _padded(np.nan_to_num(scene.audio, posinf=0.0, neginf=0.0), microphones, 0.0),
        "positions_m": _padded(
            np.where(is_known[:, None], scene.microphones.positions - origin, 0.0), microphones, 0.0
        ),
        "is_known": np.pad(is_known, (0, microphones - count)),
        "is_heard": np.pad(np.ones(count, dtype=bool), (0, microphones - count)),
        "sources_m": _padded(places - origin, sources, np.nan),
        "is_there": np.pad(np.isfinite(places).all(axis=1), (0, sources - len(places))),
        "is_empty": truth is not None and not len(truth.sources),
        "microphones_m": _padded(_true_positions(scene) - origin, microphones, np.nan),
        "box_m": (box - origin).astype(np.float32),
        "search_m": (box - origin).astype(np.float32),
        "speed_m_s": np.float32(scene.speed),
    }
    return {name: torch.as_tensor(value) for name, value in row.items()}


def _true_positions(scene: Scene) -> Float[np.ndarray, "mic 3"]:
    """NaN where nobody knows."""
    if scene.truth is not None and scene.truth.positions is not None:
        return scene.truth.positions
    return scene.microphones.border_positions()


def hidden_and_points(row: Row, stage: Stage, rng: np.random.Generator) -> Row:
    """What is hidden in this window, and the points its likelihood is compared at."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    hides = stage.share_hidden == 1 or rng.random() < stage.share_hidden
    mask = draw_mask(
        row["is_heard"][None],
        row["is_known"][None],
        audio_share=stage.hidden_sound,
        most_positions=stage.hidden_positions if hides else 0,
        generator=generator,
    )
    points = draw_points(row["sources_m"][None], row["search_m"][None], count=stage.points, generator=generator)
    is_told = bool(mask.position.any()) and bool(stage.share_told) and rng.random() < stage.share_told
    return {
        "told_m": row["sources_m"] if is_told else torch.full_like(row["sources_m"], torch.nan),
        "hides_sound": mask.audio[0],
        "hides_position": mask.position[0],
        "points_m": points[0],
        "finds_next": torch.tensor(bool(stage.share_next) and rng.random() < stage.share_next),
    }


def stacked(rows: Sequence[Row]) -> Batch:
    """Rows of the same sizes as one batch."""
    columns = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
    windows = Windows(**{name: columns.pop(name) for name in WINDOWS})
    frozen = Frozen(**{name: columns.pop(name, None) for name in Frozen._fields})
    return Batch(windows=windows, frozen=frozen, **columns)


def _padded(rows: np.ndarray, count: int, value: float) -> Float[np.ndarray, "row column"]:
    return np.pad(rows, ((0, count - len(rows)), (0, 0)), constant_values=value).astype(np.float32)


def loader(batches: torch.utils.data.Dataset, *, first: int, workers: int) -> Iterator[Batch]:
    """The batches from step `first` on, made ahead of time by other processes (0: by this one)."""
    made = DataLoader(
        batches,
        batch_size=None,
        sampler=range(first, len(batches)),  # type: ignore[arg-type]
        num_workers=workers,
        prefetch_factor=AHEAD if workers else None,
        worker_init_fn=begin_worker,
    )
    try:
        yield from made
    except DatasetError as error:  # from another process it comes with a traceback as its text: the last line says it
        raise DatasetError(
            str(error).strip().splitlines()[-1].removeprefix(f"{DatasetError.__module__}.DatasetError: ")
        ) from error


def begin_worker(worker: int) -> None:
    """For processes of a DataLoader: one thread, memory that is kept, and no ear for signals.

    Ctrl-C and torchrun tell every process of a group; the one that trains finishes its step first, and needs its batches.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(1)
    keep_memory()
