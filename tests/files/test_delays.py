"""Three forms of table, three units; what is odd is refused with its line."""

import numpy as np
import pytest

from helpers.tables import write_table
from soundfix.errors import DelayFileError
from soundfix.files.delays import read_delays
from soundfix.microphones import Microphones

MICROPHONES = Microphones(positions=np.eye(3), names=("A1", "b", "c"))


def read(path, text):
    path.write_text(text)
    return read_delays(path, MICROPHONES)


@pytest.fixture
def table(tmp_path):
    return tmp_path / "tdoas.csv"


def rows(delays):
    return list(zip(delays.first.tolist(), delays.delay_s.tolist(), strict=True))


def test_arrivals(table):
    one, two = read(table, "event,mic,delay_s,sigma_s\nwren,A1,0.5,0.001\nwren,c,-0.25,\nowl,b,1,0\n")
    assert (one.label, two.label, one.second) == ("wren", "owl", None)
    assert rows(one) == [(0, 0.5), (2, -0.25)]
    assert one.sigma_s.tolist() == [0.001, 0.0]


def test_pairs_in_milliseconds_with_tabs_and_capitals(table):
    (only,) = read(table, "Mic1\tMIC2\tDelay_ms\tsigma_ms\nb\ta1\t12\t2\n")
    assert (only.label, only.first.tolist(), only.second.tolist()) == ("event1", [1], [0])
    assert only.delay_s == pytest.approx([0.012])
    assert only.sigma_s == pytest.approx([0.002])


def test_a_wide_table_with_a_unit_and_blanks(table):
    one, two = read(table, "event;A1;b_ms;c\nx;0.1;20;NA\n;;30;NaN\n")
    assert (one.label, two.label) == ("x", "event2")
    assert rows(one) == [(0, 0.1), (1, pytest.approx(0.02))]
    assert rows(two) == [(1, pytest.approx(0.03))]


def test_comments_and_blank_lines(table):
    (only,) = read(table, "# by hand\nmic,delay_us\n\nb,5\n")
    assert rows(only) == [(1, pytest.approx(5e-6))]


def test_names_that_differ_in_case_only_are_told_apart(table):
    table.write_text("mic,delay_s\na,1\nA,2\n")
    (only,) = read_delays(table, Microphones(positions=np.eye(3)[:2], names=("A", "a")))
    assert only.first.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mic,delay_s\nd,1\n", "line 2: 'd' is not in the list of microphones, wanted one of A1, b, c"),
        ("event,A1,d\nx,1,2\n", "header: 'd' is not in the list"),
        ("mic,delay\nb,1\n", "wanted one of delay_s, delay_ms"),
        ("mic1,delay_s\nb,1\n", "wanted mic, or mic1 and mic2"),
        ("mic,delay_s\nb,x\n", "line 2, column delay_s: 'x' is not a number"),
        ("mic,delay_s\nb,1,5\n", "line 2 has 3 cells, wanted 2"),
        ("mic,delay_s\nb,1\nb,2\n", "a delay is there twice"),
        ("mic,delay_s,sigma_s\nb,1,-1\n", "sigma_s is -1, wanted 0 or more"),
        ("mic,delay_s,delay_s\nb,1,1\n", "one is there twice"),
        ("mic,delay_s\nb,NA\n", "holds no delay"),
        ("", "is empty"),
    ],
)
def test_what_is_refused_and_where(table, text, message):
    with pytest.raises(DelayFileError, match=message):
        read(table, text)


def test_what_is_no_file_of_text(table):
    with pytest.raises(DelayFileError, match="cannot be read"):
        read_delays(table, MICROPHONES)
    table.write_bytes(b"mic,delay_s\n\xff\xfe")
    with pytest.raises(DelayFileError, match="cannot be read"):
        read_delays(table, MICROPHONES)


def test_a_table_written_by_a_loop(table):
    write_table(table, "mic,delay_s", [("A1", 1), ("b", 2)])
    assert len(read_delays(table, MICROPHONES)[0]) == 2
