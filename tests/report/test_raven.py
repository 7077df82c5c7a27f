"""The table of events, with its answers."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from soundfix.errors import OutputError
from soundfix.estimate import Estimate, MicrophoneReport, Source
from soundfix.files.events.joined import joined
from soundfix.files.events.raven import COLUMNS
from soundfix.files.events.reading import read_events
from soundfix.report.raven import ADDED, write_raven

RAVEN = "Selection\tBegin Time (s)\tEnd Time (s)\tAnnotation\n7\t1\t2\towl\n8\t3\t4\twren\n"


def answered(event, **told):
    """Of one source at (1, 2, 3), by a; b was left out."""
    source = Source(position_m=np.array([1.0, 2.0, 3.0]), covariance_m2=np.eye(3), radius90_m=2.5, score=1.0)
    heard = [
        MicrophoneReport(name=name, status="ok", weight=weight, position_m=None)
        for name, weight in (("a", 1.0), ("b", 0.0))
    ]
    usual = {"method": "m", "start_s": event.start_s, "end_s": event.end_s, "verdict": "ok", "sources": (source,)}
    return Estimate(**usual | {"microphones": tuple(heard), "event": event} | told)


def rows_of(path):
    header, *rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    assert len(set(header)) == len(header)
    return header, [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture
def table(tmp_path):
    (tmp_path / "e.txt").write_text(RAVEN)
    return read_events(tmp_path / "e.txt")


def test_rows_as_they_were_with_columns_added(table, tmp_path):
    clock = datetime(2020, 6, 17, 9, tzinfo=UTC)
    write_raven(tmp_path / "out.txt", table, [answered(table.events[1], clock=clock)])
    header, (first, second) = rows_of(tmp_path / "out.txt")
    assert header == ["Selection", "Begin Time (s)", "End Time (s)", "Annotation", *ADDED]
    assert (first["Selection"], first["X (m)"], first["Verdict"]) == ("7", "", "")
    told = [second[column] for column in ("Selection", "Annotation", *ADDED)]
    assert told == ["8", "wren", "1.000", "2.000", "3.000", "2.500", "ok", "a", "2020-06-17T09:00:00+00:00"]


def test_an_abstention_has_a_verdict_and_no_place(table, tmp_path):
    nothing = answered(table.events[0], verdict="abstain", sources=())
    write_raven(tmp_path / "out.txt", table, [nothing])
    assert [rows_of(tmp_path / "out.txt")[1][0][column] for column in ADDED[:5]] == ["", "", "", "", "abstain"]


def test_what_was_written_before_is_written_anew(table, tmp_path):
    write_raven(tmp_path / "out.txt", table, map(answered, table.events))
    again = read_events(tmp_path / "out.txt")
    write_raven(tmp_path / "twice.txt", again, map(answered, again.events))
    assert (tmp_path / "twice.txt").read_text() == (tmp_path / "out.txt").read_text()


def test_another_format_becomes_a_selection_table(tmp_path):
    (tmp_path / "d.csv").write_text("file,start_time,end_time,owl\na.wav,0,5,1\nb.wav,0,5,1\nb.wav,5,10,0\n")
    table = read_events(tmp_path / "d.csv")
    (event,) = joined(table.events)
    write_raven(tmp_path / "out.txt", table, [answered(replace(event, band_hz=(200.0, 900.0)))])
    header, rows = rows_of(tmp_path / "out.txt")
    assert tuple(header[: len(COLUMNS)]) == COLUMNS
    assert [row["file"] for row in rows] == ["a.wav", "b.wav"]
    assert [rows[1][column] for column in (*COLUMNS, "Label", "X (m)")] == [
        "2", "Spectrogram 1", "1", "0.000000", "5.000000", "200.0", "900.0", "owl", "1.000",
    ]  # fmt: skip
    assert [each.label for each in read_events(tmp_path / "out.txt").events] == ["owl", "owl"]


def test_a_file_that_cannot_be_written_is_told(table, tmp_path):
    with pytest.raises(OutputError):
        write_raven(tmp_path / "none" / "out.txt", table, [])
