"""Which tests reach which line of the source, and how long each takes: found once for each folder of tests, and kept."""

import ast
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from coverage import CoverageData

from meeting import PACKAGE, ROOT

MOST_S = 60.0  # of tests a mutant, besides the module's own
ANSWERS = "tests/methods/test_kept_answers.py"
WHOLE = ("tests/calibration/test_kept_calibrations.py", ANSWERS)  # every part of the package has a hand in these


Lines = Callable[[Path], dict[int, set[str]]]  # of a module: by whom each is reached


class Reached(NamedTuple):
    """Of folders of tests: what modules were when it was found, which tests reach a line, how long (s) each takes."""

    modules: dict[Path, dict[str, str]]
    lines: dict[Path, Lines]
    seconds: dict[str, float]

    @classmethod
    def of(cls, kept: Path, parts: list[str]) -> "Reached":
        """As it was kept, or else found now, in minutes for each folder of tests."""
        tests = {kept / part: f"tests/{part}" for part in parts} | {kept / "answers": ANSWERS}
        for folder, path in tests.items():
            if not (folder / "modules").exists():
                _find(folder, path)
        modules = {folder: json.loads((folder / "modules").read_text()) for folder in tests}
        seconds = {test: s for folder in tests for test, s in _seconds(folder / "report.xml").items()}
        return cls(modules, {folder: _lines(folder / "coverage") for folder in tests}, seconds)

    def tests(self, path: Path, line: int) -> list[list[str]]:
        """First those of the module's own name, new ones too; then whole answers and the quickest others, for a minute.

        All that reach the module, where it is not what it was, or the line is no test's own: constants.
        """
        own = f"tests/{path.parent.name}/test_{path.name}"
        there = {test for test in self._reach(path, line) if _is_there(test)}
        ordered = sorted(there, key=lambda test: (test.partition("::")[0] not in WHOLE, self.seconds[test]))
        near = [test for test in ordered if test.startswith(f"{own}::")]
        far = [test for test in ordered if test not in near]
        ends = itertools.accumulate(0.0 if _file(test) in WHOLE else self.seconds[test] for test in far)
        far = [test for test, end in zip(far, ends, strict=True) if end <= MOST_S]
        return [stage for stage in ([*self._new(own), *near], _by_file(far)) if stage]

    def _reach(self, path: Path, line: int) -> set[str]:
        return {test for folder in self.lines for test in self._reach_in(folder, path, line)} & self.seconds.keys()

    def _reach_in(self, folder: Path, path: Path, line: int) -> set[str]:
        by_line = self.lines[folder](path)
        is_same = self.modules[folder].get(str(path.relative_to(PACKAGE))) == _hash(path)
        return (by_line.get(line, set()) - {""} if is_same else set()) or set().union(*by_line.values())

    def _new(self, own: str) -> list[str]:
        known = {test.partition("[")[0] for test in self.seconds}
        return [f"{own}::{name}" for name in _names(ROOT / own) if f"{own}::{name}" not in known]


def _find(folder: Path, tests: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "rc").write_text(f"[run]\nsource = {PACKAGE}\ndata_file = {folder / 'coverage'}\n", "utf-8")
    options = ["--cov", "--cov-context=test", "--cov-report=", f"--cov-config={folder / 'rc'}"]
    report = [f"--junitxml={folder / 'report.xml'}", "-o", "junit_family=xunit1"]
    words = ["-q", "-m", "not slow", "-p", "no:cacheprovider", *options, *report, tests]
    env = os.environ | {"PYTHONPATH": str(PACKAGE.parent), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-m", "pytest", *words], cwd=ROOT, env=env)
    hashes = {str(path.relative_to(PACKAGE)): _hash(path) for path in PACKAGE.rglob("*.py")}
    (folder / "modules").write_text(json.dumps(hashes))


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _lines(kept: Path) -> Lines:
    data = CoverageData(str(kept))
    data.read()
    return cache(
        lambda path: {n: {_test(each) for each in who} for n, who in data.contexts_by_lineno(str(path)).items()}
    )


def _seconds(report: Path) -> dict[str, float]:
    cases = ElementTree.parse(report).iter("testcase")
    return {f"{case.get('file')}::{case.get('name')}": float(case.get("time", "0")) for case in cases}


def _test(context: str) -> str:
    return context.rpartition("|")[0]


def _file(test: str) -> str:
    return test.partition("::")[0]


def _by_file(tests: list[str]) -> list[str]:
    """What tests of a file share is made once."""
    files = list(dict.fromkeys(map(_file, tests)))
    return sorted(tests, key=lambda test: files.index(_file(test)))


def _is_there(test: str) -> bool:
    path, _, name = test.partition("::")
    return name.partition("[")[0] in _names(ROOT / path)


@cache
def _names(path: Path) -> list[str]:
    """Of the tests of a file."""
    nodes = ast.parse(path.read_text("utf-8")).body if path.exists() else []
    return [node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
