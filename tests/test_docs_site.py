"""What the site is made of: the sidebar from docs/index.md, and docstrings as pages."""

import sys

import pytest

from helpers import TESTS

DOCS = TESTS.parent / "docs"
INDEX = """# Title

[Before](before.md)

## Start

| page | what |
|---|---|
| [First](first.md) | one |
| [Notes](notes.ipynb) | two |

## Then

[Far](../far.md) and [First](first.md) again, [a part](second.md#part), [a script](script.py), [elsewhere](https://a.b/c.md)
"""


@pytest.fixture
def conf(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("conf", "docstrings"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setenv("PYTHONPATH", "")
    import conf

    return conf


def test_each_section_of_the_index_is_a_part_of_the_sidebar(conf):
    assert conf.parts(INDEX) == {
        "Start": [("First", "first.md"), ("Notes", "notes.ipynb")],
        "Then": [("Far", "../far.md")],
    }


def test_the_sidebar_is_told_to_sphinx_on_the_index_alone(conf):
    for name, is_index in (("docs/index", True), ("docs/other", False)):
        content = [INDEX]
        conf.read_page(None, name, content)
        assert content[0].startswith(INDEX)
        assert ("```{toctree}\n:hidden:\n:caption: Then\n\nFar <../far.md>\n```\n" in content[0]) == is_index


def test_links_called_as_a_file_get_its_title(conf):
    content = ["[page.md](page.md), [a/b.md](../a/b.md#part), [Page](page.md), [page.md](page.txt)"]
    conf.read_page(None, "docs/other", content)
    assert content == ["[](page.md), [](../a/b.md#part), [Page](page.md), [page.md](page.txt)"]


def test_every_page_is_in_one_part_of_the_sidebar(conf):
    found = [page for pages in conf.parts((DOCS / "index.md").read_text("utf-8")).values() for _, page in pages]
    assert len(found) == len(set(found))
    assert all((DOCS / page).is_file() for page in found)
    assert {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} - {"index.md"} <= set(found)


# Docstrings


def far(first, *, second=1):
    """What it does.

        far(1, second=2)  # so

    first: in m; second has the same. second: with a * and a_b, `code_x`: so. None of it counts.
    Raises SceneError on third: no.
    """


class Near:
    """field: in m."""

    field: float


def as_page(conf, told):
    lines = [line.removeprefix("    ") for line in told.__doc__.splitlines()]
    conf.write_docstring(None, "function", "far", told, None, lines)
    return lines


def test_arguments_are_a_list_and_examples_are_code(conf):
    assert as_page(conf, far) == [
        "What it does.",
        "",
        "",
        ".. code-block:: python",
        "",
        "    far(1, second=2)  # so",
        "",
        "- **first**: in m; second has the same.",
        r"- **second**: with a \* and a\_b, ``code_x``: so. None of it counts.",
        "",
        "**Raises** SceneError on third: no.",
        "",
    ]


def test_fields_of_a_class_are_told_alike(conf):
    assert as_page(conf, Near) == ["- **field**: in m.", ""]


def test_several_names_may_share_what_is_said(conf):
    told = conf.as_rst(["a_s, b: in s. c: not told; b_m: in m."], ["a_s", "b", "b_m"])
    assert told == ["- **a_s, b**: in s. c: not told", "- **b_m**: in m.", ""]


def test_a_blank_line_begins_a_paragraph(conf):
    assert conf.as_rst(["One", "and two.", "", "Three.", "", "a: in s."], ["a"]) == [
        "One and two.", "", "", "Three.", "", "", "- **a**: in s.", "",
    ]  # fmt: skip


def test_what_stands_at_the_top_of_a_module_is_left_out(conf):
    lines = ["Much."]
    conf.write_docstring(None, "module", "some", sys, None, lines)
    assert lines == []
