"""The quicker linear layer is the usual one: to rounding where nothing is learned, and with its gradients elsewhere."""

import pytest
import torch
from torch import nn

from soundfix.networks.linear import BY_ONEDNN, Linear


@pytest.fixture
def pair():
    torch.manual_seed(0)
    usual, ours = nn.Linear(40, 24), Linear(40, 24)
    ours.load_state_dict(usual.state_dict())
    return usual, ours


@pytest.mark.parametrize("shape", [(40,), (7, 40), (2, 3, 5, 40), (0, 40)])
def test_it_is_the_usual_one(pair, shape):
    usual, ours = pair
    with torch.inference_mode():
        values = torch.randn(shape)
        assert torch.allclose(ours(values), usual(values), atol=1e-5)
        turned = torch.randn(40, 6).T
        assert torch.allclose(ours(turned), usual(turned), atol=1e-5)


def test_other_precisions_stay_what_they_are(pair):
    _, ours = pair
    with torch.inference_mode():
        assert ours.double()(torch.randn(3, 40, dtype=torch.float64)).dtype == torch.float64


def test_it_learns(pair):
    usual, ours = pair
    values = torch.randn(5, 40)
    for layer in pair:
        layer(values).square().sum().backward()
    assert torch.equal(ours.weight.grad, usual.weight.grad)
    assert torch.equal(ours.bias.grad, usual.bias.grad)


def test_without_a_bias():
    ours = Linear(40, 24, bias=False)
    with torch.inference_mode():
        values = torch.randn(5, 40)
        assert torch.allclose(ours(values), values @ ours.weight.T, atol=1e-5)


@pytest.mark.skipif(BY_ONEDNN is None, reason="this build of torch has no oneDNN")
def test_onednn_is_asked(pair, monkeypatch):
    _, ours = pair
    asked = torch.full((5, 24), 7.0)
    monkeypatch.setattr("soundfix.networks.linear.BY_ONEDNN", lambda *_: asked)
    with torch.inference_mode():
        assert ours(torch.randn(5, 40)) is asked
    assert ours(torch.randn(5, 40)) is not asked
