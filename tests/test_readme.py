"""The README tells the truth: its code runs as it stands, and its file map is the package."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text("utf-8")
PACKAGE = REPOSITORY / "src" / "soundfix"
CODE = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_the_readme_shows_code():
    assert CODE


@pytest.mark.parametrize("code", CODE, ids=[f"block{number}" for number in range(1, len(CODE) + 1)])
def test_the_code_runs_as_it_is(tmp_path, code):
    """In an empty folder, by another Python, with warnings as errors of soundfix's own making only."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def file_map():
    """path -> sentence, from the fenced block under "## File map"."""
    found = re.search(r"^## File map\n.*?^```\w*\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert found, 'no fenced block under the heading "## File map"'
    lines = [line for line in found[1].splitlines() if line.strip()]
    unreadable = [line for line in lines if not re.match(r"\S+  +\S", line)]
    assert not unreadable, f"wanted a path, two spaces or more, a sentence: {unreadable}"
    return [tuple(re.split(r"  +", line, maxsplit=1)) for line in lines]


def modules():
    return {p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py") if p.name != "__init__.py"}


def test_the_file_map_names_every_module():
    assert modules() - {path for path, _ in file_map()} == set()


def test_the_file_map_names_nothing_else():
    """Files that are no modules may be there too, as long as they exist; nothing is there twice."""
    paths = [path for path, _ in file_map()]
    assert [path for path in paths if not (PACKAGE / path).exists()] == []
    assert len(set(paths)) == len(paths)
    assert all(sentence.strip() for _, sentence in file_map())
