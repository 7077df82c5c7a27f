"""What a window costs a network: more, where there is more to do."""

import torch

from helpers.networks import paper_like
from soundfix.studies.costs import cost_of


def test_a_network_that_does_more_costs_more():
    """Eleven microphones have 110 directed pairs, five have 20."""
    torch.manual_seed(0)
    network = paper_like()
    many, few = (cost_of(network, microphones=count, window_s=0.128) for count in (11, 5))
    assert many.megabytes > 1.5 * few.megabytes > 0
    assert many.seconds > 0
