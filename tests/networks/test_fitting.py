"""A network is built only if there are weights for it, and of plain tensors."""

import pytest
import torch
from torch import nn

from soundfix.errors import CheckpointError
from soundfix.networks.fitting import check_plain, check_size

HELD = {"weight": torch.ones(2, 2), "bias": torch.ones(2)}


def test_what_has_its_weights_is_built_and_takes_no_memory():
    check_size("a", lambda: nn.Linear(10**7, 10**7), HELD)


def test_more_parameters_than_tensors_end_the_building():
    built = []

    def layers():
        for _ in range(10**6):
            built.append(nn.Linear(3, 3))

    with pytest.raises(CheckpointError, match="far more than the 2 tensors it holds"):
        check_size("a", layers, HELD)
    assert len(built) < 10
    nn.Sequential(*[nn.Linear(3, 3) for _ in range(5)])  # nobody else is counted afterwards


def test_parts_without_parameters_end_it_too():
    with pytest.raises(CheckpointError, match="more parts than the 2 tensors"):
        check_size("a", lambda: nn.Sequential(*[nn.Identity() for _ in range(10**5)]), HELD)


def test_parameters_of_a_file_of_its_own_are_not_counted():
    five = [nn.Linear] * 5
    with pytest.raises(CheckpointError):
        check_size("a", lambda: nn.Sequential(*[each(3, 3) for each in five]), HELD)
    check_size("a", lambda: nn.Sequential(*[each(3, 3) for each in five]), HELD, besides=2)


@pytest.mark.parametrize(
    "strange", [HELD["weight"].to_sparse(), HELD["weight"].to("meta"), HELD["weight"].to(torch.float8_e5m2)]
)
def test_a_tensor_that_is_not_plain(strange):
    check_plain("a", HELD)
    with pytest.raises(CheckpointError, match=r"a: weight is .*wanted a plain tensor"):
        check_plain("a", HELD | {"weight": strange})
