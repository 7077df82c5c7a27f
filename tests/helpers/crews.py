"""Workers for engines: they can be pickled, and some end their process."""

import os
import signal
import time
from functools import partial
from pathlib import Path

from soundfix.errors import MissingPackageError

MOST_WAIT_S = 120  # for another process to begin, on a busy machine


def squares():
    """A worker that says its task squared, and which process it is."""
    return square


def square(task):
    return task**2, os.getpid()


def meeting(folder):
    """A worker that squares, and has no answer before two processes have been asked: a quick one cannot do it all."""
    return partial(_met, Path(folder))


def _met(folder, task):
    (folder / f"met-{os.getpid()}").touch()
    until = time.monotonic() + MOST_WAIT_S
    while len(list(folder.glob("met-*"))) < 2:
        assert time.monotonic() < until, "nobody else works"
        time.sleep(0.02)
    return square(task)


def deadly(folder, deaths):
    """A worker whose task 3 ends so many processes, and is done then."""
    return partial(_deadly, Path(folder), deaths)


def _deadly(folder, deaths, task):
    (folder / f"{task}-{os.getpid()}").touch()
    if task == 3 and len(list(folder.glob("3-*"))) <= deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def counted(folder):
    """A worker that leaves a file when it is made."""
    (Path(folder) / f"made-{os.getpid()}").touch()
    return square


def failing():
    return fail


def fail(task):
    raise KeyError(f"task {task} is a mistake")


def cannot_be_made():
    raise ValueError("no such weights")


def threads():
    return count_threads


def count_threads(task):
    import torch

    return torch.get_num_threads()


def large():
    return echo


def echo(task):
    return task


class Stubborn(Exception):
    """Cannot be made again by what it was made of."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def unsendable():
    """A worker whose results, or errors, are not for other processes."""
    return unsent


def unsent(task):
    if task == "missing":
        raise MissingPackageError("rosbags", "interop")
    if task == "stubborn":
        raise Stubborn("this", "that")
    return lambda: task
