"""Small changes to the source that tests must notice: each is made in a copy, and the tests that should fail are run.

    python bench/mutants.py [--only NAME] [--draw 0 --seed 0]

The named ones are in mutants.toml. --draw N: N more, drawn from the numbers and signs of localization, networks, calibration
and signal, with the tests of the same package. Prints who survived; the exit status is their number.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGE = "src/soundfix"
DRAWN_FROM = ("localization", "networks", "calibration", "signal")


class Mutant(NamedTuple):
    """A text of a module in place of another, and the tests that should notice."""

    name: str
    module: str
    old: str
    new: str
    tests: str


def named() -> list[Mutant]:
    """Those of mutants.toml."""
    return [Mutant(**told) for told in tomllib.loads((ROOT / "bench/mutants.toml").read_text("utf-8"))["mutant"]]


def main() -> int:
    given = arguments()
    mutants = [mutant for mutant in named() if not given.only or given.only in mutant.name]
    mutants += [] if given.only else drawn(given.draw, random.Random(given.seed))
    survivors = [mutant.name for mutant in mutants if survives(mutant)]
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} noticed; survivors: {', '.join(survivors) or 'none'}")
    return len(survivors)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="part of a name")
    parser.add_argument("--draw", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def survives(mutant: Mutant) -> bool:
    """Whether the tests pass with it."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(ROOT / "src", source)
        path = source / "soundfix" / mutant.module
        text = path.read_text("utf-8")
        assert mutant.old in text, f"{mutant.name}: {mutant.module} has no {mutant.old!r} any more"
        path.write_text(text.replace(mutant.old, mutant.new, 1), "utf-8")
        words = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-m",
            "not slow",
            "-p",
            "no:cacheprovider",
            *mutant.tests.split(),
        ]
        done = subprocess.run(
            words, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(source)}, capture_output=True, check=False
        )
    print(f"{'noticed' if done.returncode else 'SURVIVED'}  {mutant.name}", flush=True)
    return done.returncode == 0


def drawn(count: int, rng: random.Random) -> list[Mutant]:
    """A number doubled, or a sign turned, somewhere in a module that has tests of its name."""
    modules = [path for part in DRAWN_FROM for path in sorted((ROOT / PACKAGE / part).glob("*.py")) if tests_of(path)]
    found: list[Mutant] = []
    while len(found) < count:
        path = rng.choice(modules)
        lines = [line for line in path.read_text("utf-8").splitlines() if (changed(line) or line) != line]
        if lines:
            line = rng.choice(lines)
            module = str(path.relative_to(ROOT / PACKAGE))
            found.append(
                Mutant(f"{module}: {line.strip()[:60]}", module, line, str(changed(line)), str(tests_of(path)))
            )
    return found


def tests_of(path: Path) -> Path | None:
    own = ROOT / "tests" / path.parent.name / f"test_{path.name}"
    return own if own.exists() else None


def changed(line: str) -> str | None:
    """The line with its first number doubled, or its first sign or comparison turned; None where it has neither."""
    if line.lstrip().startswith(("#", '"', "from", "import", "def", "class", "@")) or '"""' in line:
        return None
    for old, new in ((r" < ", " >= "), (r" > ", " <= "), (r" \+ ", " - "), (r" - ", " + "), (r" \* ", " / ")):
        if re.search(old, line):
            return re.sub(old, new, line, count=1)
    number = re.search(r"(?<![\w.\[])\d+\.\d+", line)
    return None if number is None else line[: number.start()] + str(2 * float(number[0]) or 1.0) + line[number.end() :]


if __name__ == "__main__":
    sys.exit(main())
