"""What a network is made of, and how long one window takes it here: `soundfix info MODEL`."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

import torch
from torch import nn

from soundfix.errors import CheckpointError
from soundfix.networks import checkpoint
from soundfix.networks.encoders.beats_files import BeatsConfig
from soundfix.networks.frozen import Frozen
from soundfix.networks.model import Network, Windows
from soundfix.networks.registry import KINDS, build
from soundfix.resample import SAMPLE_RATE
from soundfix.training.recipes import RECIPES

MICROPHONES, WINDOW_S = 11, 0.5  # of the window that is timed
RUNS, WARM_UPS = 15, 3
BOX_M = torch.tensor([[[-3.0, -3.0, -1.5], [3.0, 3.0, 1.5]]])
BASE = BeatsConfig()


def named_network(model: str) -> nn.Module:
    """A recipe's network with random weights, or that of a checkpoint (without BEATs base, which does not belong to it)."""
    if model in RECIPES:
        torch.manual_seed(0)
        return build(RECIPES[model]().network).eval()
    if not Path(model).is_file():
        raise CheckpointError(f"{model!r} is neither a file nor a recipe; recipes are {', '.join(RECIPES)}")
    return checkpoint.load_kind(model, KINDS)


def describe_network(network: nn.Module) -> Iterator[str]:
    """Weights of every part, the totals, and the time of a window."""
    for name, part in network.named_children():
        yield f"{name:25s} {count_weights(part):>11,d}{' frozen' if is_frozen(part) else ''}"
    for name, weights in network.named_parameters(recurse=False):
        yield f"{name:25s} {weights.numel():>11,d}"
    yield f"{'trainable':25s} {trainable(network):>11,d}"
    yield f"{'in all':25s} {count_weights(network):>11,d}"
    if isinstance(network, Network) and network.config.acoustic == "base":
        yield "BEATs base (frozen, 90 million weights) is given separately; the time is without it"
    threads = torch.get_num_threads()
    yield (
        f"one {WINDOW_S} s window of {MICROPHONES} microphones: {1e3 * seconds_a_window(network):.0f} ms "
        f"on {threads} thread{'s' * (threads > 1)} of this machine"
    )


def count_weights(part: nn.Module) -> int:
    return sum(weight.numel() for weight in part.parameters())


def trainable(network: nn.Module) -> int:
    """Weights that are not frozen."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)


def is_frozen(part: nn.Module) -> bool:
    weights = list(part.parameters())
    return bool(weights) and not any(weight.requires_grad for weight in weights)


def seconds_a_window(network: nn.Module) -> float:
    """Median time of a forward pass, after some to warm up."""
    generator = torch.Generator().manual_seed(0)
    windows = Windows(
        audio=torch.randn(1, MICROPHONES, round(WINDOW_S * SAMPLE_RATE), generator=generator),
        positions_m=4 * torch.rand(1, MICROPHONES, 3, generator=generator),
        is_known=torch.ones(1, MICROPHONES, dtype=torch.bool),
        is_heard=torch.ones(1, MICROPHONES, dtype=torch.bool),
    )
    call = _three_stream(network, windows) if isinstance(network, Network) else partial(network, windows, BOX_M)
    times = []
    for _ in range(WARM_UPS + RUNS):
        start = time.perf_counter()
        with torch.inference_mode():
            call()
        times.append(time.perf_counter() - start)
    return median(times[WARM_UPS:])


def _three_stream(network: Network, windows: Windows) -> Callable[[], object]:
    """A forward pass; with BEATs base outside, without it."""
    is_deaf = network.config.acoustic == "base" and network.encoder is None
    features = torch.zeros(1, MICROPHONES, BASE.encoder_embed_dim) if is_deaf else None
    return partial(network, windows, frozen=Frozen(features))
