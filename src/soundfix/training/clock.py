"""How fast training goes, how long it waits for data and will take yet, and the mean of the loss terms since the last note.

The time that is left is told once it has been measured: the first stretch, in which processes start and memory is taken, is
no measure of the others, and what has not been timed yet (a validation, a later stage) is named instead of guessed.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from soundfix.training.batches import Batch
from soundfix.training.stages import Terms


class Clock:
    """Of one stage. Counts from one note to the next."""

    def __init__(self) -> None:
        self._timed_steps, self._timed_s, self._stretches = 0, 0.0, 0
        self._validation_s: float | None = None  # the last one took so long
        self._restart()

    def _restart(self) -> None:
        self.since, self.waiting_s = time.perf_counter(), 0.0
        self.steps, self.windows = 0, 0
        self.totals: dict[str, float] = {}

    def waited(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches, watched."""
        asked = time.perf_counter()
        for batch in batches:
            self.waiting_s += time.perf_counter() - asked
            yield batch
            asked = time.perf_counter()

    @contextmanager
    def validating(self) -> Iterator[None]:
        """What is done inside the `with` is timed by itself."""
        began = time.perf_counter()
        yield
        self._validation_s = time.perf_counter() - began
        self.since += self._validation_s

    def add(self, terms: Terms, *, windows: int) -> None:
        self.steps, self.windows = self.steps + 1, self.windows + windows
        for name, term in terms.items():
            self.totals[name] = self.totals.get(name, 0.0) + float(term)

    def numbers(self) -> dict[str, float]:
        """What the table shows; then everything but the pace starts from 0 again."""
        passed_s = time.perf_counter() - self.since
        numbers = {name: total / self.steps for name, total in self.totals.items()} | {
            "windows_a_second": self.windows / passed_s,
            "waiting": self.waiting_s / passed_s,
        }
        self._stretches += 1
        if self._stretches > 1:
            self._timed_steps, self._timed_s = self._timed_steps + self.steps, self._timed_s + passed_s
        self._restart()
        return numbers

    def left(self, *, steps: int, validations: int, later: Sequence[str]) -> dict[str, Any]:
        """left_s: what is left of the run, as far as it was timed. left_besides: what comes on top (stages, validation).

        steps, validations: still to come in this stage; later: stages after it. Nothing where no step was timed.
        """
        if not self._timed_steps:
            return {}
        seconds = steps * self._timed_s / self._timed_steps + validations * (self._validation_s or 0.0)
        is_unknown = bool(validations) and self._validation_s is None
        return {"left_s": seconds, "left_besides": [*(["validation"] if is_unknown else []), *later]}
