"""The paper's numbers, as they are printed: their sums, so that a slip of a digit is noticed."""

import pytest

from soundfix.studies import published


def total(table):
    return [pytest.approx(sum(column)) for column in zip(*table, strict=True)]


def test_the_tables_add_up_as_printed():
    assert total(published.ELEVEN.values()) == [126.2, 523.1, 229.2, 427.7]
    assert total((each[1], each[2]) for each in published.FEWER.values()) == [435.4, 302.6]
    assert sum(each[0] or 0.0 for each in published.FEWER.values()) == pytest.approx(529.6)
    assert total(published.UNKNOWN["wav2pos"]) == [364.5, 183.5, 71.6]
    assert total(published.UNKNOWN["three-stream (paper)"]) == [335.4, 169.8, 60.7]
    assert published.SEVERAL["three-stream (paper)"] == (45.2, 69.9)
    assert sum(published.WEIGHTS_M.values()) == pytest.approx(20.2)
