"""Rows as they stand in a file, and sentences that name the line."""

from pathlib import Path

import pytest

from soundfix.errors import EventFileError
from soundfix.files.events.table import Row, checked_band, checked_span, read_table, read_text

PATH = Path("e.txt")


def test_tabs_or_commas_and_quotes_where_there_are_commas():
    tabbed = read_table(PATH, 'a\tb\n1\t"x, y\n')
    assert tabbed.rows[0] == ("e.txt, line 2", {"a": "1", "b": '"x, y'})
    assert read_table(PATH, 'a,b\n1,"x, y"\n').rows[0].cells == {"a": "1", "b": "x, y"}


def test_blank_lines_are_no_rows_and_cells_at_the_end_may_be_left_out():
    table = read_table(PATH, "a\tb\n\n1\n")
    assert [(row.place, row.cells) for row in table.rows] == [("e.txt, line 3", {"a": "1", "b": ""})]


def test_a_cell_too_many_is_refused_with_its_line():
    with pytest.raises(EventFileError, match=r"e.txt, line 2 has 3 cells, wanted 2 as in the header: a decimal comma"):
        read_table(PATH, "a,b\n1,5,2\n")


def test_a_text_is_of_the_first_column_that_says_anything():
    row = Row("line 1", {"a": "NA", "b": " ", "c": " owl "})
    assert row.text("a", "b", "c", "d") == "owl"
    assert row.text("a") == ""


@pytest.mark.parametrize("cell", ["1,5", "", "nan", "inf"])
def test_what_is_no_number_is_refused_with_its_column(cell):
    with pytest.raises(EventFileError, match=f"line 1: From is '{cell}', wanted a number"):
        Row("line 1", {"From": cell}).number("From")


@pytest.mark.parametrize("span", [(2.0, 1.0), (-1.0, 1.0)])
def test_time_goes_forward_from_the_start(span):
    with pytest.raises(EventFileError, match=r"line 1: from .* wanted seconds from the start"):
        checked_span(*span, "line 1")


def test_a_band_that_holds_all_of_the_usual_one_says_nothing():
    assert checked_band(0.0, 15_000.0, "") is None
    assert checked_band(200.0, 15_000.0, "") == (200.0, 15_000.0)
    assert checked_band(0.0, 7000.0, "") == (0.0, 7000.0)
    with pytest.raises(EventFileError, match="line 1: 900 to 200 Hz"):
        checked_band(900.0, 200.0, "line 1")


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path):
    with pytest.raises(EventFileError, match="cannot be read"):
        read_text(tmp_path / "none.txt")
    (tmp_path / "e.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EventFileError, match="wanted a Raven selection table"):
        read_text(tmp_path / "e.txt")
