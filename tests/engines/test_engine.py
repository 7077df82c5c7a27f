"""What engines share."""

import pytest
import torch

from soundfix.engines.engine import all_done, worked
from soundfix.errors import EngineError


def test_work_is_done_in_one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert worked(lambda task: (task, torch.get_num_threads()), 5) == (5, 1)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_where_every_task_counts_one_that_cannot_be_done_is_raised():
    assert list(all_done(iter([(1, "a"), (0, "b")]))) == [(1, "a"), (0, "b")]
    with pytest.raises(EngineError, match="lost"):
        list(all_done(iter([(1, "a"), (0, EngineError("lost"))])))
