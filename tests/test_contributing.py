"""The file map of CONTRIBUTING.md is the package as it is: a line for every module, and none for what is not there."""

import ast
import re

from helpers import TESTS

PACKAGE = TESTS.parent / "src" / "soundfix"
PAGE = (TESTS.parent / "CONTRIBUTING.md").read_text("utf-8")


def file_map():
    """(path, sentence) of every line in the fenced block under "## File map"."""
    found = re.search(r"^## File map\n.*?^```\w*\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found, 'no fenced block under the heading "## File map"'
    lines = [line for line in found[1].splitlines() if line.strip()]
    unreadable = [line for line in lines if not re.match(r"\S+  +\S", line)]
    assert not unreadable, f"wanted a path, two spaces or more, a sentence: {unreadable}"
    return [tuple(re.split(r"  +", line, maxsplit=1)) for line in lines]


def modules():
    return {p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py") if p.name != "__init__.py"}


def suggested(path):
    """A line for the map, from the first line of the module's docstring; to be shortened by hand."""
    said = ast.get_docstring(ast.parse((PACKAGE / path).read_text("utf-8"))) or "WHAT IT HOLDS"
    return f"{path:<35}{said.splitlines()[0].rstrip('.')}"


def test_the_file_map_names_every_module():
    missing = [suggested(path) for path in sorted(modules() - {path for path, _ in file_map()})]
    assert not missing, "CONTRIBUTING.md, under File map, lacks these lines:\n" + "\n".join(missing)


def test_the_file_map_names_nothing_else():
    """Files that are no modules may be there too, as long as they exist; nothing is there twice."""
    paths = [path for path, _ in file_map()]
    gone = [path for path in paths if not (PACKAGE / path).is_file()]
    assert not gone, "CONTRIBUTING.md, under File map, has lines of files that are not there:\n" + "\n".join(gone)
    twice = sorted({path for path in paths if paths.count(path) > 1})
    assert not twice, "CONTRIBUTING.md, under File map, has these twice:\n" + "\n".join(twice)
