"""What stands under each column of an archive's table."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from pyproj import Transformer

from soundfix.archive.rows import COLUMNS, clock_of, rows_of
from soundfix.estimate import Estimate, Finding, MicrophoneReport, Source
from soundfix.events import SoundEvent

AT = datetime(2022, 6, 20, 6, 0, 1, tzinfo=UTC)
SOURCE = Source(position_m=np.array([500_010.0, 5_300_020.0, 1.5]), covariance_m2=np.eye(3), score=0.5, radius90_m=2.5)
REPORTS = (
    MicrophoneReport(name="S01", status="ok", weight=0.5, position_m=np.zeros(3)),
    MicrophoneReport(name="S02", status="late", weight=0.0, position_m=np.zeros(3)),
    MicrophoneReport(name="S03", status="unknown-position", weight=0.0, position_m=np.zeros(3)),
    MicrophoneReport(name="S04", status="dead", weight=0.0, position_m=np.zeros(3)),
)
ESTIMATE = Estimate(
    method="m", start_s=1.0, end_s=3.5, verdict="degraded", findings=(Finding("late:S02", "late"),), microphones=REPORTS,
    sources=(SOURCE,), clock=AT,
)  # fmt: skip


def told(estimate, *given):
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows_of(estimate, *given)]


def test_a_row_a_source():
    (row,) = told(ESTIMATE, (), "EPSG:32632")
    assert row["clock"] == "2022-06-20T06:00:01.000000+00:00"
    assert row["duration_s"] == 2.5
    assert (row["x_m"], row["y_m"], row["z_m"], row["radius90_m"]) == (500_010.0, 5_300_020.0, 1.5, 2.5)
    assert (row["verdict"], row["reasons"], row["source"]) == ("degraded", "late:S02", 1)
    assert row["microphones"] == "S01"
    assert row["broken"] == "S02:late S04:dead"
    assert (row["longitude"], row["latitude"]) == pytest.approx(
        Transformer.from_crs(32632, 4326, always_xy=True).transform(500_010, 5_300_020), abs=1e-8
    )
    assert (row["event"], row["rows"]) == (None, None)


def test_an_event_says_where_it_stands():
    event = SoundEvent(start_s=1.0, end_s=3.5, label="owl", rows=(1, 0))
    (row,) = told(replace(ESTIMATE, event=event), ("a.csv, row 1", "b.csv, row 7"))
    assert (row["event"], row["rows"]) == ("owl", "b.csv, row 7; a.csv, row 1")
    assert row["longitude"] is None


def test_a_window_without_an_answer_has_no_place():
    (row,) = told(replace(ESTIMATE, verdict="abstain", sources=(), clock=None), (), "EPSG:32632")
    assert (row["clock"], row["x_m"], row["longitude"], row["latitude"]) == (None,) * 4


def test_times_are_alike_to_the_microsecond():
    assert clock_of(replace(ESTIMATE, clock=AT.replace(microsecond=5))) == "2022-06-20T06:00:01.000005+00:00"
