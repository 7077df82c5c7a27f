"""A folder belongs to the run that it was begun with."""

import pytest

from soundfix.errors import OutputError
from soundfix.settled import refuse_other


def test_the_first_difference_is_named(tmp_path):
    refuse_other(tmp_path, "run", {"a": 1, "b": [2]}, {"b": [2], "a": 1})
    with pytest.raises(OutputError, match=r"holds another run: its b is \[2\], and \[3\] was asked for"):
        refuse_other(tmp_path, "run", {"a": 1, "b": [2], "c": 1}, {"a": 1, "b": [3], "c": 2})


def test_what_only_one_of_them_has_differs(tmp_path):
    with pytest.raises(OutputError, match="its a is None, and 1 was asked for"):
        refuse_other(tmp_path, "run", {}, {"a": 1})
    with pytest.raises(OutputError, match="its a is 1, and None was asked for"):
        refuse_other(tmp_path, "run", {"a": 1}, {})
