"""A Ray cluster: tasks are the rows of a Ray Data set, and an actor of its pool is a worker.

A machine that is lost in the middle takes nothing with it: Ray starts its actors elsewhere and gives them their tasks again.
Files that tasks name must be where every machine sees them.
"""

import logging
import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from soundfix.engines.engine import ATTEMPTS, Result, Task, Worker, sendable, worked
from soundfix.errors import ConfigError, EngineError, MissingPackageError

TOLD = f"{ATTEMPTS} actors ended without a word while they worked at it: is memory short?"
A_ROUND = 1000  # tasks that are handed over at once: so many are in memory
Row = dict[str, Any]


class OnRay:
    """So many actors, of a CPU each. address: of a cluster, "auto" for the one of this machine; without it one is begun."""

    def __init__(self, workers: int, address: str | None = None) -> None:
        if workers < 1:
            raise ConfigError(f"{workers} workers: wanted 1 or more")
        self.workers = workers
        self._ray = _begun(workers, address)

    def map(
        self, make: Callable[[], Worker[Task, Result]], tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result | EngineError]]:
        """See Engine."""
        made = self._ray.cloudpickle.dumps(make)
        for first in range(0, len(tasks), A_ROUND):
            yield from self._round(
                made, {number: tasks[number] for number in range(len(tasks))[first : first + A_ROUND]}
            )

    def _round(self, make: bytes, tasks: Mapping[int, Any]) -> Iterator[tuple[int, Any]]:
        lost = set(tasks)
        for row in self._rows(make, tasks):
            if not row["result"]:
                continue
            lost.remove(row["number"])
            result, error = pickle.loads(row["result"])  # ours: an actor of this program made it
            if error is not None:
                raise error
            yield row["number"], result
        yield from ((number, EngineError(TOLD)) for number in sorted(lost))

    def _rows(self, make: bytes, tasks: Mapping[int, Any]) -> Iterator[Row]:
        data = self._ray.data
        context = data.DataContext.get_current()
        context.enable_progress_bars = False
        context.max_errored_blocks = -1  # a row that is missing in the end is a task that was lost
        rows = [{"number": number, "task": pickle.dumps(task)} for number, task in tasks.items()]
        given = data.from_items(rows, override_num_blocks=len(rows))
        count = self._ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(_Count).remote()
        done = given.map_batches(
            _Actor,
            fn_constructor_args=(make, count),
            batch_size=1,
            compute=data.ActorPoolStrategy(size=min(self.workers, len(rows)), max_tasks_in_flight_per_actor=2),
            num_cpus=1,
        )
        return done.iter_rows()


class _Count:
    """How often each task was begun, by all actors: Ray gives one to a new actor for ever, however many it has ended."""

    def __init__(self) -> None:
        self._times: Counter[int] = Counter()

    def begin(self, number: int) -> int:
        self._times[number] += 1
        return self._times[number]


class _Actor:
    """A worker, made once: with the first task, so that what goes wrong is raised as what a task raises."""

    def __init__(self, make: bytes, count: Any) -> None:
        self._make, self._count = make, count
        self._worker: Worker[Any, Any] | None = None

    def __call__(self, batch: Row) -> Row:
        """A task's number and its result; nothing of one that was begun too often."""
        times = import_module("ray").get(self._count.begin.remote(int(batch["number"][0])))
        return {"number": batch["number"], "result": [self._said(batch["task"][0]) if times <= ATTEMPTS else b""]}

    def _said(self, task: bytes) -> bytes:
        """The result and the error, one of which is None; what cannot be pickled is an error too."""
        try:
            self._worker = self._worker or pickle.loads(self._make)()
            return pickle.dumps((worked(self._worker, pickle.loads(task)), None))
        except Exception as error:  # whatever it is, it is raised where the work was asked for
            return pickle.dumps((None, sendable(error)))


def _begun(workers: int, address: str | None) -> Any:
    """Ray, connected. Raises MissingPackageError without it, EngineError where nobody answers."""
    try:
        ray = import_module("ray")
        import_module("ray.data")
    except ImportError as error:
        raise MissingPackageError("ray", "cluster") from error
    if not ray.is_initialized():
        own = {} if address else {"num_cpus": workers, "include_dashboard": False}
        try:
            ray.init(address=address or "local", log_to_driver=False, logging_level="ERROR", **own)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise EngineError(f"no Ray cluster at {address}, wanted one that runs: {error}") from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray
