"""One run of a network."""

import torch

POINTS = torch.rand(2, 20, 3, generator=torch.Generator().manual_seed(9)) * torch.tensor([6.0, 5.0, 3.0])
SPEED = torch.tensor([343.0, 343.0])


def run(network, given, **options):
    with torch.no_grad():
        return network(given, **options)
