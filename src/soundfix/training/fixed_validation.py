"""How well a network that decodes coordinates locates, on fixed windows: all at once, so that many can be asked often.

Batch for batch as in training: every window as some of its microphones heard it, nothing hidden. The error is the
distance (m) to the nearest source. Where a likelihood says the place, validation.py asks it window by window.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from soundfix.datasets.dataset import Dataset
from soundfix.networks.model import Network
from soundfix.networks.rivals.wav2pos import Wav2pos
from soundfix.training.batches import Batch
from soundfix.training.fixed_batches import FixedBatches, FixedSet
from soundfix.training.fixed_windows import draw_of
from soundfix.training.loop import most_sources
from soundfix.training.recipes import Recipe, Stage
from soundfix.training.validation import Validation, summary

BATCH, AT_ONCE = 50, 600  # windows


class FixedValidation:
    """Calling it with a network gives the numbers of the table."""

    def __init__(
        self, data: Sequence[Dataset], stage: Stage, *, windows: int, sources: int, folder: Path | None, seed: int = 0
    ) -> None:
        steps = max(windows // BATCH, 1)
        self.stage = replace(
            stage,
            batch=min(windows, BATCH),
            steps=steps,
            hidden_positions=0,
            hidden_sound=0.0,
            points=1,
            share_whole=0.0,
        )
        self.data, self.folder, self.seed = data, folder, seed
        self.draw = draw_of(stage, sources=sources, seed=seed)

    def batches(self, network: nn.Module) -> FixedBatches:
        """The windows, with what the frozen parts of this network make of them."""
        return FixedBatches(FixedSet(self.data, self.draw, network, self.folder), self.stage, seed=self.seed)

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> dict[str, float]:
        """Mean error, median, acc, and the error of its decoder along an axis."""
        batches = self.batches(network)
        device = next(network.parameters()).device
        errors = torch.cat([errors_of(network, batches[step].to(device)) for step in range(len(batches))])
        error_m = errors.cpu().numpy()
        return summary(error_m) | {"decoder_error_m": float(np.sqrt(np.mean(np.square(error_m)) / 3))}


def validation_of(
    recipe: Recipe, data: Sequence[Dataset], *, one_by_one: int, folder: Path | None, seed: int = 0
) -> Validation | FixedValidation:
    """Where windows are fixed and coordinates decoded, AT_ONCE of them; else so many, one by one: a likelihood needs it."""
    stage = recipe.localization
    if not stage.windows_a_clip or getattr(recipe.network, "head", None):
        return Validation(data, stage, windows=one_by_one)
    sources = most_sources(recipe)
    return FixedValidation(data, stage, windows=AT_ONCE, sources=sources, folder=folder, seed=seed)


def errors_of(network: nn.Module, batch: Batch) -> Float[Tensor, "window"]:
    """Mean over the sources that are there of the distance to the nearest answer; windows without any are left out."""
    gaps_m = torch.cdist(batch.sources_m.nan_to_num(), places_of(network, batch).float()).amin(dim=2)
    there = batch.is_there
    error = gaps_m.where(there, 0.0).sum(dim=1) / there.sum(dim=1).clamp_min(1)
    return error[there.any(dim=1)]


def places_of(network: nn.Module, batch: Batch) -> Float[Tensor, "batch source 3"]:
    """Where it says that the sources are, in metres."""
    if isinstance(network, Network):
        return network(batch.windows, frozen=batch.frozen).sources_m
    kept = {"frozen": batch.frozen} if isinstance(network, Wav2pos) else {}
    return network(batch.windows, batch.box_m, speed_m_s=batch.speed_m_s, **kept).sources_m
