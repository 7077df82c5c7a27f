"""DI-NN: as large as published, spectra by hand, and a position in units of the room. The rest: test_learned.py."""

from dataclasses import replace

import pytest
import torch

from helpers.rivals import answers, box, given, loss, rival, truths
from soundfix.errors import SceneError
from soundfix.networks.rivals.di_nn import DiNn, DiNnConfig


def test_is_as_large_as_published():
    """3.6 M weights."""
    assert sum(weight.numel() for weight in DiNn(DiNnConfig()).parameters()) == pytest.approx(3.6e6, rel=0.01)


def test_spectra_by_hand():
    """8 turns a frame under a Hann window: half the window's sum at bin 8, real for a cosine, imaginary for -sine."""
    network = rival("di-nn")
    turns = 2 * torch.pi * 8 * torch.arange(2048) / 256
    spectra = network.spectra(torch.stack([turns.cos(), -turns.sin()])[None])
    height = 128 / 2 / 256**0.5
    assert spectra.shape == (1, 4, 128, 9)
    frame = spectra[0, :, 7, 4]  # the first bin, the mean, is left out; frame 4 starts after 3.5 windows: whole turns
    assert torch.allclose(frame, torch.tensor([height, 0, 0, height]), atol=1e-4)
    assert spectra[0, :, 12:, 4].abs().max() < 1e-3


def test_fewer_microphones_are_silent_ones_at_the_origin():
    network, windows = rival("di-nn"), given(count=5)
    filled = replace(
        windows,
        audio=torch.cat([windows.audio, torch.zeros(2, 2, 2048)], dim=1),
        positions_m=torch.cat([windows.positions_m, torch.zeros(2, 2, 3)], dim=1),
        is_known=torch.ones(2, 7, dtype=torch.bool),
        is_heard=torch.ones(2, 7, dtype=torch.bool),
    )
    assert torch.equal(answers(network, windows).sources_m, answers(network, filled).sources_m)


def test_more_microphones_than_channels_are_refused():
    with pytest.raises(SceneError, match="8 microphones, wanted at most 7"):
        answers(rival("di-nn"), given(count=8))


def test_the_loss_is_the_l1_distance_by_hand():
    network, windows = rival("di-nn"), given()
    truth = truths(windows)
    truth.sources_m[:] = answers(network, windows).sources_m + torch.tensor([1.0, -2.0, 0.5])
    assert loss(network, windows, truth).item() == pytest.approx(3.5, rel=1e-5)


def test_a_known_height_is_right():
    """A room from z = 0.5 to 0.5 m."""
    network, windows, flat = rival("di-nn"), given(), box().clone()
    flat[..., 2] = 0.5
    with torch.no_grad():
        assert (network(windows, flat).sources_m[..., 2] == 0.5).all()


def test_the_size_of_the_room_is_heard():
    """The same sound in a room of other height: not just the same place, stretched."""
    network, windows, high = rival("di-nn"), given(), box().clone()
    high[..., 2] *= 2
    with torch.no_grad():
        one, other = network(windows, box()).sources_m, network(windows, high).sources_m
    assert (other[..., :2] - one[..., :2]).abs().min() > 1e-5
