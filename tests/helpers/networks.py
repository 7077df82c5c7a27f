"""Small networks and windows for tests: random weights everywhere, as after training; nothing is trivially 0 or 1."""

import re
from dataclasses import replace

import torch

from soundfix.networks.encoders.ngcc import NgccConfig
from soundfix.networks.model import Network, Windows
from soundfix.training import recipes
from soundfix.training.info import describe_network

SMALL_NGCC = NgccConfig(channels=4, sinc_taps=31, backbone_taps=(5, 3), head_taps=(5, 3), last_taps=3)


def tiny(*, is_untrained=False, **changes) -> Network:
    """Recipe tiny, with these fields of its configuration changed, in eval mode; untrained: as built."""
    torch.manual_seed(0)
    network = Network(replace(recipes.tiny().network, **changes))
    if network.head is not None and not is_untrained:
        masks = [network.head.mask.last] if network.head.mask else []
        for layer in (network.gate.last, network.head.lag.last, *masks):
            torch.nn.init.normal_(layer.weight, std=0.2)
    return network.eval()


def paper_like(**changes) -> Network:
    """The shape of recipe paper, smaller than recipe tiny."""
    encoder = recipes.tiny().network.encoder
    small = {"width": 32, "encoder_blocks": 1, "decoder_blocks": 1, "acoustic": "small", "encoder": encoder}
    torch.manual_seed(0)
    return Network(
        replace(recipes.paper().network, **(small | {"ngcc": SMALL_NGCC, "reach_lags": 60} | changes))
    ).eval()


def windows(batch=2, count=6, samples=4096, *, seed=0) -> Windows:
    """Strangers' noise and random places: what the network says does not matter here, only what changes it."""
    generator = torch.Generator().manual_seed(seed)
    return Windows(
        audio=torch.randn(batch, count, samples, generator=generator),
        positions_m=torch.rand(batch, count, 3, generator=generator) * torch.tensor([6.0, 5.0, 3.0]),
        is_known=torch.ones(batch, count, dtype=torch.bool),
        is_heard=torch.ones(batch, count, dtype=torch.bool),
    )


def untrained(**changes) -> Network:
    """Recipe tiny as built, with these fields of its configuration changed."""
    torch.manual_seed(0)
    return Network(replace(recipes.tiny().network, **changes)).eval()


def told(network):
    """The lines of `soundfix info` on this network, and the numbers in them by name."""
    lines = list(describe_network(network))
    numbers = {
        line.split()[0]: int(line.split()[1].replace(",", ""))
        for line in lines
        if re.fullmatch(r"\w+ +[\d,]+( frozen)?", line)
    }
    return lines, numbers
