"""Audacity's labels, with and without bands."""

from pathlib import Path

import pytest

from soundfix.errors import EventFileError
from soundfix.files.events.audacity import is_audacity, read_labels


def labels(text):
    assert is_audacity(text)
    return read_labels(Path("l.txt"), text)


def test_labels_and_a_band_in_the_line_below():
    table, events = labels("0.5\t1.5\towl\n\\\t200\t900\n2\t2\twren\tand more\n")
    assert [(event.start_s, event.end_s, event.band_hz, event.label) for event in events] == [
        (0.5, 1.5, (200.0, 900.0), "owl"),
        (2.0, 2.0, None, "wren and more"),
    ]
    assert [row.place for row in table.rows] == ["l.txt, line 1", "l.txt, line 3"]
    assert [event.rows for event in events] == [(0,), (1,)]


def test_an_edge_that_was_not_set_is_no_band():
    _, (event,) = labels("0.5\t1.5\towl\n\\\t-1.000000\t900\n")
    assert event.band_hz is None


def test_a_header_is_no_label():
    assert not is_audacity("Start\tEnd\n1\t2")
    assert not is_audacity("1,2,owl")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\t2\ta\n\\\tx\t9\n", "l.txt, line 2: low is 'x'"),
        ("1\t2\ta\nword\n", "l.txt, line 2 is 'word', wanted start, end and a label"),
        ("2\t1\ta\n", "l.txt, line 1: from 2 to 1 s"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text, message):
    with pytest.raises(EventFileError, match=message):
        labels(text)


def test_a_band_of_nothing_is_refused():
    with pytest.raises(EventFileError, match="line 1 has a band before the first label"):
        read_labels(Path("l.txt"), "\\\t200\t900\n")
