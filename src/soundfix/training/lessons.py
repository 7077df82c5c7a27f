"""What each kind of network is taught: ours in five stages (stages.py), the paper's rivals in their own way.

A rival has its own loss (loss_terms). Of the stages it knows localization, and wav2pos that of NGCC-PHAT before.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor, nn

from soundfix.localization.known_layouts import Array, distinct
from soundfix.networks.losses import lag_loss
from soundfix.networks.model import Network, all_pairs
from soundfix.networks.registry import RivalNetwork
from soundfix.networks.rivals.di_nn import DiNn
from soundfix.networks.rivals.interface import Truths
from soundfix.networks.rivals.wav2pos import Wav2pos, standardised_middle
from soundfix.training import stages
from soundfix.training.batches import Batch
from soundfix.training.recipes import Recipe, Stage
from soundfix.training.stages import Terms


def learning(network: nn.Module, name: str, stage: Stage) -> list[nn.Parameter]:
    """Make exactly the weights of this stage (its name, its settings) learn, and give them."""
    if isinstance(network, Network):
        return stages.learning(network, name, thaws_encoder=stage.thaws_encoder)
    learns = {"correlation": (True,), "autoencoder": (), "localization": (False,), "votes": (), "reranker": ()}[name]
    for each, weight in network.named_parameters():
        weight.requires_grad_(each.startswith("ngcc.") in learns)
    network.train()
    return [weight for weight in network.parameters() if weight.requires_grad]


def loss_terms(network: nn.Module, batch: Batch, recipe: Recipe, stage: str) -> Terms:
    """The terms whose sum this stage makes small."""
    if isinstance(network, Network):
        return stages.loss_terms(network, batch, recipe, stage)
    assert isinstance(network, RivalNetwork)
    if isinstance(network, Wav2pos) and stage == "correlation":
        return _correlation_terms(network, batch)
    names = ("sources_m", "is_there", "microphones_m", "hides_position", "hides_sound")
    truth = Truths(**{name: getattr(batch, name) for name in names})
    kept = {"frozen": batch.frozen} if isinstance(network, Wav2pos) else {}
    return network.loss_terms(batch.windows, batch.box_m, truth, speed_m_s=batch.speed_m_s, **kept)


def _correlation_terms(network: Wav2pos, batch: Batch) -> Terms:
    """Every pair's logits against its true delay, where one source sounds."""
    pairs = all_pairs(batch.windows.audio)
    sounds = standardised_middle(stages.without_silence(batch.windows.audio), network.config.samples)
    lags, counts = stages.true_lags(batch, pairs)
    return {"correlation": lag_loss(network.correlate(sounds, pairs), lags, counts)}


def know_room(network: nn.Module, sources_m: Tensor, microphones_m: Tensor) -> None:
    """What a network that learns one room must know of it: the unit of its coordinates, or which channel stands where.

    sources_m: some true places; microphones_m: of one scene (metres, from the middle of the room).
    """
    if isinstance(network, Wav2pos) or (isinstance(network, Network) and network.config.frame == "room"):
        network.normalize_to(sources_m)
    if isinstance(network, DiNn):
        count = min(len(microphones_m), len(network.slots_m))
        network.slots_m[:count] = microphones_m[:count]


def know_arrays(network: nn.Module, arrays: Sequence[Array]) -> None:
    """What a network of ours remembers of where microphones stood (known_layouts.py), beside what it remembers already."""
    if isinstance(network, Network):
        every = distinct([*(np.array(array) for array in network.config.arrays), *arrays])
        told = tuple(tuple((float(x), float(y), float(z)) for x, y, z in array) for array in every)
        network.config = replace(network.config, arrays=told)
