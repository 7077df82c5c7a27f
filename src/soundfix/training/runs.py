"""A training run as a folder: what it was started with, its states, its numbers, its network.

    settings.json          recipe, data, seed: a run goes on only with the same, but for a few that are noted here when
                           they change; and the words it was asked for with, so that going on needs none
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
from typing import Any, NamedTuple

import torch
from safetensors.torch import save
from torch import Tensor

from soundfix.atomic import atomic_path, refused, remove_parts
from soundfix.errors import OutputError, TrainingError
from soundfix.networks.tensor_files import read_plain

KEPT = 2  # states
SETTINGS, METRICS, MODEL = "settings.json", "metrics.jsonl", "model.safetensors"
WORDS, CHANGED = (
    "words",
    "changed",
)  # in settings.json: what the run was asked for with; what became other, at which step
GO_ON = "What was written before is still there: go on with --resume"


@dataclass(frozen=True, kw_only=True)
class State:
    """tensors by name; numbers: whatever else is needed (JSON). step counts over all stages."""

    step: int
    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


class Change(NamedTuple):
    """A setting by its name (a.b.c) that was saved so, and is given so now; None where it is missing."""

    setting: str
    saved: Any
    given: Any

    def __str__(self) -> str:
        return f"{_in_words(self.setting)}: {self.saved} -> {self.given}"


class Run:
    """The folder of one run. changes: the settings that may be others when it goes on, and are.

    may_change: their names. Any other that differs is refused with TrainingError.
    """

    def __init__(
        self, folder: Path, settings: dict[str, Any], *, resume: bool, may_change: frozenset[str] = frozenset()
    ) -> None:
        self.folder, self.may_change = folder, may_change
        self.changes: list[Change] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._settle(settings, resume=resume)
            remove_parts(folder)
        except OSError as error:
            raise TrainingError(
                f"{folder} cannot be used ({error.strerror}): is it writable, the disk full?"
            ) from error

    def _settle(self, settings: dict[str, Any], *, resume: bool) -> None:
        self.settings = json.loads(json.dumps(settings))
        before = read_settings(self.folder)
        if before is None:
            write_whole(self.folder / SETTINGS, json.dumps(self.settings, indent=1).encode())
            return
        if not resume:
            raise TrainingError(f"{self.folder} holds a run already: give --resume to go on with it, or another folder")
        self.settings[CHANGED] = before.pop(CHANGED, [])
        words = before.get(WORDS, self.settings.get(WORDS))  # what was begun before they were kept has none
        for change in _differences(before | {WORDS: words}, self.settings | {CHANGED: None}):
            if change.setting not in self.may_change:
                raise TrainingError(
                    f"{self.folder} was started with {_in_words(change.setting)} {change.saved}, and is to go on with "
                    f"{change.given}: leave it as it was, or give another --out"
                )
            self.changes.append(change)

    def save(self, state: State) -> None:
        """Write the state; older ones but the last are deleted."""
        metadata = {"numbers": json.dumps({"step": state.step, **state.numbers})}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors.items()}
        write_whole(self.folder / f"state-{state.step:08d}.safetensors", save(tensors, metadata))
        for old in _states(self.folder)[KEPT:]:
            old.unlink(missing_ok=True)

    def newest(self) -> State | None:
        """The newest state that can be read; None where there is none. Numbers written after it are forgotten, and what
        changes from here on is noted."""
        state = read_newest(self.folder)
        step = -1 if state is None else state.step
        self._forget_after(step)
        if self.changes:
            self.settings[CHANGED] += [{"step": max(step, 0), **change._asdict()} for change in self.changes]
            write_whole(self.folder / SETTINGS, json.dumps(self.settings, indent=1).encode())
        return state

    def note(self, numbers: dict[str, Any]) -> None:
        """One more line of numbers; `step` among them."""
        path = self.folder / METRICS
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(numbers) + "\n")
        except OSError as error:
            raise TrainingError(f"{refused(path, error, 'what was noted before is there')}: {GO_ON}") from error

    def _forget_after(self, step: int) -> None:
        path = self.folder / METRICS
        if not path.exists():
            return
        kept = [line for line in path.read_text().splitlines() if _step_of(line) <= step]
        write_whole(path, "".join(f"{line}\n" for line in kept).encode())


def read_settings(folder: Path) -> dict[str, Any] | None:
    """What the run in this folder was started with; None where there is none. Raises TrainingError where it is damaged."""
    path = folder / SETTINGS
    try:
        settings = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"{path} cannot be read ({error}): is it the folder of a run?") from error
    if settings is not None and not (isinstance(settings, dict) and isinstance(settings.get(CHANGED, []), list)):
        raise TrainingError(f"{path} holds no settings of a run: was it edited, or is it of another program?")
    return settings


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
        raise TrainingError(f"{error}. {GO_ON}") from error


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


def _in_words(setting: str) -> str:
    """As --set and the options call it."""
    return "recipe" if setting == "recipe.name" else setting.removeprefix("recipe.").removeprefix(f"{WORDS}.")


def _differences(before: Any, now: Any, name: str = "") -> Iterator[Change]:
    """The settings that are not alike, by name."""
    if not (isinstance(before, dict) and isinstance(now, dict)):
        if before != now:
            yield Change(name, before, now)
        return
    for key in {**before, **now}:
        yield from _differences(before.get(key), now.get(key), f"{name}.{key}" if name else key)
