"""What frozen parts make of windows: given back to the network it gives the same answers, and it learns the same."""

import pytest
import torch

from helpers.networks import paper_like, tiny, windows
from helpers.rivals import CONFIGS
from soundfix.networks.frozen import Frozen
from soundfix.networks.registry import build


def run(network, given, **options):
    with torch.no_grad():
        return network(given, **options)


def test_only_what_is_there():
    some = Frozen(coherence=torch.ones(1, 3))
    assert list(some.tensors()) == ["coherence"]
    assert some.to("cpu").features is None
    assert torch.equal(some.to("cpu").coherence, some.coherence)


def test_the_paper_s_network_gives_the_same_answer_from_what_was_kept():
    network, given = paper_like(), windows()
    kept = network.frozen(given)
    assert set(kept.tensors()) == {"features", "correlation", "coherence"}
    one, other = run(network, given), run(network, given, frozen=kept)
    assert torch.equal(one.sources_m, other.sources_m)
    assert torch.equal(one.weights, other.weights)


@pytest.mark.parametrize("name", ["features", "correlation", "coherence"])
def test_what_was_kept_is_used(name):
    network, given = paper_like(), windows()
    kept = network.frozen(given)
    wrong = kept._replace(**{name: getattr(kept, name).flip(0) * 0.5})
    assert not torch.allclose(run(network, given, frozen=wrong).sources_m, run(network, given).sources_m, atol=1e-6)


def test_a_likelihood_s_curves_learn_and_are_not_kept():
    assert set(tiny(frame="array").frozen(windows()).tensors()) == {"features", "coherence"}


def test_wav2pos_keeps_its_correlations():
    torch.manual_seed(0)
    network, given = build(CONFIGS["wav2pos"]).eval(), windows()
    box = torch.tensor([[[-3.0, -3.0, -1.5], [3.0, 3.0, 1.5]]]).expand(2, -1, -1)
    kept = network.frozen(given)
    assert set(kept.tensors()) == {"correlation"}
    with torch.no_grad():
        same = network(given, box, frozen=kept).sources_m
        other = network(given, box, frozen=kept._replace(correlation=kept.correlation.flip(0))).sources_m
        plain = network(given, box).sources_m
    assert torch.equal(same, plain)
    assert not torch.allclose(other, plain, atol=1e-6)
