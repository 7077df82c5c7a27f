"""Medians of rows: outliers and gaps move nothing."""

import numpy as np

from soundfix.robust import medians


def test_gaps_do_not_count_and_a_row_without_numbers_is_zero():
    rows = np.array([[1.0, 2.0, 900.0], [np.nan, 4.0, 8.0], [np.nan, np.nan, np.nan]])
    assert medians(rows).tolist() == [2.0, 6.0, 0.0]
