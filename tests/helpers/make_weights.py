"""Writes the small weights that tests read: NGCC-PHAT on delayed noise, and a paper network that knows one source by heart.

    PYTHONPATH=tests python -m helpers.make_weights

A minute on one core; seeds are fixed. What was written lies in tests/data and is committed, so that no test trains it.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from helpers import DATA
from helpers.networks import paper_like
from soundfix.localization.health import examine
from soundfix.localization.pairs import choose_pairs
from soundfix.methods.frame import frame_of
from soundfix.methods.srp_phat import SrpPhat
from soundfix.methods.tensors import to_windows
from soundfix.networks import checkpoint
from soundfix.networks.encoders import ngcc
from soundfix.networks.encoders.ngcc import Ngcc, NgccConfig
from soundfix.networks.frozen import Frozen
from soundfix.networks.model import Network, Windows
from soundfix.testing import CHECKS, SOURCE

NGCC, PAPER = DATA / "ngcc_small.safetensors", DATA / "three_stream_paper_contract.safetensors"
LISTENER = NgccConfig(channels=16, sinc_taps=63, backbone_taps=(7, 5), head_taps=(7, 5), last_taps=3, max_lag=60)
SAMPLES, BATCH = 2048, 16


def main() -> None:
    ngcc.save(delays_learned(), NGCC)
    checkpoint.save(taught(paper_like(correlation="gcc"), contract_scenes(), SOURCE), PAPER)


def delays_learned(*, steps: int = 400) -> Ngcc:
    """NGCC-PHAT after white noise at both microphones, one later by up to max_lag, 0 to 30 dB over their own noise."""
    torch.manual_seed(0)
    network, generator = Ngcc(LISTENER).train(), torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - step / steps)
        x, y, late = delayed(generator)
        loss = functional.cross_entropy(network(x, y), late + LISTENER.max_lag)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


def delayed(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """(x, y, by how many samples x hears the sound later)."""
    sound = torch.randn(BATCH, 1, SAMPLES, generator=generator)
    late = torch.randint(-LISTENER.max_lag, LISTENER.max_lag + 1, (BATCH,), generator=generator)
    x = torch.stack([row.roll(int(lag), dims=-1) for row, lag in zip(sound, late, strict=True)])
    noise = 10 ** (-1.5 * torch.rand(BATCH, 1, 1, generator=generator))
    x, sound = (each + noise * torch.randn(each.shape, generator=generator) for each in (x, sound))
    return x, sound, late


class Recorder:
    """SRP-PHAT, remembering what it was asked."""

    name = "recorder"

    def __init__(self) -> None:
        self.scenes = []

    def locate(self, scene):
        self.scenes.append(scene)
        return SrpPhat().locate(scene)


def contract_scenes():
    """Every scene that the contract asks a localizer."""
    recorder = Recorder()
    for check in CHECKS:
        check(recorder)
    return recorder.scenes


def taught(network, scenes, source, *, steps=150) -> Network:
    """The network after learning by heart where this one source is in each of the scenes that can be located."""
    lessons = []
    for scene in {(s.audio.tobytes(), s.microphones.positions.tobytes(), s.room): s for s in scenes}.values():
        health = examine(scene)
        if health.is_heard.sum() > 3:
            frame = frame_of(scene)
            where = torch.from_numpy(frame.inside(np.array(source) + _moved(scene))).float()
            lessons.append(
                (
                    to_windows(torch.from_numpy(health.audio), scene, choose_pairs(health.is_heard)[0], frame=frame),
                    where,
                )
            )
    batch, places = _stacked([lesson for lesson, _ in lessons]), torch.stack([where for _, where in lessons])[:, None]
    network.normalize_to(places[:, 0] + torch.randn(len(places), 3, generator=torch.Generator().manual_seed(0)))
    optimizer = torch.optim.AdamW([w for w in network.parameters() if w.requires_grad], 3e-3)
    features = network.listen(batch.audio).detach()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - step / steps)
        gap = network(batch, frozen=Frozen(features)).sources_m - places
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


if __name__ == "__main__":
    main()
