"""Raven's selection tables."""

from pathlib import Path

import pytest

from soundfix.errors import EventFileError
from soundfix.files.events.raven import is_raven, read_raven
from soundfix.files.events.table import read_table

HEAD = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)"


def events(*rows, more=""):
    table = read_table(Path("e.txt"), "\n".join([HEAD + more, *rows]))
    assert is_raven(table)
    return read_raven(table)


def test_a_selection_is_an_event_with_its_band_and_annotation():
    (event,) = events("1\tSpectrogram 1\t1\t1.5\t2.5\t2000\t3800\tvireo", more="\tAnnotation")
    assert (event.start_s, event.end_s, event.band_hz, event.label) == (1.5, 2.5, (2000.0, 3800.0), "vireo")
    assert (event.stations, event.rows) == ((), (0,))


def test_views_of_one_selection_are_one_event_and_others_are_not():
    found = events(
        "1\tWaveform 1\t1\t1.5\t2.5\t2000\t3800",
        "1\tSpectrogram 1\t1\t1.5\t2.5\t2000\t3800",
        "2\tSpectrogram 1\t1\t1.5\t2.5\t2000\t3800",
    )
    assert [event.rows for event in found] == [(0, 1), (2,)]


def test_birdnet_writes_names_and_files_and_the_time_in_the_file():
    (event,) = events(
        "1\tS\t1\t63.0\t66.0\t0\t15000\tEurasian Wren\twren\t0.9\t/data/b.wav\t3.0",
        more="\tCommon Name\tSpecies Code\tConfidence\tBegin Path\tFile Offset (s)",
    )
    assert (event.label, event.stations, event.band_hz) == ("Eurasian Wren", ("/data/b.wav",), None)
    assert (event.start_s, event.end_s) == (3.0, 6.0)


def test_an_offset_without_a_file_says_nothing():
    (event,) = events("1\tS\t1\t63.0\t66.0\t0\t900\t3.0", more="\tFile Offset (s)")
    assert event.start_s == 63.0


def test_a_time_that_is_none_is_refused_with_its_line():
    with pytest.raises(EventFileError, match=r"e.txt, line 2: Begin Time \(s\) is 'x'"):
        events("1\tS\t1\tx\t2.5\t2000\t3800")
