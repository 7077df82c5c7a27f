"""What the pages point to is there: links, and every file of ours that they name."""

import re

import pytest

from helpers import TESTS

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
        for folder in ("src", "bench", "tests")
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
    named = {tuple(name.split("/")) for name in re.findall(r"[\w/]+\.py\b", text)}
    assert sorted("/".join(parts) for parts in named - ENDS - THEIRS) == []


@every_page
def test_a_page_has_one_title(page):
    outside_code = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert len(re.findall(r"^# ", outside_code, re.MULTILINE)) == 1


def test_the_index_lists_every_page():
    index = (REPOSITORY / "docs" / "index.md").read_text("utf-8")
    docs = REPOSITORY / "docs"
    pages = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")} - {"index.md"}
    assert pages - set(re.findall(r"\]\(([^)#]+\.md)\)", index)) == set()
