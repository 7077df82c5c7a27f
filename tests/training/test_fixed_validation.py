"""Validation on fixed windows: the error of coordinates, many at once, the same windows each time."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.clips import Clips
from helpers.rivals import CONFIGS
from soundfix.networks.model import Network
from soundfix.networks.registry import build
from soundfix.training import recipes
from soundfix.training.fixed_validation import FixedValidation, errors_of, places_of
from soundfix.training.recipes import Stage

STAGE = Stage(steps=1, windows_a_clip=2, windows_s=(0.128,), microphones=(5, 6), hidden_sound=0.5, hidden_positions=2)


def network():
    torch.manual_seed(0)
    return Network(replace(recipes.tiny().network, frame="room", head=None, reranker=0, correlation="gcc")).eval()


def validation(folder=None, windows=8, sources=1):
    data = [Clips(6, unknown=False, sources=sources)]
    return FixedValidation(data, STAGE, windows=windows, sources=sources, folder=folder)


def test_the_same_numbers_kept_or_not(tmp_path):
    first = validation()(network())
    assert first == validation(tmp_path)(network()) == validation(tmp_path)(network())
    assert set(first) == {"mae_m", "median_m", "acc", "decoder_error_m"}
    assert first["decoder_error_m"] >= first["mae_m"] / np.sqrt(3)


def batch_of(valid):
    """The first batch that it asks about."""
    asked = []
    original = errors_of
    from soundfix.training import fixed_validation

    def watch(network, batch):
        asked.append(batch)
        return original(network, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixed_validation, "errors_of", watch)
        valid(network())
    return asked


def test_nothing_is_hidden_and_every_window_counts_once_a_batch():
    batches = batch_of(validation(windows=8))
    assert [len(batch.is_there) for batch in batches] == [8]
    assert not batches[0].hides_sound.any()
    assert not batches[0].hides_position.any()


def test_the_error_is_the_distance_to_the_nearest_answer(monkeypatch):
    batch = batch_of(validation(windows=4))[0]
    off = torch.tensor([3.0, 4.0, 0.0])
    answers = torch.cat([batch.sources_m + off, batch.sources_m + 2 * off], dim=1)
    monkeypatch.setattr("soundfix.training.fixed_validation.places_of", lambda network, batch: answers)
    assert torch.allclose(errors_of(network(), batch), torch.full((4,), 5.0))
    nobody = replace(batch, is_there=torch.zeros_like(batch.is_there))
    assert len(errors_of(network(), nobody)) == 0


@pytest.mark.parametrize("name", ["wav2pos", "gnn slf"])
def test_rivals_are_asked_in_their_own_way(name):
    torch.manual_seed(0)
    rival = build(CONFIGS[name]).eval()
    batch = batch_of(validation(windows=4))[0]
    frozen = rival.frozen(batch.windows) if name == "wav2pos" else batch.frozen
    with torch.no_grad():
        places = places_of(rival, replace(batch, frozen=frozen))
        expected = rival(batch.windows, batch.box_m, speed_m_s=batch.speed_m_s).sources_m
    assert torch.allclose(places, expected, atol=1e-4)
