"""RTTM as diarization programs write it, and as we write it."""

import numpy as np
import pytest

from soundfix.errors import EventFileError
from soundfix.files.events.reading import read_events
from soundfix.report.turns import write_turns
from soundfix.tracking.turns import Turn

TURNS = (
    ";; scored by hand\nSPKR-INFO talk 1 <NA> <NA> <NA> unknown anna <NA> <NA>\n"
    "SPEAKER talk 1 0.500 1.250 <NA> <NA> anna <NA> <NA>\nSPEAKER talk 1 2.0 0.5 <NA> <NA> ben 0.93\n"
)


def read(tmp_path, text):
    (tmp_path / "t.rttm").write_text(text)
    return read_events(tmp_path / "t.rttm")


def test_turns_are_events(tmp_path):
    found = read(tmp_path, TURNS)
    assert [(each.start_s, each.end_s, each.label) for each in found.events] == [(0.5, 1.75, "anna"), (2.0, 2.5, "ben")]
    assert [each.stations for each in found.events] == [(), ()]
    assert [each.rows for each in found.events] == [(0,), (1,)]


def test_of_several_recordings_each_has_its_own(tmp_path):
    found = read(tmp_path, TURNS + "SPEAKER other 1 3.0 0.5 <NA> <NA> <NA> <NA> <NA>\n")
    assert [(each.stations, each.label) for each in found.events] == [
        (("talk",), "anna"),
        (("talk",), "ben"),
        (("other",), ""),
    ]


def test_what_we_write_reads_back(tmp_path):
    turn = Turn(
        start_s=1.0, end_s=2.5, track=3, position_m=np.zeros(3), radius90_m=0.1, moved_m=0.0, level_dbfs=None, windows=3,
        returned=False, kind="speech", kind_probability=0.9,
    )  # fmt: skip
    write_turns(tmp_path / "w.rttm", [turn], "a talk")
    (event,) = read_events(tmp_path / "w.rttm").events
    assert (event.start_s, event.end_s, event.label) == (1.0, 2.5, "track3")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("SPEAKER talk 1 2.0 0.5", "line 5 has 5 cells"),
        ("SPEAKER talk 1 x 0.5 <NA> <NA> ben", "line 5: Begin is 'x'"),
        ("SPEAKER talk 1 2.0 <NA> <NA> <NA> ben", "line 5: Duration is '<NA>'"),
        ("SPEAKER talk 1 2.0 -0.5 <NA> <NA> ben", "from 2 to 1.5 s"),
        ("SPEAKER talk 1 -2.0 0.5 <NA> <NA> ben", "from -2 to -1.5 s"),
        ("SPEAKER talk 1 1e308 1e308 <NA> <NA> ben", "line 5: End is 'inf'"),
        ("SPEAKER talk 1 nan 0.5 <NA> <NA> ben", "line 5: Begin is 'nan'"),
    ],
)
def test_a_line_that_is_no_turn_is_named(tmp_path, line, message):
    with pytest.raises(EventFileError, match=message):
        read(tmp_path, f"{TURNS}{line}\n")


def test_without_turns_there_is_no_event(tmp_path):
    with pytest.raises(EventFileError, match="lists no event"):
        read(tmp_path, TURNS.splitlines()[1])
