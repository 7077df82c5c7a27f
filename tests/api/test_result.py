"""What all results share: files whole or not at all, tables that are short and harmless, and a sentence without pandas."""

import json
import sys

import pytest

from soundfix.api.result import MOST_LINES, MOST_ROWS, dataframe, html_table, picture, shortened, write_json
from soundfix.errors import MissingPackageError


def test_json_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"x_m": [1.5, None]})
    assert json.loads(path.read_text()) == {"x_m": [1.5, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"x_m": float("nan")})
    assert json.loads(path.read_text()) == {"x_m": [1.5, None]}
    assert list(tmp_path.iterdir()) == [path]


def test_without_pandas_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingPackageError, match=r"pip install .*soundfix\[dataframe\]"):
        dataframe([(1,)], ["a"])


def test_a_picture_goes_to_its_file_or_into_the_notebook(tmp_path):
    def draw(path):
        path.write_bytes(b"\x89PNG")

    assert picture(draw, tmp_path / "a.png") is None
    assert (tmp_path / "a.png").read_bytes() == b"\x89PNG"
    shown = picture(draw, None)
    assert shown._repr_png_() == b"\x89PNG"
    assert repr(shown) == "Image(4 bytes of PNG)"


@pytest.mark.parametrize("count", [0, 1, MOST_LINES, MOST_LINES + 1, 100])
def test_few_lines_are_shown_and_the_rest_is_counted(count):
    shown = shortened(map(str, range(count)))
    assert len(shown) <= MOST_LINES
    if count <= MOST_LINES:
        assert shown == [str(k) for k in range(count)]
    else:
        assert shown[-1] == f"... and {count - MOST_LINES + 1} more"


def test_a_table_escapes_what_it_shows_and_counts_the_rest():
    html = html_table(["<head>"], [["<script>"]], ["a & b"])
    assert "<script>" not in html
    assert "<td>&lt;script&gt;</td>" in html
    assert "<th>&lt;head&gt;</th>" in html
    assert html.endswith("<p>a &amp; b</p>")
    long = html_table(["n"], [[str(k)] for k in range(MOST_ROWS + 5)])
    assert long.count("<tr>") == MOST_ROWS  # the head, and all but one of the rows
    assert "... and 6 more" in long
