"""Small changes to the source that tests must notice: each is made in a copy, and the tests that should fail are run.

    python bench/mutants.py [--only NAME] [--draw 0 --seed 0] [--processes 1]

The named ones are in mutants.toml. --draw N: N more, drawn from all comparisons, signs and numbers in localization,
networks, calibration and signal. The tests of a module's own name come first, then those of its package, then those of whole
answers. Prints who survived; the exit status is their number.
"""

import argparse
import ast
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

ROOT = Path(__file__).parents[1]
PACKAGE = "src/soundfix"
DRAWN_FROM = ("localization", "networks", "calibration", "signal")
WHOLE_ANSWERS = {
    "localization": "tests/methods tests/test_testing.py tests/session",
    "networks": "tests/training tests/methods",
    "calibration": "tests/session tests/api",
    "signal": "tests/localization tests/networks tests/calibration",
}
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
    """What a module's text is instead, and the tests that should notice: each of these in turn, while it is not."""

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
    return Mutant(name, module, text.replace(old, new, 1), [tests])


def main() -> int:
    given = arguments()
    mutants = [mutant for mutant in named() if not given.only or given.only in mutant.name]
    mutants += [] if given.only else drawn(given.draw, random.Random(given.seed))
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
    return parser.parse_args()


def survives(mutant: Mutant) -> bool:
    """Whether the tests pass with it."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(ROOT / "src", source)
        (source / "soundfix" / mutant.module).write_text(mutant.text, "utf-8")
        noticed = next((tests for tests in mutant.tests if not _pass(tests, source)), None)
    print(f"{f'noticed by {noticed}' if noticed else 'SURVIVED'}  {mutant.name}", flush=True)
    return noticed is None


def _pass(tests: str, source: Path) -> bool:
    """Whether these tests pass with this source."""
    words = f"-m pytest -q -x --timeout 120 -p no:cacheprovider {tests}".split()
    env = os.environ | {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *words, "-m", "not slow"]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=False).returncode == 0


def drawn(count: int, rng: random.Random) -> list[Mutant]:
    """So many different ones."""
    modules = [path for part in DRAWN_FROM for path in sorted((ROOT / PACKAGE / part).glob("*.py"))]
    places = [(path, number) for path in modules for number in range(len(_sites(ast.parse(path.read_text("utf-8")))))]
    return [_drawn(*place) for place in rng.sample(places, min(count, len(places)))]


def _sites(tree: ast.Module) -> list[ast.AST]:
    """What can be turned or doubled."""
    return [node for node in ast.walk(tree) if _operator(node) in TURNED or _is_number(node)]


def _operator(node: ast.AST) -> type[ast.AST] | None:
    if isinstance(node, ast.Compare):
        return type(node.ops[0])
    return type(node.op) if isinstance(node, ast.BinOp | ast.BoolOp) else None


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


def _drawn(path: Path, number: int) -> Mutant:
    """The module with one of its sites turned, or its number doubled."""
    text, package = path.read_text("utf-8"), path.parent.name
    tree = ast.parse(text)
    node = _sites(tree)[number]
    before = ast.get_source_segment(text, node) or ""
    lines = text.splitlines(keepends=True)
    start = sum(len(line) for line in lines[: node.lineno - 1]) + _characters(lines[node.lineno - 1], node.col_offset)
    _turn(node)
    new = f"{text[:start]}({ast.unparse(node)}){text[start + len(before) :]}"
    module = str(path.relative_to(ROOT / PACKAGE))
    own = f"tests/{package}/test_{path.name}"
    tests = [own] if (ROOT / own).exists() else []
    name = f"{module}:{node.lineno}: {' '.join(before.split())[:50]} -> {ast.unparse(node)[:50]}"
    return Mutant(name, module, new, [*tests, f"tests/{package}", WHOLE_ANSWERS[package]])


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
