"""Small changes to the source that tests must notice: each is made in a copy, and the tests that should fail are run.

    python bench/mutants.py [--only NAME] [--draw 0 --seed 0] [--parts localization,...] [--again] [--kept FOLDER]

The named ones are in mutants.toml. --draw N: N more, drawn from all comparisons, signs and numbers in the parts. A drawn one
meets the tests of the module's own name, then the quickest others that reach its line, for a minute (reached.py). Each
meets them in a fork of a process that has loaded everything but soundfix, and is noticed when a test fails that passes
without it (meeting.py). The folder keeps what became of each: a run that was stopped goes on, and --again asks those that
survived once more. Prints who survived; the exit status is their number.
"""

import argparse
import ast
import random
import sys
import tomllib
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from meeting import PACKAGE, ROOT, Meeting, Mutant
from reached import Reached

PARTS = ("localization", "networks", "calibration", "signal")
NOBODY = "-"
PAIRS = (
    (ast.Lt, ast.GtE),
    (ast.Gt, ast.LtE),
    (ast.Eq, ast.NotEq),
    (ast.Add, ast.Sub),
    (ast.Mult, ast.Div),
    (ast.And, ast.Or),
)
TURNED: dict[type[ast.AST], Any] = dict(PAIRS) | {other: one for one, other in PAIRS}


def named() -> list[Mutant]:
    """Those of mutants.toml."""
    return [_named(**told) for told in tomllib.loads((ROOT / "bench/mutants.toml").read_text("utf-8"))["mutant"]]


def _named(name: str, module: str, old: str, new: str, tests: str) -> Mutant:
    text = (PACKAGE / module).read_text("utf-8")
    assert old in text, f"{name}: {module} has no {old!r} any more"
    return Mutant(name, module, text.replace(old, new, 1), [tests.split()])


def main() -> int:
    given = arguments()
    given.kept.mkdir(exist_ok=True)
    mutants = [mutant for mutant in named() if not given.only or given.only in mutant.name]
    if given.draw and not given.only:
        reached = Reached.of(given.kept, given.parts)
        mutants = drawn(given.draw, random.Random(given.seed), given.parts, reached) + mutants
    met = _met(given.kept)
    left = [mutant for mutant in mutants if _key(mutant) not in met or (given.again and met[_key(mutant)] == NOBODY)]
    with TemporaryDirectory() as folder:
        meeting = Meeting(Path(folder), given.kept / "needed")
        for mutant in left:
            _note(given.kept, mutant, meeting.who_notices(mutant) or NOBODY)
    met = _met(given.kept)
    survivors = [mutant.name for mutant in mutants if met[_key(mutant)] == NOBODY]
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} noticed; survivors:", *survivors, sep="\n  ")
    return len(survivors)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="part of a name")
    parser.add_argument("--draw", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parts", type=lambda text: text.split(","), default=PARTS, help="packages to draw from")
    parser.add_argument("--again", action="store_true", help="those that survived")
    parser.add_argument("--kept", type=Path, default=ROOT / ".reached", help="keeps what tests reach, and who noticed")
    return parser.parse_args()


def _note(kept: Path, mutant: Mutant, test: str) -> None:
    with (kept / "met").open("a") as file:
        file.write(f"{_key(mutant)}\t{test}\t{mutant.name}\n")
    print(f"{'SURVIVED' if test == NOBODY else 'noticed '}  {mutant.name}  {test}", flush=True)


def _met(kept: Path) -> dict[str, str]:
    """Which test noticed each; the last time counts."""
    lines = (kept / "met").read_text().splitlines() if (kept / "met").exists() else []
    return {line.split("\t")[0]: line.split("\t")[1] for line in lines}


def _key(mutant: Mutant) -> str:
    return sha256(f"{mutant.module}\n{mutant.text}".encode()).hexdigest()[:16]


def drawn(count: int, rng: random.Random, parts: list[str], reached: Reached) -> list[Mutant]:
    """So many different ones."""
    modules = [path for part in parts for path in sorted((PACKAGE / part).glob("*.py"))]
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
    module = str(path.relative_to(PACKAGE))
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
