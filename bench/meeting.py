"""A mutant meets tests, in a fork of a process that has loaded what soundfix and its tests need, but nothing of theirs.

So a meeting costs the import of soundfix (a second or two) and the tests, not that of PyTorch. The copy of the source stays
from one mutant to the next, with what Python and Numba have compiled; only the module is written anew.
"""

import itertools
import os
import shutil
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/soundfix"
MOST_S = 600.0  # of one meeting: who hangs is noticed
OPTIONS = (
    "-x",
    "--timeout=120",
    "-p",
    "no:cacheprovider",
    "-m",
    "not slow",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)
SHARED_NUMBERS = "localization/in_numpy.py"  # compiled into loops of other modules, whose caches know nothing of it


class Mutant(NamedTuple):
    """What a module's text is instead, and the tests that should notice, in stages."""

    name: str
    module: str
    text: str
    tests: list[list[str]]


class Ended(NamedTuple):
    """The first test, or file of tests, that failed ("" for none, "the run" for all); and what to run to see it again."""

    first: str
    again: tuple[str, ...]


class Meeting:
    """Mutants meet tests here. folder: for the copy of the source; needed: keeps the names of modules that tests load."""

    def __init__(self, folder: Path, needed: Path) -> None:
        self.source = folder / "src"
        self.fails_anyway: list[str] = []
        self.passes: set[tuple[str, ...]] = set()
        self._times = itertools.count(1_000_000_000)
        shutil.copytree(PACKAGE.parent, self.source)
        if not needed.exists():
            needed.write_text("\n".join(_forked(_needed, self.source) or ()))
        for name in needed.read_text().split():
            with suppress(Exception), warnings.catch_warnings(action="ignore"):
                import_module(name)

    def who_notices(self, mutant: Mutant) -> str | None:
        """The first test that fails with it, and passes without."""
        for tests in mutant.tests:
            while True:
                with self._changed(mutant):
                    ended = self._run(*tests, is_fresh=mutant.module == SHARED_NUMBERS)
                if not ended.first:
                    break
                if self._passes_without(ended.again):
                    return ended.first
                assert "::" in ended.first, (
                    f"{mutant.name}: {ended.first} fails without it. Are tests named that are no more?"
                )
                self.fails_anyway.append(ended.first)
                print(f"fails anyway: {ended.first}", flush=True)
        return None

    def _passes_without(self, tests: tuple[str, ...]) -> bool:
        if tests not in self.passes and not self._run(*tests).first:
            self.passes.add(tests)
        return tests in self.passes

    @contextmanager
    def _changed(self, mutant: Mutant) -> Iterator[None]:
        """Each at a second of its own: what was compiled of a module is known by its time."""
        path = self.source / "soundfix" / mutant.module
        before, time = path.read_text("utf-8"), path.stat().st_mtime_ns
        path.write_text(mutant.text, "utf-8")
        os.utime(path, (at := next(self._times), at))
        try:
            yield
        finally:
            path.write_text(before, "utf-8")
            os.utime(path, ns=(time, time))

    def _run(self, *tests: str, is_fresh: bool = False) -> Ended:
        words = [*OPTIONS, *(f"--deselect={test}" for test in self.fails_anyway), *tests]
        kernels = tempfile.mkdtemp(dir=self.source.parent) if is_fresh else None
        code, first = _forked(_tested, self.source, words, kernels) or (-1, "")
        if code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            return Ended("", ())
        if "::" in first:
            return Ended(first, (first,))
        return Ended(first or "the run", tests if code == -1 else ("--collect-only", *([first] if first else tests)))


class _Failed:
    """What pytest is told to remember: the first test, or file of tests, that failed."""

    first = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.first = self.first or (report.nodeid if report.failed else "")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.first = self.first or (report.nodeid if report.failed else "")


def _tested(words: list[str], kernels: str | None) -> tuple[int, str]:
    """Exit status, and who failed first. kernels: where compiled loops are kept, if not where they always are."""
    if kernels:
        import numba

        numba.config.CACHE_DIR = kernels
    failed = _Failed()
    return int(pytest.main(words, plugins=[failed])), failed.first


def _needed() -> list[str]:
    """Modules that tests load, not of this folder."""
    pytest.main(["--collect-only", *OPTIONS, *map(str, sorted((ROOT / "tests").iterdir()))])
    return [name for name, module in list(sys.modules.items()) if _is_foreign(name, getattr(module, "__file__", None))]


def _is_foreign(name: str, file: str | None) -> bool:
    return file is not None and "site-packages" in file and not name.startswith(("soundfix", "tests"))


def _forked(work: Callable[..., Any], source: Path, *told: object) -> Any:
    """What the work says, in a process of its own with this source; None if it crashes, or hangs."""
    here, there = get_context("fork").Pipe(duplex=False)
    process = get_context("fork").Process(target=_in_fork, args=(there, source, work, *told))
    process.start()
    there.close()
    said = None
    with suppress(EOFError):
        said = here.recv() if here.poll(MOST_S) else None
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.join()
    return said


def _in_fork(there: Connection, source: Path, work: Callable[..., Any], *told: object) -> None:
    os.setsid()
    os.chdir(ROOT)
    os.environ |= {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    sys.path.insert(0, str(source))
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    there.send(work(*told))
    os._exit(0)
