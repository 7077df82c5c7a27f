"""A training run as a folder: what it was started with, its states, its numbers, its network.

    settings.json          recipe, data, seed: a run goes on only with the same
    state-000500.safetensors   everything the loop needs to go on after step 500; the newest two are kept
    metrics.jsonl          a line of numbers now and then
    model.safetensors      the moving average of the weights, for `soundfix locate --checkpoint`

A state is written under another name, synced to the disk, then renamed: it is whole or not there. What was cut short or
damaged is passed over for the one before.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from soundfix.atomic import atomic_path, remove_parts
from soundfix.errors import OutputError, TrainingError
from soundfix.networks.tensor_files import read_plain

KEPT = 2  # states
SETTINGS, METRICS, MODEL = "settings.json", "metrics.jsonl", "model.safetensors"


@dataclass(frozen=True, kw_only=True)
class State:
    """tensors by name; numbers: whatever else is needed (JSON). step counts over all stages."""

    step: int
    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


class Run:
    """The folder of one run."""

    def __init__(self, folder: Path, settings: dict[str, Any], *, resume: bool) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._settle(settings, resume=resume)
            remove_parts(folder)
        except OSError as error:
            raise TrainingError(
                f"{folder} cannot be used ({error.strerror}): is it writable, the disk full?"
            ) from error

    def _settle(self, settings: dict[str, Any], *, resume: bool) -> None:
        path = self.folder / SETTINGS
        settings = json.loads(json.dumps(settings))
        if not path.exists():
            write_whole(path, json.dumps(settings, indent=1).encode())
            return
        before = json.loads(path.read_text())
        for name, old, new in _differences(before, settings):
            raise TrainingError(
                f"{self.folder} was started with {name} {old}, and is to go on with {new}: give what it was started with, "
                "or another folder"
            )
        if not resume:
            raise TrainingError(f"{self.folder} holds a run already: give --resume to go on with it, or another folder")

    def save(self, state: State) -> None:
        """Write the state; older ones but the last are deleted."""
        metadata = {"numbers": json.dumps({"step": state.step, **state.numbers})}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors.items()}
        write_whole(self.folder / f"state-{state.step:08d}.safetensors", save(tensors, metadata))
        for old in _states(self.folder)[KEPT:]:
            old.unlink(missing_ok=True)

    def newest(self) -> State | None:
        """The newest state that can be read; None where there is none. Numbers written after it are forgotten."""
        state = read_newest(self.folder)
        self._forget_after(-1 if state is None else state.step)
        return state

    def note(self, numbers: dict[str, Any]) -> None:
        """One more line of numbers; `step` among them."""
        with (self.folder / METRICS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(numbers) + "\n")

    def _forget_after(self, step: int) -> None:
        path = self.folder / METRICS
        if not path.exists():
            return
        kept = [line for line in path.read_text().splitlines() if _step_of(line) <= step]
        write_whole(path, "".join(f"{line}\n" for line in kept).encode())


def read_newest(folder: Path) -> State | None:
    """The newest state of this folder that can be read."""
    for path in _states(folder):
        try:
            metadata, tensors = read_plain(path)
            numbers = json.loads(metadata["numbers"])
            step = int(numbers.pop("step"))
        except Exception:  # whatever is wrong with it, the one before may be whole
            continue
        return State(step=step, tensors=tensors, numbers=numbers)
    return None


def _states(folder: Path) -> list[Path]:
    return sorted(folder.glob("state-*.safetensors"), reverse=True)


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return float("inf")  # cut short


def write_whole(path: Path, content: bytes) -> None:
    """The file is whole or as it was before, power cuts included."""
    try:
        with atomic_path(path) as part:
            part.write_bytes(content)
    except OutputError as error:
        raise TrainingError(f"{error}. What was written before is still there: go on with --resume") from error


def with_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under longer names."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def without_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those whose names begin so, without it."""
    return {name.removeprefix(f"{prefix}."): t for name, t in tensors.items() if name.startswith(f"{prefix}.")}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimizer's state as named tensors."""
    state = optimizer.state_dict()["state"]
    return {f"{k}.{name}": tensor for k, slot in state.items() for name, tensor in slot.items()}


def set_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """The reverse."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        k, quantity = name.split(".")
        state.setdefault(int(k), {})[quantity] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _differences(before: Any, now: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The settings that are not alike, by name (a.b.c), each with what it was and what it is; None where it is missing."""
    if not (isinstance(before, dict) and isinstance(now, dict)):
        if before != now:
            yield name, before, now
        return
    for key in {**before, **now}:
        yield from _differences(before.get(key), now.get(key), f"{name}.{key}" if name else key)
