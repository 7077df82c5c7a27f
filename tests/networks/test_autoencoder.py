"""Tokens are a set, and who is not there is seen by nobody."""

import torch

from soundfix.networks.autoencoder import AudioInverseMapper, Stack


def stack():
    torch.manual_seed(0)
    return Stack(16, 2, blocks=2, ratio=2).eval()


def tokens(count=5):
    return torch.randn(2, count, 16, generator=torch.Generator().manual_seed(1))


def test_the_order_of_tokens_does_not_matter():
    network, given, there = stack(), tokens(), torch.ones(2, 5, dtype=torch.bool)
    order = torch.tensor([3, 0, 4, 1, 2])
    assert torch.allclose(network(given, there)[:, order], network(given[:, order], there), atol=1e-6)


def test_who_is_not_there_is_seen_by_nobody():
    network, given, there = stack(), tokens(), torch.ones(2, 5, dtype=torch.bool)
    there[:, 4] = False
    other = given.clone()
    other[:, 4] = 100.0
    one, two = network(given, there)[:, :4], network(other, there)[:, :4]
    assert torch.equal(one, two)
    assert torch.allclose(one, network(given[:, :4], there[:, :4]), atol=1e-6)
    assert not torch.allclose(one, network(given, torch.ones_like(there))[:, :4], atol=1e-3)


def test_a_token_goes_back_to_a_sound_by_itself():
    torch.manual_seed(0)
    mapper, given = AudioInverseMapper(16, 32), tokens()
    assert mapper(given).shape == (2, 5, 32)
    assert torch.allclose(mapper(given)[:, 2], mapper(given[:, 2:3])[:, 0], atol=1e-6)
