"""A slice of time for one reader, in a process of its own, that the system ends where an input takes too long or dies.

What it counts is in memory that is shared with who started it, and is left there however it ends.
"""

import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from attacks.attack import DEADLINE_S, attacked
from attacks.mutations import mutated
from attacks.readers import Reader

FORK = multiprocessing.get_context("fork")
LONGEST_WAIT_S = 300.0  # on the clock: for who waits; busy machines let a slice have a twentieth of a processor
MOST_MEMORY_KB = 1 << 20  # beyond what there was before
ADDRESSES_BYTES = 4 << 30
ENDS = {
    signal.SIGPROF: f"hangs: more than {DEADLINE_S:g} s of a processor",
    signal.SIGALRM: f"hangs: more than {LONGEST_WAIT_S:g} s",
}


class Tally(NamedTuple):
    """Of the inputs from the first to the next one, that is not tried yet; memory in MiB beyond what there was."""

    first: int
    next: int
    refused: int
    failed: int
    slowest_s: float
    memory_mib: float
    spent_s: float


def content(whole: bytes, seed: int, name: str, number: int) -> bytes:
    """The input of this number."""
    return mutated(whole, Random(f"{seed} {name} {number}"))


class Slice:
    """Inputs of one reader, from a number on, for some seconds of a processor."""

    def __init__(
        self, reader: Reader, whole: bytes, name: str, seed: int, first: int, lasts_s: float, out: Path
    ) -> None:
        self.reader, self.whole, self.name, self.seed, self.first = reader, whole, name, seed, first
        self.lasts_s, self.out = lasts_s, out
        self._seen = FORK.RawArray("d", [first, 0, 0, 0, 0])  # next, refused, failed, slowest, memory
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = FORK.Process(target=self._run, daemon=True)
        self._began = time.monotonic()
        self._process.start()

    @property
    def sentinel(self) -> int:
        """Ready when it is over."""
        return self._process.sentinel

    def ended(self) -> Tally:
        """What was counted; who died fails."""
        self._process.join()
        self._folder.cleanup()
        number, refused, failed, slowest_s, memory = self._seen
        if code := self._process.exitcode:
            failed, number = failed + 1, number + 1
            self._fails(int(number) - 1, ENDS.get(-code) or f"ends its process ({code})")
        spent_s = time.monotonic() - self._began
        return Tally(self.first, int(number), int(refused), int(failed), slowest_s, memory / 1024, spent_s)

    def _fails(self, number: int, why: str) -> None:
        self.out.mkdir(exist_ok=True)
        kept = content(self.whole, self.seed, self.name, number)
        (self.out / f"{self.name}-{self.seed}-{number}{self.reader.suffix}".replace(" ", "_")).write_bytes(kept)
        print(f"{self.name}, seed {self.seed}, number {number}: {why}", flush=True)

    def _run(self) -> None:
        tempfile.tempdir, sys.stdout = self._folder.name, os.fdopen(os.dup(1), "w")
        _prepare()
        path, before_kb = Path(self._folder.name) / f"attack{self.reader.suffix}", _most_kb()
        number, began = self.first, _spent_s()
        while _spent_s() - began < self.lasts_s and time.monotonic() - self._began < 20 * self.lasts_s:
            given = content(self.whole, self.seed, self.name, number)
            _set_timers(DEADLINE_S, LONGEST_WAIT_S)
            started = time.process_time()
            outcome = attacked(self.reader, given, path)
            taken_s, taken_kb = time.process_time() - started, _most_kb() - before_kb
            why = outcome.complaint or (f"takes {taken_kb >> 10} MiB" if taken_kb > MOST_MEMORY_KB else None)
            if why:
                self._fails(number, why)
            number += 1
            self._seen[1] += outcome.is_refused and not why
            self._seen[2] += bool(why)
            self._seen[3] = max(self._seen[3], taken_s)
            self._seen[4] = max(self._seen[4], taken_kb)
            self._seen[0] = number
            if taken_kb > MOST_MEMORY_KB:  # whatever comes after it would be blamed too
                break
        _set_timers(0, 0)


def _prepare() -> None:
    """What libraries say is not heard; time and memory are limited."""
    for number in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    warnings.simplefilter("ignore")
    for each in ENDS:
        signal.signal(each, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + ADDRESSES_BYTES, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _set_timers(processor_s: float, wait_s: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, processor_s)
    signal.setitimer(signal.ITIMER_REAL, wait_s)


def _spent_s() -> float:
    """Of processors, its children's too."""
    return sum(os.times()[:4])


def _most_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def total(tallies: Sequence[Tally]) -> Tally:
    """Of one reader."""
    sums = [sum(each[k] for each in tallies) for k in range(len(Tally._fields))]
    most = [max((each[k] for each in tallies), default=0) for k in range(len(Tally._fields))]
    tried = sums[1] - sums[0]
    return Tally(0, tried, sums[2], sums[3], most[4], most[5], sums[6])
