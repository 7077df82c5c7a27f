"""Rows to points, by hand."""

from dataclasses import replace

import pytest

from helpers.questions import row, score
from soundfix.studies.points import Reading, is_found, points_of, told

READING = Reading(
    x=lambda r: float(r.unknown), curve=lambda r: f"{r.window_s:g} s", value=lambda r: f"{r.unknown} of 11"
)


def test_points_rise_along_curves_of_methods():
    rows = [
        row(method=method, unknown=unknown, window_s=window_s, moment=moment, score=score(0.1 * moment))
        for method in "ba"
        for window_s in (0.5, 0.1)
        for unknown in (2, 0)
        for moment in (1, 3)
    ]
    points = points_of(rows, READING)
    assert [(p.method, p.curve, p.x) for p in points[:4]] == [
        ("b", "0.5 s", 0.0), ("b", "0.5 s", 2.0), ("b", "0.1 s", 0.0), ("b", "0.1 s", 2.0)
    ]  # fmt: skip
    assert [p.method for p in points] == ["b"] * 4 + ["a"] * 4
    assert {p.value for p in points} == {"0 of 11", "2 of 11"}
    for p in points:
        assert p.summary.windows == 2
        assert p.summary.mae_m.value == pytest.approx(0.2)
        assert p.summary.mae_m.error == pytest.approx(0.1 / 2**0.5, rel=0.1)  # two recordings
        assert p.found.value == pytest.approx(0.5)


TWO = row(
    sources=2, true_m=[[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]], said_m=[[3.0, 0.2, 0.0], [0.1, 0.0, 0.0]],
    reasons=("several_sources",),
)  # fmt: skip


def test_all_are_found_where_each_has_a_place_of_its_own():
    assert is_found(TWO)
    assert not is_found(replace(TWO, said_m=[[3.0, 0.2, 0.0], [0.35, 0.0, 0.0]]))  # one is 35 cm off
    assert not is_found(replace(TWO, said_m=[[3.0, 0.2, 0.0]]))  # one is not told
    between = replace(TWO, true_m=[[0.0, 0.0, 0.0], [0.5, 0.0, 0.0]], said_m=[[0.25, 0.0, 0.0]])
    assert not is_found(between)  # one place for both
    assert not is_found(replace(TWO, said_m=[]))
    assert not is_found(replace(TWO, said_m=[[3.0, 0.2, 0.0], [3.1, 0.0, 0.0]]))  # one is told twice
    assert is_found(row(score=score(0.29)))
    assert not is_found(row(score=score(0.31)))


def test_how_many_are_told():
    assert told(TWO) == 2
    assert told(replace(TWO, reasons=())) == 1  # two places of one source
    assert told(replace(TWO, score=score(0.1, is_answered=False))) == 0
    (found,) = points_of([replace(TWO, moment=0), replace(TWO, moment=1, reasons=())], READING)
    assert found.counted.value == 0.5
