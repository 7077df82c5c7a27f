"""The code blocks of a page, and what becomes of them when they are run in the order in which they stand."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from helpers import TESTS

REPOSITORY = TESTS.parent
WHOLE = ("tutorial.md", "gallery.md", "faq.md")  # pages whose blocks go on where the one before ended
RUN_BY = {"bash": ("bash", "-euo", "pipefail", "-c"), "python": (sys.executable, "-c")}


class Block(NamedTuple):
    """language: what stands behind the backticks; none is what was printed. shows: the pictures up to the next block."""

    language: str
    code: str
    shows: tuple[str, ...]


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    fences = list(re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    ends = [fence.start() for fence in fences[1:]] + [len(text)] * bool(fences)
    return [
        Block(fence[1], fence[2], tuple(re.findall(r"!\[[^]]*\]\(([^)]*)\)", text[fence.end() : end])))
        for fence, end in zip(fences, ends, strict=True)
    ]


def run(block: Block, folder: Path) -> str:
    """What it prints, to people and to programs; its own pages, sources and soundfix are found from the folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(REPOSITORY / "src"),
        "PATH": path,
        "MPLBACKEND": "agg",
    }
    done = subprocess.run(
        [*RUN_BY[block.language], block.code],
        cwd=folder, env=env, text=True, timeout=600, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, f"{block.code}\n{done.stdout}"
    return done.stdout


def workplace(folder: Path) -> Path:
    """As a reader has it who is in the folder scratch of a checkout."""
    (folder / "docs").symlink_to(REPOSITORY / "docs")
    (folder / "scratch").mkdir()
    return folder / "scratch"


def script(path: str) -> ModuleType:
    """A script of the repository as a module."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, REPOSITORY / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
