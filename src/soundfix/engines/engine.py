"""What every engine does: the same work on many tasks, each done once, in the order in which they are finished.

A worker is made once in each process by a function that can be pickled, so that a network is loaded once; it takes a task
and gives a result. A process that dies in the middle of a task is replaced, and the task is done again.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from soundfix.errors import EngineError
from soundfix.threads import one_torch_thread

Task = TypeVar("Task")
Result = TypeVar("Result")
Worker = Callable[[Task], Result]

ATTEMPTS = 3  # a task that ends so many processes is the reason


@runtime_checkable
class Engine(Protocol):
    """Does tasks."""

    def map(
        self, make: Callable[[], Worker[Task, Result]], tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result | EngineError]]:
        """The number of each task, and its result, as they are finished; an EngineError for one that ends its process
        whenever it is begun. What a worker raises is raised here.

        make: gives the worker; called once in each process. It, tasks and results are pickled.
        """


def worked(worker: Worker[Task, Result], task: Task) -> Result:
    """The result, computed in one thread: workers side by side need no more, and sums stay the same on every machine."""
    with one_torch_thread():
        return worker(task)


def sendable(error: Exception) -> Exception:
    """The error, or, where it would not be the same in another process, one that says what it said."""
    try:
        again = pickle.loads(pickle.dumps(error))  # ours
        is_same = type(again) is type(error) and str(again) == str(error)
    except Exception:  # whatever somebody's exceptions do when they are pickled
        is_same = False
    return error if is_same else EngineError(f"a worker raised {type(error).__name__}: {error}")


def all_done(results: Iterator[tuple[int, Result | EngineError]]) -> Iterator[tuple[int, Result]]:
    """The same, where every task counts: raises the EngineError of one that cannot be done."""
    for number, result in results:
        if isinstance(result, EngineError):
            raise result
        yield number, result
