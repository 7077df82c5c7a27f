"""Every tenth clip is held out; what is learned from never measures."""

import numpy as np
import pytest

from helpers.clips import Clips
from soundfix.datasets.chosen import held_out


def test_every_tenth_clip_is_held_out_and_no_clip_is_in_both():
    data = Clips(25)
    kept, tenth = held_out(data)
    assert list(tenth.clips) == [0, 10, 20]
    assert sorted([*kept.clips, *tenth.clips]) == list(range(25))
    assert (len(kept), len(tenth)) == (22, 3)
    assert tenth.name == "3 clips of clips-25"
    assert np.array_equal(tenth[1].audio, data[10].audio)
    assert np.array_equal(kept[0].audio, data[1].audio)


@pytest.mark.parametrize("count", [1])
def test_a_set_of_one_clip_is_both(count):
    kept, tenth = held_out(Clips(count))
    assert list(kept.clips) == list(tenth.clips) == [0]
