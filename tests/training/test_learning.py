"""Can it learn at all? Recipe tiny knows 32 scenes by heart after a minute or two; seeds are fixed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from soundfix.microphones import Microphones
from soundfix.networks.frozen import Frozen
from soundfix.networks.losses import draw_points, likelihood_loss, total_loss
from soundfix.networks.model import Network, Windows
from soundfix.simulation.rooms import RoomConfig, simulate
from soundfix.training import recipes

SCENES, SAMPLES, BATCH = 32, 2048, 16
ROOM = RoomConfig(size_m=(6.0, 5.0, 3.0), rt60_s=0.3)
CENTRE = np.array([3.0, 2.5, 1.5])
MICROPHONES = np.array(
    [[0.5, 0.5, 1.0], [5.5, 0.4, 2.2], [5.4, 4.6, 0.6], [0.4, 4.5, 2.0], [3.0, 0.3, 2.7], [2.8, 4.7, 0.4]]
)
WARM_UP = 30


def scenes(rng):
    """Windows of noise from 32 places in a room, and the places, from the room's centre."""
    places = rng.uniform([0.8, 0.8, 0.5], [5.2, 4.2, 2.5], size=(SCENES, 1, 3))
    audio = [
        simulate(
            ROOM,
            sources=place,
            sounds=rng.standard_normal((1, SAMPLES + 800)),
            microphones=Microphones(positions=MICROPHONES),
            snr_db=20.0,
            rng=rng,
            lead_in_s=0.05,
        ).audio
        for place in places
    ]
    shape = (SCENES, len(MICROPHONES))
    windows = Windows(
        audio=torch.from_numpy(np.array(audio)),
        positions_m=torch.from_numpy(MICROPHONES - CENTRE).float().expand(SCENES, -1, -1),
        is_known=torch.ones(shape, dtype=torch.bool),
        is_heard=torch.ones(shape, dtype=torch.bool),
    )
    return windows, torch.from_numpy(places - CENTRE).float()


def some(windows, chosen):
    return Windows(**{name: value[chosen] for name, value in vars(windows).items() if value is not None})


def steps(network, windows, sources, *, count, learning_rate, loss):
    """A plain loop over random batches: warm-up, then a cosine."""
    features = network.listen(windows.audio).detach()
    optimizer = torch.optim.AdamW(network.parameters(), learning_rate, weight_decay=0.0)
    generator = torch.Generator().manual_seed(0)
    for step in range(count):
        optimizer.param_groups[0]["lr"] = (
            learning_rate * min(1, (step + 1) / WARM_UP) * (1 + np.cos(np.pi * step / count)) / 2
        )
        chosen = torch.randperm(SCENES, generator=generator)[:BATCH]
        batch = some(windows, chosen)
        value = loss(network, network(batch, frozen=Frozen(features[chosen])), batch, sources[chosen], generator)
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        yield float(value.detach())


def placing(network, answers, windows, sources, generator):
    """Eq. 8 as it is trained."""
    guess = {"sound": answers.sound, "microphones": answers.microphones_m / 3, "sources": answers.sources_m / 3}
    truth = {
        "sound": network.sound_target(windows.audio),
        "microphones": windows.positions_m / 3,
        "sources": sources / 3,
    }
    return sum(total_loss(recipes.tiny().losses, guess=guess, truth=truth).values())


def listening(network, answers, windows, sources, generator):
    """The likelihood's cross-entropy."""
    box = torch.from_numpy(np.stack([-CENTRE, CENTRE])).float().expand(BATCH, 2, 3)
    points = draw_points(sources, box, count=256, generator=generator)
    scores = answers.likelihoods.at(points, windows.positions_m, torch.full((BATCH,), 343.0))
    return likelihood_loss(scores, points, sources, torch.ones(sources.shape[:2], dtype=torch.bool))


@pytest.mark.slow
def test_tiny_learns_32_scenes_by_heart(rng):
    """The position decoder's mean error falls below 5 cm."""
    windows, sources = scenes(rng)
    torch.manual_seed(0)
    network = Network(recipes.tiny().network).train()
    network.head.requires_grad_(False)
    for _ in steps(network, windows, sources, count=600, learning_rate=1.5e-3, loss=placing):
        pass
    with torch.no_grad():
        found = network.eval()(windows).sources_m
    assert float((found - sources).norm(dim=-1).mean()) < 0.05


@pytest.mark.parametrize("weighting", ["mask", pytest.param("coherence", marks=pytest.mark.slow)])
def test_the_likelihood_head_learns(rng, weighting):
    """From SRP-PHAT, where it starts, its cross-entropy falls by a quarter in a hundred steps."""
    windows, sources = scenes(rng)
    torch.manual_seed(0)
    tiny = recipes.tiny().network
    network = Network(replace(tiny, head=replace(tiny.head, weighting=weighting))).train()
    losses = list(steps(network, windows, sources, count=100, learning_rate=2e-3, loss=listening))
    assert np.mean(losses[-20:]) < 0.75 * np.mean(losses[:10])
