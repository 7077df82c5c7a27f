"""Every method on every window, in several processes; a run that was interrupted goes on where it was."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from soundfix.alone import alone_in
from soundfix.atomic import atomic_path
from soundfix.datasets.benchmark import Benchmark, Wanted, named_benchmark
from soundfix.engines.engine import Engine, all_done
from soundfix.engines.local import HERE
from soundfix.errors import ConfigError
from soundfix.estimate import Localizer
from soundfix.evaluation.conditions import Condition, Grid, hidden_positions, windows_of
from soundfix.evaluation.metrics import said, score
from soundfix.evaluation.rows import NAME, Row, RowFile
from soundfix.files.digest import contents
from soundfix.methods.catalog import CATALOG, load
from soundfix.networks.checkpoint import PACKAGED
from soundfix.scene import Scene
from soundfix.settled import refuse_other

MANIFEST = "manifest.json"
PACKAGES = ("soundfix", "torch", "numpy", "scipy")


@dataclass(frozen=True, kw_only=True)
class Method:
    """A name of the catalog, its weights if it needs them, what it is called in the tables, and its other options; or
    MODULE:FACTORY, of somebody's own.

    beats: file of BEATs base, for a network that listens with it.
    """

    name: str
    checkpoint: Path | None = None
    beats: Path | None = None
    label: str = ""
    options: tuple[tuple[str, bool], ...] = ()

    @classmethod
    def parsed(cls, text: str) -> "Method":
        """NAME, NAME=CHECKPOINT, LABEL:NAME=CHECKPOINT; MODULE:FACTORY or LABEL:MODULE:FACTORY, of a method of your own."""
        before, _, checkpoint = text.partition("=")
        parts = before.split(":")
        named = 1 if len(parts) == 1 or parts[-1] in CATALOG else 2
        label, name = ":".join(parts[:-named]), ":".join(parts[-named:])
        return cls(name=name, checkpoint=Path(checkpoint) if checkpoint else None, label=label or parts[-1])

    def load(self) -> Localizer:
        files = {"checkpoint": self.checkpoint, "beats": self.beats}
        return load(self.name, **{name: file for name, file in files.items() if file}, **dict(self.options))

    def describe(self) -> dict[str, Any]:
        """For the manifest: which weights, by their hash, those in the package too: they may change with it."""
        weights = self.checkpoint or (PACKAGED if self.name == "three-stream" else None)
        return {
            "name": self.name,
            "label": self.label,
            "checkpoint": contents(weights),
            "beats": contents(self.beats),
            "options": dict(self.options),
        }


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which methods, on which test set, under which conditions."""

    dataset: str
    methods: tuple[Method, ...]
    wanted: Wanted = field(default_factory=Wanted)
    grid: Grid = field(default_factory=Grid)
    sources: tuple[int, ...] = (1,)
    engine: Engine = HERE

    def describe(self) -> dict[str, Any]:
        """All that the rows depend on."""
        wanted = asdict(self.wanted) | {
            "root": str(self.wanted.root),
            "audio": [str(each) for each in self.wanted.audio],
        }
        return {
            "dataset": self.dataset,
            "methods": [method.describe() for method in self.methods],
            "wanted": wanted,
            "grid": asdict(self.grid),
            "sources": self.sources,
        }


def evaluate(plan: Plan, out: Path, *, progress: Callable[[int], None] = lambda count: None) -> list[Row]:
    """Rows of all windows, which are also in out / windows.jsonl, with a manifest of what they were made from.

    progress is called with the number of clips that have just been done, those of an earlier run included.
    Raises OutputError where the folder holds another evaluation, or another process writes in it.
    """
    with alone_in(out):
        return _evaluated(plan, out, progress)


def _evaluated(plan: Plan, out: Path, progress: Callable[[int], None]) -> list[Row]:
    for method in plan.methods:
        method.load()  # that one cannot be is found out before the folder is begun
    _settle(plan, out)
    _check_microphones(plan)
    file = RowFile(out / NAME)
    rows = file.read()
    started = perf_counter()
    for sources in plan.sources:
        data = named_benchmark(plan.dataset, replace(plan.wanted, sources=sources))
        missing = [clip for clip in range(len(data)) if not file.is_done(sources, clip)]
        progress(len(data) - len(missing))
        for k, made in all_done(plan.engine.map(partial(_task, plan, sources), missing)):
            clip = missing[k]
            file.append(sources, clip, made)
            rows += made
            progress(1)
    _note_end(out, perf_counter() - started)
    return sorted(rows, key=lambda row: (row.sources, row.clip))


def _check_microphones(plan: Plan) -> None:
    """Raises ConfigError where a condition wants more microphones than there are."""
    there, most = len(named_benchmark(plan.dataset, plan.wanted)[0].microphones), max(plan.grid.microphones)
    if plan.dataset != "measured" and most > there:  # rooms that were measured differ
        raise ConfigError(f"{most} microphones were asked for, and {plan.dataset} has {there}")


@dataclass(frozen=True, kw_only=True)
class ClipTask:
    """What a worker needs to do one clip."""

    data: Benchmark
    grid: Grid
    methods: Sequence[tuple[str, Localizer]]
    seed: int
    sources: int

    def __call__(self, clip: int) -> list[Row]:
        windows = windows_of(self.data[clip], self.grid, (self.seed, clip))
        return [
            row
            for condition, scene in windows
            if scene.truth is not None and np.isfinite(scene.truth.sources).all()
            for row in self._rows(clip, condition, scene)
        ]

    def _rows(self, clip: int, condition: Condition, scene: Scene) -> Iterator[Row]:
        truth = scene.truth
        assert truth is not None
        for label, localizer in self.methods:
            started = perf_counter()
            estimate = localizer.locate(replace(scene, truth=None))
            seconds = perf_counter() - started
            yield Row(
                clip=clip,
                moment=self.data.moment(clip),
                labels=self.data.part(clip).labels,
                sources=self.sources,
                **asdict(condition),
                rt60_s=truth.rt60_s,
                snr_db=truth.snr_db,
                method=label,
                verdict=estimate.verdict,
                score=score(
                    estimate, truth.sources, middle_m=scene.search_box().mean(axis=0), microphones_m=_to_judge(scene)
                ),
                true_m=truth.sources.tolist(),
                said_m=said(estimate).tolist(),
                seconds=seconds,
                reasons=estimate.reasons,
                beside_m=truth.beside.tolist(),
            )


def _to_judge(scene: Scene) -> np.ndarray | None:
    """True places of the microphones whose position was hidden, NaN for the others."""
    is_hidden = hidden_positions(scene)
    if scene.truth is None or scene.truth.positions is None or not is_hidden.any():
        return None
    return np.where(is_hidden[:, None], scene.truth.positions, np.nan)


def _task(plan: Plan, sources: int) -> ClipTask:
    """What does clips, with data and methods opened once in each process."""
    return ClipTask(
        data=named_benchmark(plan.dataset, replace(plan.wanted, sources=sources)),
        grid=plan.grid,
        methods=[(method.label, method.load()) for method in plan.methods],
        seed=plan.wanted.seed,
        sources=sources,
    )


def _settle(plan: Plan, out: Path) -> None:
    """Note what is evaluated, or see that it is what the folder was begun with."""
    path = out / MANIFEST
    described = json.loads(json.dumps(plan.describe()))
    if not path.exists():
        versions = {name: version(name) for name in PACKAGES}
        _write(
            path, {"plan": described, "versions": versions, "begun": datetime.now(UTC).isoformat(timespec="seconds")}
        )
        return
    refuse_other(out, "evaluation", json.loads(path.read_text(encoding="utf-8"))["plan"], described)


def _note_end(out: Path, seconds: float) -> None:
    manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    spent = manifest.get("seconds", 0.0) + round(seconds, 1)
    _write(out / MANIFEST, manifest | {"seconds": spent, "ended": datetime.now(UTC).isoformat(timespec="seconds")})


def _write(path: Path, content: dict[str, Any]) -> None:
    with atomic_path(path) as part:
        part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
