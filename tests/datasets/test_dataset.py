"""Clips of several rows, counted through."""

import pytest

from soundfix.datasets.dataset import find_clip


def test_a_clip_is_in_the_row_that_its_number_falls_into():
    found = [find_clip([2, 0, 3], clip) for clip in range(5)]
    assert found == [(0, 0), (0, 1), (2, 0), (2, 1), (2, 2)]


@pytest.mark.parametrize("clip", [-1, 5])
def test_beyond_all_rows(clip):
    with pytest.raises(IndexError, match=f"clip {clip} of 5"):
        find_clip([2, 0, 3], clip)
