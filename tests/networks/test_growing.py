"""Growing: what was there stays, and what is new says nothing yet."""

from dataclasses import replace

import torch

from helpers.networks import tiny, windows
from soundfix.networks.growing import grown

POINTS = torch.rand(2, 12, 3, generator=torch.Generator().manual_seed(9)) * torch.tensor([6.0, 5.0, 3.0])
SPEED = torch.tensor([343.0, 340.0])


def run(network, given):
    with torch.no_grad():
        return network(given)


def with_votes(network):
    """The configuration of the same network with votes."""
    return replace(network.config, head=replace(network.config.head, partial=(0.5, 300.0)))


def looked(network, likelihoods):
    """What the second look says of some places."""
    with torch.no_grad():
        return network.reranker(
            likelihoods, POINTS, torch.ones(2, 12, dtype=torch.bool), windows().positions_m,
            torch.tensor([[0.0, 0, 0], [6, 5, 3]]).expand(2, 2, 3), SPEED,
        )  # fmt: skip


def test_a_network_grows_votes_and_further_inputs_that_say_nothing_yet():
    """Its own weights are as they were; the second look gives the same answers, whatever the new curves are."""
    torch.manual_seed(3)
    small = tiny(reranker=8)
    for weight in small.reranker.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    large = grown(small, with_votes(small)).eval()
    assert large.config == with_votes(small)
    assert large.head.votes is not None
    for name, weight in small.state_dict().items():
        new = large.state_dict()[name]
        assert torch.equal(new[..., : weight.shape[-1]] if weight.dim() else new, weight), name
        assert not weight.dim() or not new[..., weight.shape[-1] :].any(), name
    likelihoods = run(small, windows()).likelihoods
    also = replace(likelihoods, partial=torch.randn(likelihoods.plain.shape))
    assert torch.equal(looked(large, replace(also, partial=torch.zeros_like(also.plain))), looked(large, also))
    assert torch.allclose(looked(large, also), looked(small, likelihoods), atol=1e-5)


def test_where_inputs_did_not_grow_a_grown_network_says_the_same():
    """A second look is added, and changes no other answer."""
    small = tiny(reranker=0)
    large = grown(small, replace(small.config, reranker=8)).eval()
    before, after = run(small, windows()), run(large, windows())
    assert large.reranker is not None
    assert torch.equal(after.sources_m, before.sources_m)
    assert torch.equal(after.likelihoods.curves, before.likelihoods.curves)


def test_what_cannot_grow_comes_back_as_it_is():
    network = tiny()
    assert grown(network, network.config) is network
    for changes in ({"encoder_blocks": 1}, {"reranker": 0}, {"width": 32}):
        assert grown(network, replace(network.config, **changes)) is network


def test_a_grown_network_keeps_what_it_knows_of_arrays():
    network = tiny(arrays=(((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),))
    assert grown(network, replace(with_votes(network), arrays=())).config.arrays == network.config.arrays
