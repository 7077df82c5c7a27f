"""What the pages point to is there: links, and every file of ours that they name."""

import ast
import re

import pytest

from helpers import TESTS
from helpers.pages import script

REPOSITORY = TESTS.parent
PACKAGE = REPOSITORY / "src" / "soundfix"
PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "src/soundfix/weights/README.md")),
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]
OURS = {
    *(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")),
    *(
        path.relative_to(REPOSITORY)
        for folder in ("src", "bench", "tests", "docs")
        for path in (REPOSITORY / folder).rglob("*.py")
    ),
}
ENDS = {tuple(path.parts[-count:]) for path in OURS for count in range(1, len(path.parts) + 1)}
THEIRS = {("main.py",), ("data.py",), ("cfg.py",)}  # of the published NGCC-PHAT
every_page = pytest.mark.parametrize("page", PAGES, ids=[path.relative_to(REPOSITORY).as_posix() for path in PAGES])


@every_page
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", page.read_text("utf-8"))
    local = [link for link in links if not link.startswith(("http://", "https://"))]
    assert [link for link in local if not (page.parent / link).exists()] == []


@every_page
def test_files_that_are_named_exist(page):
    """By their path, or the end of it, as in `localization/modes.py` and `modes.py`."""
    text = page.read_text("utf-8")
    if page.name == "CHANGELOG.md":
        text = text.split("### Before the move")[0]  # what follows names files as they were
    named = {tuple(name.strip("/").split("/")) for name in re.findall(r"[\w/]+\.py\b", text)}
    assert sorted("/".join(parts) for parts in named - ENDS - THEIRS) == []


@every_page
def test_a_page_has_one_title(page):
    outside_code = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert len(re.findall(r"^# ", outside_code, re.MULTILINE)) == 1


def test_the_index_lists_every_page():
    index = (REPOSITORY / "docs" / "index.md").read_text("utf-8")
    docs = REPOSITORY / "docs"
    pages = {path.relative_to(docs).as_posix() for end in ("md", "ipynb") for path in docs.rglob(f"*.{end}")} - {
        "index.md"
    }
    assert pages - set(re.findall(r"\]\(([^)#]+\.(?:md|ipynb))\)", index)) == set()


def test_pictures_of_a_page_are_shown_on_it():
    for name in ("tutorial", "gallery"):
        shown = set(re.findall(rf"\(({name}/[^)]+)\)", (REPOSITORY / "docs" / f"{name}.md").read_text("utf-8")))
        assert shown == {f"{name}/{path.name}" for path in (REPOSITORY / "docs" / name).iterdir()}


def test_benchmarks_are_those_of_the_pages():
    tables = script("bench/benchmark_tables.py")
    written = (REPOSITORY / "docs" / "benchmarks.md").read_text("utf-8")
    assert written == tables.page(), "a page was written anew: run python bench/benchmark_tables.py"


def test_rows_of_benchmarks_are_chosen_by_their_first_cells(tmp_path, monkeypatch):
    tables = script("bench/benchmark_tables.py")
    (tmp_path / "some.md").write_text(
        "# Some\n\n| a |\n|---|\n| x |\n\n## More\n\n| b | c |\n|---|---:|\n| x | y |\n| y | 2 |\n"
    )
    monkeypatch.setattr(tables, "DOCS", tmp_path)
    pick = tables.Pick("Of y", "some.md", "## More", "y", "By a script")
    assert tables.section(pick) == "\n## Of y\n\nBy a script: [some.md](some.md).\n\n| b | c |\n|---|---:|\n| y | 2 |\n"
    for changed in (pick._replace(rows="z"), pick._replace(heading="## Less")):
        with pytest.raises(AssertionError, match=r"some\.md has no"):
            tables.section(changed)


# The paper: symbols, names, files


SYMBOLS = [
    [re.findall(r"`([^`]+)`", cell) for cell in row.split(" | ")[2:4]]
    for row in (REPOSITORY / "docs" / "symbols.md").read_text("utf-8").splitlines()
    if re.match(r"\| (?!---|symbol|box|what \|)", row)
]


def test_the_paper_is_told_by_tables():
    assert len(SYMBOLS) > 40
    assert all(names and files for names, files in SYMBOLS)


@pytest.mark.parametrize(("names", "files"), SYMBOLS, ids=["-".join(names) for names, _ in SYMBOLS])
def test_each_name_stands_in_its_file(names, files):
    """Each part of a dotted name, in one of the files of the row; and each file has one of the names."""
    found = {file: identifiers(PACKAGE / file) for file in files}
    for name in names:
        assert any(set(name.split(".")) <= known for known in found.values()), f"{name} is in none of {files}"
    for file, known in found.items():
        assert any(set(name.split(".")) <= known for name in names), f"{file} has none of {names}"


def identifiers(path):
    """Everything that has a name there, and the axes of shapes."""
    tree = ast.parse(path.read_text("utf-8"))
    kinds = {ast.Name: "id", ast.Attribute: "attr", ast.ClassDef: "name", ast.FunctionDef: "name", ast.arg: "arg"}
    names = {getattr(node, kinds[type(node)]) for node in ast.walk(tree) if type(node) in kinds}
    shapes = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return names | {axis for shape in shapes if "\n" not in shape for axis in shape.split()}
