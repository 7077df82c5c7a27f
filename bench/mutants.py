"""Small changes to the source that tests must notice: each is made in a copy, and the tests that should fail are run.

    python bench/mutants.py [--only NAME] [--draw 0 --seed 0] [--processes 1] [--reached FOLDER]

The named ones are in mutants.toml. --draw N: N more, drawn from all comparisons, signs and numbers in localization,
networks, calibration and signal. Which tests reach which line is found by one run of all quick tests with coverage, kept
in --reached; of a line's tests the quickest are run, for a minute, and those of the module's own name first. Prints who
survived; the exit status is their number.
"""

import argparse
import ast
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from coverage import CoverageData

ROOT = Path(__file__).parents[1]
PACKAGE = "src/soundfix"
DRAWN_FROM = ("localization", "networks", "calibration", "signal")
UNIMPORTABLE = "while loading conftest"  # what every test needs
NOTICED = (1, 2)  # exit status of pytest: a test failed, or could not even be imported
MOST_S = 60.0  # of tests a mutant
WHOLE = ("tests/calibration/test_kept_calibrations.py", "tests/methods/test_kept_answers.py")  # whole answers
PAIRS = (
    (ast.Lt, ast.GtE),
    (ast.Gt, ast.LtE),
    (ast.Eq, ast.NotEq),
    (ast.Add, ast.Sub),
    (ast.Mult, ast.Div),
    (ast.And, ast.Or),
)
TURNED: dict[type[ast.AST], Any] = dict(PAIRS) | {other: one for one, other in PAIRS}


class Mutant(NamedTuple):
    """What a module's text is instead, and the tests that should notice."""

    name: str
    module: str
    text: str
    tests: list[str]


def named() -> list[Mutant]:
    """Those of mutants.toml."""
    return [_named(**told) for told in tomllib.loads((ROOT / "bench/mutants.toml").read_text("utf-8"))["mutant"]]


def _named(name: str, module: str, old: str, new: str, tests: str) -> Mutant:
    text = (ROOT / PACKAGE / module).read_text("utf-8")
    assert old in text, f"{name}: {module} has no {old!r} any more"
    return Mutant(name, module, text.replace(old, new, 1), tests.split())


def main() -> int:
    given = arguments()
    mutants = [mutant for mutant in named() if not given.only or given.only in mutant.name]
    if given.draw and not given.only:
        mutants += drawn(given.draw, random.Random(given.seed), Reached.of(given.reached))
    with ThreadPoolExecutor(given.processes) as pool:
        survivors = [mutant.name for mutant, left in zip(mutants, pool.map(survives, mutants), strict=True) if left]
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} noticed; survivors:", *survivors, sep="\n  ")
    return len(survivors)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="part of a name")
    parser.add_argument("--draw", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--reached", type=Path, default=ROOT / ".reached", help="folder that keeps what tests reach")
    return parser.parse_args()


def survives(mutant: Mutant) -> bool:
    """Whether the tests pass with it."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(ROOT / "src", source)
        (source / "soundfix" / mutant.module).write_text(mutant.text, "utf-8")
        options = ["-q", "-x", "--timeout", "120", "-p", "no:cacheprovider", "-m", "not slow"]
        ended = pytest(*options, *mutant.tests, source=source)
        is_noticed = ended.returncode in NOTICED or UNIMPORTABLE in ended.stderr
        assert is_noticed or not ended.returncode, f"{mutant.name}: are tests named that are no more? {ended.stderr}"
    print(f"{'noticed ' if is_noticed else 'SURVIVED'}  {mutant.name}", flush=True)
    return not is_noticed


def pytest(*words: str, source: Path) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-m", "pytest", *words], cwd=ROOT, env=env, capture_output=True, text=True)


class Reached(NamedTuple):
    """Which tests reach a line, and how long (s) each takes."""

    lines: CoverageData
    seconds: dict[str, float]

    @classmethod
    def of(cls, folder: Path) -> "Reached":
        """As it was kept in the folder, or else found now, in some minutes."""
        data, report = folder / "coverage", folder / "report.xml"
        if not data.exists():
            folder.mkdir(exist_ok=True)
            options = [
                "--cov",
                "--cov-context=test",
                "--cov-report=",
                f"--junitxml={report}",
                "-o",
                "junit_family=xunit1",
            ]
            (folder / "rc").write_text(f"[run]\nsource = {ROOT / PACKAGE}\ndata_file = {data}\n", "utf-8")
            pytest("-q", "-m", "not slow", *options, f"--cov-config={folder / 'rc'}", source=ROOT / "src")
        lines = CoverageData(str(data))
        lines.read()
        cases = ElementTree.parse(report).iter("testcase")
        return cls(lines, {f"{case.get('file')}::{case.get('name')}": float(case.get("time", "0")) for case in cases})

    def tests(self, path: Path, line: int) -> list[str]:
        """For a minute: of the module's own name first, then the quickest. Constants are reached by whom the module is."""
        by_line = self.lines.contexts_by_lineno(str(path))
        every = {_test(each) for contexts in by_line.values() for each in contexts} & self.seconds.keys()
        reached = {_test(each) for each in by_line.get(line, ())} & every or every
        own = f"tests/{path.parent.name}/test_{path.name}::"
        ordered = sorted(reached, key=lambda test: (not test.startswith(own), self.seconds.get(test, MOST_S)))
        ends = itertools.accumulate(self.seconds.get(test, MOST_S) for test in ordered)
        quick = [test for test, end in zip(ordered, ends, strict=True) if end <= MOST_S]
        by_itself = sum(test.startswith(own) for test in quick)
        return [*quick[:by_itself], *WHOLE, *quick[by_itself:]]


def _test(context: str) -> str:
    return context.rpartition("|")[0]


def drawn(count: int, rng: random.Random, reached: Reached) -> list[Mutant]:
    """So many different ones."""
    modules = [path for part in DRAWN_FROM for path in sorted((ROOT / PACKAGE / part).glob("*.py"))]
    places = [(path, number) for path in modules for number in range(len(_sites(ast.parse(path.read_text("utf-8")))))]
    return [_drawn(path, number, reached) for path, number in rng.sample(places, min(count, len(places)))]


def _sites(tree: ast.Module) -> list[ast.AST]:
    """What can be turned or doubled."""
    return [node for node in ast.walk(tree) if _operator(node) in TURNED or _is_number(node)]


def _operator(node: ast.AST) -> type[ast.AST] | None:
    if isinstance(node, ast.Compare):
        return type(node.ops[0])
    return type(node.op) if isinstance(node, ast.BinOp | ast.BoolOp) else None


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


def _drawn(path: Path, number: int, reached: Reached) -> Mutant:
    """The module with one of its sites turned, or its number doubled."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    node = _sites(tree)[number]
    before = ast.get_source_segment(text, node) or ""
    lines = text.splitlines(keepends=True)
    start = sum(len(line) for line in lines[: node.lineno - 1]) + _characters(lines[node.lineno - 1], node.col_offset)
    _turn(node)
    new = f"{text[:start]}({ast.unparse(node)}){text[start + len(before) :]}"
    module = str(path.relative_to(ROOT / PACKAGE))
    name = f"{module}:{node.lineno}: {' '.join(before.split())[:50]} -> {ast.unparse(node)[:50]}"
    return Mutant(name, module, new, reached.tests(path, node.lineno))


def _characters(line: str, byte_offset: int) -> int:
    """The syntax tree counts bytes."""
    return len(line.encode()[:byte_offset].decode())


def _turn(node: ast.AST) -> None:
    if isinstance(node, ast.Compare):
        node.ops[0] = TURNED[type(node.ops[0])]()
    elif isinstance(node, ast.BinOp | ast.BoolOp):
        node.op = TURNED[type(node.op)]()
    elif isinstance(node, ast.Constant):
        node.value = 2 * node.value or 1.0


if __name__ == "__main__":
    sys.exit(main())
