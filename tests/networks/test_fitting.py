"""A network is built only if there are weights for it, and of plain tensors."""

import pytest
import torch
from torch import nn

from soundfix.errors import CheckpointError
from soundfix.networks.fitting import NOTHING, Held, built, check_plain

HELD = {"weight": torch.ones(2, 2), "bias": torch.ones(2)}


def test_what_has_its_weights_is_built():
    assert isinstance(built("a", lambda: nn.Linear(2, 2), HELD), nn.Linear)


def test_more_parameters_than_tensors_end_the_building():
    layers = []

    def build():
        for _ in range(10**6):
            layers.append(nn.Linear(1, 1))

    with pytest.raises(CheckpointError, match="far more than the 2 tensors it holds"):
        built("a", build, HELD)
    assert len(layers) < 10
    nn.Sequential(*[nn.Linear(3, 3) for _ in range(5)])  # nobody else is counted afterwards


def test_a_parameter_far_too_large_is_refused_before_it_is_filled(monkeypatch):
    filled = []
    monkeypatch.setattr(nn.Linear, "reset_parameters", filled.append)
    with pytest.raises(CheckpointError, match="far more than the 2 tensors it holds"):
        built("a", lambda: nn.Linear(10_000, 10_000), HELD)
    assert not filled


@pytest.mark.parametrize("build", [lambda: nn.Linear(10**7, 10**7), lambda: nn.Embedding(10**12, 1)])
def test_what_is_larger_than_all_memory_is_not_asked_for(build):
    """Whoever promises memory would refuse, in words of its own."""
    with pytest.raises(CheckpointError, match="far more than the 2 tensors it holds"):
        built("a", build, HELD)


def test_parts_without_parameters_end_it_too():
    with pytest.raises(CheckpointError, match="more parts than the 2 tensors"):
        built("a", lambda: nn.Sequential(*[nn.Identity() for _ in range(10**5)]), HELD)


def test_parameters_of_a_file_of_its_own_are_not_counted():
    def five():
        return nn.Sequential(*[nn.Linear(2, 2) for _ in range(5)])

    for outside in (NOTHING, Held(5, 0), Held(0, 100)):
        with pytest.raises(CheckpointError):
            built("a", five, HELD, outside=outside)
    assert len(built("a", five, HELD, outside=Held(5, 100))) == 5


@pytest.mark.parametrize("kind", [torch.sparse_coo, "meta", torch.float8_e5m2])
def test_a_tensor_that_is_not_plain(kind):
    check_plain("a", HELD)
    strange = HELD["weight"].to_sparse() if kind is torch.sparse_coo else HELD["weight"].to(kind)
    with pytest.raises(CheckpointError, match=r"a: weight is .*wanted a plain tensor"):
        check_plain("a", HELD | {"weight": strange})
