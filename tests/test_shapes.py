"""Where SHAPES=1, wrong shapes and types are refused, of arguments and of fields."""

import os

import numpy as np
import pytest
from beartype.roar import BeartypeCallHintViolation

from soundfix import physics
from soundfix.localization.stations import Stretch

pytestmark = pytest.mark.skipif(not os.environ.get("SHAPES"), reason="make test SHAPES=1")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: physics.distances(np.zeros((2, 2)), np.zeros((3, 3))),
        lambda: physics.range_differences(np.zeros(3), np.zeros((4, 3)), np.zeros((6, 3), dtype=int)),
        lambda: physics.fisher_information(np.zeros(3), np.ones((4, 3)), np.ones(5)),  # five of four microphones
        lambda: Stretch(audio=np.zeros(7, np.float32), sample_rate=16_000.0, start_s=0.0),
        lambda: physics.pair_indices("five"),
    ],
)
def test_what_is_annotated_is_enforced(wrong):
    with pytest.raises(BeartypeCallHintViolation):
        wrong()
