"""Turns on disk: CSV and RTTM, and nothing where neither is meant."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from soundfix.errors import OutputError
from soundfix.report.turns import TURN_COLUMNS, check_turns_file, write_turns
from soundfix.tracking.turns import Turn

TURN = Turn(
    start_s=1.0, end_s=3.5, track=2, position_m=np.array([1.0, -2.0, 1.25]), radius90_m=0.12, moved_m=0.5,
    level_dbfs=-31.25, windows=10, returned=True, kind="speech", kind_probability=0.875,
)  # fmt: skip


def test_a_row_a_turn(tmp_path):
    write_turns(
        tmp_path / "turns.csv", [TURN, replace(TURN, level_dbfs=None, returned=False, kind=None, kind_probability=None)]
    )
    with (tmp_path / "turns.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == TURN_COLUMNS
    assert rows[1] == [
        "1.000", "3.500", "2", "1.000", "-2.000", "1.250", "0.120", "0.500", "-31.250", "10", "yes",
        "speech", "0.875",
    ]  # fmt: skip
    assert rows[2][-5:] == ["", "10", "no", "", ""]


def test_rttm_has_ten_columns_and_no_spaces_in_a_name(tmp_path):
    write_turns(tmp_path / "turns.RTTM", [TURN, replace(TURN, kind=None, kind_probability=None)], "my take")
    lines = (tmp_path / "turns.RTTM").read_text().splitlines()
    assert lines[0] == "SPEAKER my_take 1 1.000 2.500 <NA> speech track2 0.875 <NA>"
    assert lines[1] == "SPEAKER my_take 1 1.000 2.500 <NA> <NA> track2 <NA> <NA>"
    assert [len(line.split()) for line in lines] == [10, 10]


@pytest.mark.parametrize("name", ["turns.txt", "turns", "csv"])
def test_other_names_are_refused(tmp_path, name):
    with pytest.raises(OutputError, match=rf"{name}: wanted a name that ends in \.csv or \.rttm"):
        check_turns_file(tmp_path / name)
    with pytest.raises(OutputError):
        write_turns(tmp_path / name, [TURN])
    assert not (tmp_path / name).exists()
