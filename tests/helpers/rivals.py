"""The learned rivals at a size for tests, and what they are given: strangers' noise in a room, with a truth."""

from dataclasses import replace

import torch

from helpers.networks import SMALL_NGCC, windows
from soundfix.networks.model import Windows
from soundfix.networks.rivals.di_nn import DiNn, DiNnConfig
from soundfix.networks.rivals.gnn import Gnn, GnnConfig, target
from soundfix.networks.rivals.interface import Truths
from soundfix.networks.rivals.wav2pos import Wav2pos, Wav2posConfig

SIDES_M = torch.tensor([6.0, 5.0, 3.0])
SMALL_WAV2POS = Wav2posConfig(
    samples=512,
    width=32,
    heads=2,
    encoder_blocks=2,
    decoder_blocks=2,
    place_width=16,
    pair_width=32,
    head_widths=(32, 32),
    reach_lags=60,
    ngcc=SMALL_NGCC,
)
CONFIGS = {
    "di-nn": DiNnConfig(microphones=7, fft=256, hop=256, channels=(8, 16), recurrent_width=16, embedding=16),
    "gnn gcc": GnnConfig(features="gcc", width=64, cells=(5, 4, 3), reach_lags=300),
    "gnn slf": GnnConfig(features="slf", width=64, cells=(5, 4, 3), reach_lags=300),
    "wav2pos": SMALL_WAV2POS,
    "wav2pos, two sources": replace(SMALL_WAV2POS, sources=2),
}
SIZES = {"di-nn": "di-nn", "gnn": "gnn slf", "wav2pos": "wav2pos"}
NETWORKS = {DiNnConfig: DiNn, GnnConfig: Gnn, Wav2posConfig: Wav2pos}


def rival(name, **changes):
    """In eval mode, with random weights; the GNN's grid has a peak, as after training: else read_out finds noise."""
    torch.manual_seed(0)
    config = replace(CONFIGS[name], **changes)
    network = NETWORKS[type(config)](config).eval()
    if isinstance(config, GnnConfig):
        peak = target(torch.tensor([[0.5, -0.7, 0.4]]), network.cells_m(box(1)))[0]
        network.fusion[-1].bias.data += peak
    return network


def sure_of(name, place_m):
    """A network that answers this place (from the middle of the room of SIDES_M) whatever it hears."""
    network = rival(name)
    place = torch.tensor(place_m, dtype=torch.float32)
    last, answer = {
        "di-nn": lambda: (network.position[-1], place / (SIDES_M / 2)),
        "gnn slf": lambda: (network.fusion[-1], target(place[None], network.cells_m(box(1)))[0]),
        "wav2pos": lambda: (network.source_head[-1], place / network.scale_m),
    }[name]()
    last.weight.data.zero_()
    last.bias.data.copy_(answer)
    network.error_m.fill_(0.03)
    return network


def given(batch=2, count=6, samples=2048, *, seed=0) -> Windows:
    """Windows in the frame whose origin is the middle of the room."""
    made = windows(batch, count, samples, seed=seed)
    return replace(made, positions_m=made.positions_m - SIDES_M / 2)


def box(batch=2):
    return torch.stack([-SIDES_M / 2, SIDES_M / 2]).expand(batch, -1, -1)


def truths(windows, sources=1, *, hides_position=(), hides_sound=()) -> Truths:
    """Sources anywhere; the microphones of these numbers are hidden."""
    batch, count = windows.is_heard.shape
    generator = torch.Generator().manual_seed(5)
    numbers = torch.arange(count)
    hidden = [torch.isin(numbers, torch.tensor(which)).expand(batch, -1) for which in (hides_position, hides_sound)]
    return Truths(
        sources_m=(torch.rand(batch, sources, 3, generator=generator) - 0.5) * SIDES_M,
        is_there=torch.ones(batch, sources, dtype=torch.bool),
        microphones_m=windows.positions_m.clone(),
        hides_position=hidden[0],
        hides_sound=hidden[1],
    )


def answers(network, windows, **options):
    with torch.no_grad():
        return network(windows, box(len(windows.audio)), **options)


def loss(network, windows, truth):
    return sum(network.loss_terms(windows, box(len(windows.audio)), truth).values())
