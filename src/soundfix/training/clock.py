"""How fast training goes, how long it waits for data, and the mean of the loss terms since the last note."""

import time
from collections.abc import Iterable, Iterator

from soundfix.training.batches import Batch
from soundfix.training.stages import Terms


class Clock:
    """Counts from one note to the next."""

    def __init__(self) -> None:
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

    def add(self, terms: Terms, *, windows: int) -> None:
        self.steps, self.windows = self.steps + 1, self.windows + windows
        for name, term in terms.items():
            self.totals[name] = self.totals.get(name, 0.0) + float(term)

    def numbers(self, *, left: int) -> dict[str, float]:
        """What the table shows; then everything starts from 0 again."""
        passed_s = time.perf_counter() - self.since
        numbers = {name: total / self.steps for name, total in self.totals.items()} | {
            "windows_a_second": self.windows / passed_s,
            "waiting": self.waiting_s / passed_s,
            "left_s": left * passed_s / self.steps,
        }
        self._restart()
        return numbers
