"""What one window costs a network, beside what frozen parts make of it: time, and the memory that its operations ask for."""

from statistics import median
from time import perf_counter
from typing import NamedTuple

import torch
from torch.profiler import ProfilerActivity, profile

from soundfix.networks.frozen import Frozen
from soundfix.networks.model import Network, Windows
from soundfix.resample import SAMPLE_RATE

REPEATS, WARM = 15, 3
ROOM_M = 6.0


class Cost(NamedTuple):
    """seconds: of a forward pass, the median. megabytes: asked for in it, all operations together."""

    seconds: float
    megabytes: float


@torch.inference_mode()
def cost_of(network: Network, *, microphones: int, window_s: float) -> Cost:
    """Of one window of noise; NGCC-PHAT, the acoustic encoder and coherence are the same for all, and left out."""
    windows = noise(microphones, round(window_s * SAMPLE_RATE))
    frozen = network.frozen(windows)
    times = [_seconds(network, windows, frozen) for _ in range(WARM + REPEATS)][WARM:]
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        network(windows, frozen=frozen)
    asked = sum(max(each.self_cpu_memory_usage, 0) for each in watched.events())
    return Cost(median(times), asked / 1e6)


def noise(microphones: int, samples: int) -> Windows:
    """One window, heard by so many microphones anywhere in a room."""
    draw = torch.Generator().manual_seed(0)
    return Windows(
        audio=torch.randn(1, microphones, samples, generator=draw),
        positions_m=ROOM_M * (torch.rand(1, microphones, 3, generator=draw) - 0.5),
        is_known=torch.ones(1, microphones, dtype=torch.bool),
        is_heard=torch.ones(1, microphones, dtype=torch.bool),
    )


def _seconds(network: Network, windows: Windows, frozen: Frozen) -> float:
    start = perf_counter()
    network(windows, frozen=frozen)
    return perf_counter() - start
