"""The site: the pages of docs/ and what they link to, as they lie in the repository. `make docs` builds it in build/docs.

The source folder is the repository itself, so that a link leads to the same file here, on a code host and on the site.
The tables of docs/index.md are the table of contents: each of its sections becomes a part of the sidebar.
"""

import inspect
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
sys.path[:0] = [str(REPOSITORY / "src"), str(REPOSITORY / "docs")]
from docstrings import as_rst  # noqa: E402

import soundfix  # noqa: E402

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the notebook's answers are the same everywhere
os.environ["PYTHONPATH"] = str(REPOSITORY / "src")  # the notebook's own Python finds the package too

project = "soundfix"
author = "soundfix"
version = release = soundfix.__version__
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "EXPERIMENTS.md",
    "src/soundfix/weights/README.md",
]
exclude_patterns = [".*", "bench", "build", "demo", "dist", "fuzz", "out", "scratch", "tests", "web", "docs/_*"]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_copybutton"]
myst_heading_anchors = 4
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings tell shapes and units, which types do not
nb_execution_mode = "cache"  # only what changed is run again
nb_execution_in_temp = True
nb_execution_timeout = 120
nb_execution_raise_on_error = True
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = False

html_theme = "pydata_sphinx_theme"
html_title = "soundfix"
html_extra_path = ["_extra"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
highlight_language = "none"  # of a block that says none: mostly what a command prints
templates_path = ["_templates"]
html_sidebars = {"**": ["contents.html"]}
html_show_sourcelink = False
html_theme_options = {
    "navbar_center": [],
    "navbar_persistent": ["search-button"],
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
    "show_prev_next": True,
}


def parts(index: str) -> dict[str, list[tuple[str, str]]]:
    """The pages of each section of docs/index.md with the text of their links, each page where it is named first."""
    seen: set[str] = set()
    found: dict[str, list[tuple[str, str]]] = {}
    for title, section in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", index, re.DOTALL | re.MULTILINE):
        found[title] = []
        for text, page in re.findall(r"\[([^]]+)\]\(([^)#:]+\.(?:md|ipynb))\)", section):
            if page not in seen:
                found[title].append((text, page))
            seen.add(page)
    return found


def toctrees(index: str) -> str:
    """What Sphinx makes the sidebar of, behind the text of the page."""
    return "".join(
        f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n"
        + "".join(f"{text} <{page}>\n" for text, page in pages)
        + "```\n"
        for title, pages in parts(index).items()
    )


def titled(text: str) -> str:
    """Links that are called as the file is get the title of what they lead to."""
    return re.sub(r"\[[\w/]+\.md\](?=\([^)]+\.md[#)])", "[]", text)


def read_page(app: Any, name: str, content: list[str]) -> None:
    content[0] = titled(content[0]) + (toctrees(content[0]) if name == root_doc else "")


def names_of(told: Any) -> Iterable[str]:
    """What its docstring may tell of: arguments, and fields of a class."""
    fields = getattr(told, "__annotations__", {}) if inspect.isclass(told) else {}
    try:
        return [*inspect.signature(told).parameters, *fields]
    except (TypeError, ValueError):
        return list(fields)


def write_docstring(app: Any, what: str, name: str, told: Any, options: Any, lines: list[str]) -> None:
    """What a module says at its top is on the pages already."""
    lines[:] = [] if what == "module" else as_rst(lines, names_of(told))


def setup(app: Any) -> None:
    app.connect("source-read", read_page)
    app.connect("autodoc-process-docstring", write_docstring)
