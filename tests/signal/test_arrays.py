"""Arrays and tensors of the same numbers come out the same."""

import numpy as np
import pytest
import torch

from soundfix.signal import arrays


@pytest.fixture
def values(rng):
    return rng.standard_normal((2, 3, 20)).astype(np.float32)


@pytest.mark.parametrize(
    "work",
    [
        lambda x: arrays.padded(x, 2, 5),
        lambda x: arrays.stretches(x, 6, 4),
        lambda x: arrays.moving_mean(x, 5),
        lambda x: arrays.lower_median(x),
        lambda x: arrays.conjugate(arrays.transforms(x).rfft(x)),
        lambda x: arrays.transforms(x).irfft(arrays.transforms(x).rfft(x, n=24), n=24),
    ],
    ids=["padded", "stretches", "moving mean", "lower median", "conjugate", "transforms"],
)
def test_both_kinds_say_the_same(values, work):
    array, tensor = work(values), work(torch.from_numpy(values))
    assert isinstance(array, np.ndarray)
    assert isinstance(tensor, torch.Tensor)
    assert array.shape == tensor.shape
    assert np.allclose(array, tensor.numpy(), atol=1e-6)


def test_at_the_ends_a_mean_is_of_what_there_is():
    assert arrays.moving_mean(np.array([0.0, 3.0, 6.0]), 3).tolist() == [1.5, 3.0, 4.5]
    assert arrays.moving_mean(np.array([0.0, 3.0, 6.0]), 9).tolist() == [3.0, 3.0, 3.0]


@pytest.mark.parametrize("like", [np.ones(3, dtype=np.complex64), torch.ones(3, dtype=torch.complex64)])
def test_numbers_become_of_the_kind_and_precision_of_others(like):
    made = arrays.as_kind(np.arange(3.0), like)
    assert type(made) is type(like)
    assert "float32" in str(made.dtype)


def test_a_median_may_be_of_coarse_numbers():
    """As networks have them that run in bfloat16: numpy knows no such numbers."""
    assert arrays.lower_median(torch.tensor([[3.0, 1.0, 2.0, 4.0]], dtype=torch.bfloat16)).tolist() == [[2.0]]
