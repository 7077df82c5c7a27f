"""Tables and a map of parts."""

import json

import pandas
import pytest

from helpers.season import BEGINS
from soundfix.archive.parts import Parts
from soundfix.archive.rows import COLUMNS
from soundfix.archive.tables import write_tables
from soundfix.archive.told import Report
from soundfix.archive.work import Located
from soundfix.errors import OutputError


def row(clock, **cells):
    return [cells.get(name, clock if name == "clock" else None) for name in COLUMNS]


def report(at=BEGINS):
    return Report(recorders={}, left_out=[], starts_at=at.isoformat())


@pytest.fixture
def parts(tmp_path):
    parts = Parts(tmp_path)
    for key, count in (("b", 2), ("a", 1)):
        rows = [row(f"2022-06-20T06:00:0{k}.000000+00:00", verdict=key, event="=owl", x_m=1.5) for k in range(count)]
        said = {"features": [{"n": key}], "counts": {"ok": count}, "silences": ["S01: x"]}
        parts.write(Located(key=key, audio_s=10.0, rows=rows, **said))
    return parts


def test_parts_come_in_order_of_time_and_the_report_is_told(parts, tmp_path):
    said = report()
    write_tables(tmp_path, parts, ["a", "b", "missing"], said, has_map=True)
    found = pandas.read_parquet(tmp_path / "answers.parquet")
    assert list(found.columns) == list(COLUMNS)
    assert list(found.verdict) == ["a", "b", "b"]
    assert str(found.clock.dtype) == "datetime64[us, UTC]"
    assert [str(found[name].dtype) for name in ("x_m", "source", "duration_s")] == ["float64", "float64", "float64"]
    assert json.loads((tmp_path / "answers.geojson").read_text()) == {
        "type": "FeatureCollection", "features": [{"n": "a"}, {"n": "b"}],
    }  # fmt: skip
    assert (said.pieces, said.audio_s, said.counts, said.silences) == (2, 20.0, {"ok": 3}, ["a: S01: x", "b: S01: x"])


def test_a_spreadsheet_runs_nothing(parts, tmp_path):
    write_tables(tmp_path, parts, ["a"], report(), has_map=False)
    lines = (tmp_path / "answers.csv").read_text().splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1].startswith("2022-06-20T06:00:00.000000+00:00,,'=owl,")
    assert not (tmp_path / "answers.geojson").exists()


def test_times_without_a_zone_have_none(parts, tmp_path):
    write_tables(tmp_path, parts, ["none"], report(BEGINS.replace(tzinfo=None)), has_map=False)
    assert str(pandas.read_parquet(tmp_path / "answers.parquet").clock.dtype) == "datetime64[us]"


def test_a_damaged_part_leaves_the_tables_as_they_were(parts, tmp_path):
    write_tables(tmp_path, parts, ["a"], report(), has_map=True)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("answers.*")}
    (tmp_path / "parts" / "b.json").write_text("{")
    with pytest.raises(OutputError):
        write_tables(tmp_path, parts, ["a", "b"], report(), has_map=True)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("answers.*")} == before
