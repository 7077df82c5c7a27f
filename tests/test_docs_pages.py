"""Pages whose blocks go on where the one before ended are run from top to bottom, as a reader would, and the notebook."""

import json
import re

import pytest
from PIL import Image

from helpers import TESTS, pages

DOCS = TESTS.parent / "docs"
WHOLE = [DOCS / name for name in pages.WHOLE]


@pytest.mark.slow
@pytest.mark.pages
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", WHOLE, ids=[page.name for page in WHOLE])
def test_a_page_runs_and_prints_what_it_shows(tmp_path, page):
    folder, printed = pages.workplace(tmp_path), ""
    for block in pages.blocks(page):
        if block.language in pages.RUN_BY:
            printed = pages.run(block, folder)
        elif printed:  # not what stands before the first command, which is how to install
            assert missing(block.code, printed) == []


@pytest.mark.slow
def test_the_notebook_runs(tmp_path):
    cells = json.loads((DOCS / "notebook.ipynb").read_text("utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert "median error 0." in pages.run(pages.Block("python", code, ()), tmp_path)


def test_the_notebook_has_no_outputs():
    cells = json.loads((DOCS / "notebook.ipynb").read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) > 5
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def missing(shown, printed):
    """Lines that are shown and were not printed; numbers may be others, and `...` stands for lines left out."""
    lines = [masked(line) for line in printed.splitlines()]
    return [line for line in shown.splitlines() if line.strip() not in ("", "...") and masked(line) not in lines]


def masked(line):
    return re.sub(r"[-+]?\d+(\.\d+)?", "0", " ".join(line.split()))


def test_a_line_that_was_not_printed_is_noticed():
    printed = "  a  1.5 cm\nb: dead\n"
    assert missing("a 2.25 cm\n...\nb: dead\n", printed) == []
    assert missing("b: late\n", printed) == ["b: late"]


# Blocks


def test_blocks_have_a_language_and_the_pictures_behind_them(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```bash\nls\n```\n![A b\nc](p/x.png)\n\n```\nout\n```\n\n![D](p/y.png) and ![E](z.png)\n", "utf-8")
    assert pages.blocks(page) == [
        ("bash", "ls\n", ("p/x.png",)),
        ("", "out\n", ("p/y.png", "z.png")),
    ]
    page.write_text("no code\n", "utf-8")
    assert pages.blocks(page) == []


def test_a_block_that_fails_is_told(tmp_path):
    assert pages.run(pages.Block("bash", "echo a; echo b >&2", ()), tmp_path) == "a\nb\n"
    for language, code in (("bash", "false; true"), ("bash", "false | true"), ("python", "raise ValueError")):
        with pytest.raises(AssertionError, match=re.escape(code)):
            pages.run(pages.Block(language, code, ()), tmp_path)


# Pictures


def test_a_picture_is_what_the_commands_drew_before_what_a_page_shows(tmp_path):
    pictures = pages.script("bench/docs_pictures.py")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "x.html").write_text("no page")
    Image.new("RGB", (2000, 500), "white").save(tmp_path / "demo" / "x.png")
    size = pictures.take(tmp_path, tmp_path / "page" / "x.png")
    with Image.open(tmp_path / "page" / "x.png") as taken:
        assert taken.size == (1000, 250)
        assert taken.mode == "P"
    assert size == (tmp_path / "page" / "x.png").stat().st_size
    (tmp_path / "y.gif").write_bytes(b"as it is")
    pictures.take(tmp_path, tmp_path / "page" / "y.gif")
    assert (tmp_path / "page" / "y.gif").read_bytes() == b"as it is"
    with pytest.raises(AssertionError, match=r"no command of the page made z\.png"):
        pictures.take(tmp_path, tmp_path / "page" / "z.png")


def test_a_small_picture_keeps_its_size(tmp_path):
    Image.new("RGB", (300, 200), "red").save(tmp_path / "x.png")
    pages.script("bench/docs_pictures.py").smaller(tmp_path / "x.png", tmp_path / "y.png")
    with Image.open(tmp_path / "y.png") as taken:
        assert taken.size == (300, 200)
