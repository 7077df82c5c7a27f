"""Small networks and windows for tests: random weights everywhere, as after training; nothing is trivially 0 or 1."""

from dataclasses import replace

import numpy as np
import torch

from soundfix.localization.health import examine
from soundfix.localization.pairs import choose_pairs
from soundfix.methods.tensors import to_windows
from soundfix.networks.encoders.ngcc import NgccConfig
from soundfix.networks.model import Network, Windows
from soundfix.training import recipes

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


def taught(network, scenes, source, *, steps=150) -> Network:
    """The network after learning by heart where this one source is in each of the scenes that can be located."""
    lessons = []
    for scene in {(s.audio.tobytes(), s.microphones.positions.tobytes(), s.room): s for s in scenes}.values():
        health = examine(scene)
        if health.is_heard.sum() > 3:
            origin_m = scene.search_box().mean(axis=0)
            where = torch.from_numpy(np.array(source) + _moved(scene) - origin_m).float()
            lessons.append(
                (to_windows(health.audio, scene, choose_pairs(health.is_heard)[0], origin_m=origin_m), where)
            )
    batch, places = _stacked([lesson for lesson, _ in lessons]), torch.stack([where for _, where in lessons])[:, None]
    network.normalize_to(places[:, 0] + torch.randn(len(places), 3, generator=torch.Generator().manual_seed(0)))
    optimizer = torch.optim.AdamW([w for w in network.parameters() if w.requires_grad], 3e-3)
    features = network.listen(batch.audio).detach()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - step / steps)
        gap = network(batch, features=features).sources_m - places
        optimizer.zero_grad()
        gap.square().sum(dim=-1).mean().backward()
        optimizer.step()
    network.error_m.fill_(0.03)
    return network.eval()


def _moved(scene):
    """By how much the contract has moved this scene's room, from its lower corner."""
    return np.array(scene.room[0]) * [1, 1, 0] + [0, 0, scene.room[0][2] if scene.room[1][2] > scene.room[0][2] else 0]


def _stacked(lessons):
    """One batch, padded to the most microphones."""
    most = max(lesson.audio.shape[1] for lesson in lessons)

    def padded(tensor):
        return torch.cat([tensor, tensor.new_zeros(1, most - tensor.shape[1], *tensor.shape[2:])], dim=1)

    return Windows(**{name: torch.cat([padded(vars(lesson)[name]) for lesson in lessons]) for name in vars(lessons[0])})
