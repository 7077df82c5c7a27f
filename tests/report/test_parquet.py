"""Rows as Parquet, read by pandas and by Arrow itself."""

from datetime import UTC, datetime

import pandas
import pyarrow.parquet
import pytest

from soundfix.errors import OutputError
from soundfix.report import parquet
from soundfix.report.parquet import write_parquet

COLUMNS = {"clock": "timestamp[us, tz=UTC]", "x_m": "double", "source": "int32", "verdict": "string"}
ROWS = [
    ["2022-06-20T06:00:01.500000+00:00", 1.25, 1, "ok"],
    ["2022-06-20T08:00:02+02:00", None, None, "abstain"],
    [None, 3.0, 2, None],
]


def test_columns_have_their_types(tmp_path):
    write_parquet(tmp_path / "a.parquet", COLUMNS, iter(ROWS))
    found = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    assert [str(field.type) for field in found.schema] == list(COLUMNS.values())
    assert found.to_pylist() == [
        {"clock": datetime(2022, 6, 20, 6, 0, 1, 500_000, tzinfo=UTC), "x_m": 1.25, "source": 1, "verdict": "ok"},
        {"clock": datetime(2022, 6, 20, 6, 0, 2, tzinfo=UTC), "x_m": None, "source": None, "verdict": "abstain"},
        {"clock": None, "x_m": 3.0, "source": 2, "verdict": None},
    ]
    assert list(pandas.read_parquet(tmp_path / "a.parquet").x_m.fillna(-1)) == [1.25, -1, 3.0]


def test_times_without_a_zone(tmp_path):
    write_parquet(tmp_path / "a.parquet", {"clock": "timestamp[us]"}, [["2022-06-20T06:00:01"]])
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pylist() == [{"clock": datetime(2022, 6, 20, 6, 0, 1)}]


def test_no_rows_are_a_table_too(tmp_path):
    write_parquet(tmp_path / "a.parquet", COLUMNS, [])
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet").num_rows == 0


def test_rows_are_written_as_they_come(tmp_path, monkeypatch):
    """In groups of two; nothing of a first group is kept when the third begins."""
    monkeypatch.setattr(parquet, "ROWS_A_GROUP", 2)
    write_parquet(tmp_path / "a.parquet", {"x_m": "double"}, ([float(k)] for k in range(5)))
    file = pyarrow.parquet.ParquetFile(tmp_path / "a.parquet")
    assert [file.metadata.row_group(k).num_rows for k in range(3)] == [2, 2, 1]
    assert file.read().to_pydict() == {"x_m": [0, 1, 2, 3, 4]}


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(OutputError, match="there is no folder"):
        write_parquet(tmp_path / "none" / "a.parquet", COLUMNS, ROWS)
