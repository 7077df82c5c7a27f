"""What kind of sound it is: a small head on the log-mel spectrum of the acoustic stream (ours; not in the paper).

    sound --- levelled, rumble cut --- log-mel --- bands: how loud, how steady, how sudden, how tonal --- head --- p(kind)

The tokens of the packaged acoustic encoder tell kinds less well than the spectrum it hears, and add nothing to it
(EXPERIMENTS.md, 2026-11-27): so the head needs no encoder, and is the same for every method. Level does not matter. The
weights are in a file of their own, which names the kinds; `bench/kinds.py` trains and measures them.
Axes: B batch, T samples at 16 kHz.
"""

import json
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors.torch import save as save_bytes
from torch import Tensor, nn
from torch.nn import functional

from soundfix.atomic import atomic_path
from soundfix.errors import CheckpointError
from soundfix.gate import gate
from soundfix.networks import checkpoint
from soundfix.networks.model import levelled
from soundfix.resample import SAMPLE_RATE
from soundfix.signal.fbank import FRAME, HOP, MELS, normalized_log_mel
from soundfix.signal.rumble import without_rumble

PACKAGED = checkpoint.PACKAGED.with_name("kinds.safetensors")
HIDDEN = 64
BANDS, FINE = 16, 64  # of the spectrum: what is compared in time, and what is compared with its neighbours
LAGS = (1, 4, 12)  # frames of 10 ms apart: clicks, syllables' edges, syllables
FEATURES = BANDS * (3 + len(LAGS)) + FINE // 4
DEEPEST = 1.2  # below the loudest value of the spectrum, 68 dB: digital silence is no quieter than that
SHORTEST = FRAME + 16 * HOP  # samples; silence stands in for the rest of what is shorter
LONGEST = round(2 * SAMPLE_RATE)  # samples that are listened to, in the middle: it was trained on no more
LEAST_DEVIATION = 1e-6  # of a feature


class KindHead(nn.Module):
    """Features -> log probabilities of so many kinds. middle, deviation: of each feature over what it was trained on."""

    middle: Tensor
    deviation: Tensor

    def __init__(self, kinds: int) -> None:
        super().__init__()
        self.register_buffer("middle", torch.zeros(FEATURES))
        self.register_buffer("deviation", torch.ones(FEATURES))
        self.layers = nn.Sequential(nn.Linear(FEATURES, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, kinds))

    def forward(self, found: Float[Tensor, "batch feature"]) -> Float[Tensor, "batch kind"]:
        """Logarithms of probabilities, which add up to 1."""
        return self.layers((found - self.middle) / self.deviation).log_softmax(dim=-1)

    def normalize_to(self, found: Float[Tensor, "batch feature"]) -> None:
        """Take these features' mean and deviation."""
        self.middle.copy_(found.mean(dim=0))
        self.deviation.copy_(found.std(dim=0).clamp_min(LEAST_DEVIATION))


class Kinds(nn.Module):
    """Sound -> probabilities. names: of the kinds, in the order of the head's outputs."""

    def __init__(self, head: KindHead, names: tuple[str, ...]) -> None:
        super().__init__()
        self.head, self.names = head, names

    @torch.inference_mode()
    def forward(self, sound: Float[Tensor, "batch time"]) -> Float[Tensor, "batch kind"]:
        """Of sound at 16 kHz, at any level. Of what is longer than LONGEST the middle is heard."""
        return self.head(features(sound)).exp()


@torch.no_grad()
def features(sound: Float[Tensor, "batch time"]) -> Float[Tensor, "batch feature"]:
    """What the head is told of sound at 16 kHz, over all frames: of BANDS the mean, the deviation, the mean difference from
    frames LAGS before, and how sudden rises are; how unlike neighbours are in FINE bands, which tones make them."""
    spectrum = normalized_log_mel(_context(sound))
    loudest = spectrum.amax(dim=(-2, -1), keepdim=True)
    fine = _mean_of_neighbours(spectrum.maximum(loudest - DEEPEST), MELS // FINE)
    bands = _mean_of_neighbours(fine, FINE // BANDS)
    apart = [(bands[:, lag:] - bands[:, :-lag]).abs().mean(dim=1) for lag in LAGS]
    rises = (bands[:, 2:] - bands[:, :-2]).clamp_min(0).square().mean(dim=1).sqrt()
    unlike = (fine[..., 1:] - fine[..., :-1]).abs().mean(dim=1)
    tonal = [_mean_of_neighbours(unlike[:, :-3], 4), unlike[:, -3:].mean(dim=-1, keepdim=True)]
    return torch.cat([bands.mean(dim=1), bands.std(dim=1), *apart, rises, *tonal], dim=-1)


def save_kinds(kinds: Kinds, path: Path | str, *, notes: dict[str, Any] | None = None) -> None:
    """Write the head, whole or not at all; notes (JSON) say where it comes from."""
    about = json.dumps({"kinds": list(kinds.names), "notes": notes or {}})
    tensors = {name: tensor.contiguous() for name, tensor in kinds.head.state_dict().items()}
    with atomic_path(path) as part:
        part.write_bytes(save_bytes(tensors, {"soundfix kinds": about}))


@gate(CheckpointError)
def load_kinds(path: Path | str = PACKAGED) -> Kinds:
    """The head of this file. Raises CheckpointError where it is none, or one of other features."""
    metadata, tensors = checkpoint.read_tensors(Path(path))
    if "soundfix kinds" not in metadata:
        raise CheckpointError(f"{path} tells no kinds of sound, wanted what bench/kinds.py wrote: is it a network?")
    names = tuple(json.loads(metadata["soundfix kinds"])["kinds"])
    head = KindHead(len(names))
    checkpoint.check_tensors(Path(path), tensors, head.state_dict())
    head.load_state_dict(tensors)
    return Kinds(head, names).eval()


def _context(sound: Float[Tensor, "batch time"]) -> Float[Tensor, "batch longer"]:
    """As the acoustic encoder is given it: levelled, without rumble, long enough."""
    start = max(0, sound.shape[-1] - LONGEST) // 2
    middle = levelled(sound[:, None, start : start + LONGEST])
    whole = levelled(without_rumble(middle, sample_rate=SAMPLE_RATE))[:, 0]
    missing = max(0, SHORTEST - whole.shape[-1])
    return functional.pad(whole, (missing // 2, missing - missing // 2))


def _mean_of_neighbours(values: Float[Tensor, "*batch value"], count: int) -> Float[Tensor, "*batch fewer"]:
    return values.unflatten(-1, (-1, count)).mean(dim=-1)
