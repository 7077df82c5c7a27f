"""The highest of neighbouring lags; as it is exported it is the same."""

import pytest
import torch

from soundfix.networks.pooling import highest_near, highest_of


def test_the_highest_of_those_beside():
    curves = torch.tensor([[[0.0, 5, 1, 2, 0, 3]]])
    assert highest_near(curves, 1).tolist() == [[[5, 5, 5, 2, 3, 3]]]
    assert highest_of(curves, 2, stride=2, beyond=1).tolist() == [[[0, 5, 2, 3]]]


@pytest.mark.parametrize("lags", [100, 101, 102, 103])
@pytest.mark.parametrize(("size", "stride", "beyond"), [(4, 4, 2), (3, 3, 1), (5, 5, 2), (9, 1, 4)])
def test_exported_it_is_the_same(lags, size, stride, beyond, monkeypatch):
    curves = torch.randn(2, 3, lags, generator=torch.Generator().manual_seed(0))
    usual = highest_of(curves, size, stride=stride, beyond=beyond)
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    assert torch.equal(highest_of(curves, size, stride=stride, beyond=beyond), usual)
