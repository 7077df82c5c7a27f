"""A small BEATs and what it hears."""

import pytest
import torch

from helpers.beats import TINY
from soundfix.networks.encoders import beats
from soundfix.networks.encoders.beats import Beats


@pytest.fixture
def tiny() -> Beats:
    return beats.load(TINY)


@pytest.fixture
def sound(rng):
    return torch.from_numpy(rng.normal(size=(3, 16_000)).astype("float32")) * 0.1
