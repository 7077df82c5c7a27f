"""Echoes: mirrored by hand, heard where they are planted, no direction of their own."""

from dataclasses import replace

import pytest
import torch

from soundfix.networks.echoes import WIDTHS, Asked, Echoes, extra_paths, heard_echoes, images
from soundfix.networks.model import all_pairs
from soundfix.networks.pair_likelihoods import PairLikelihoods, delays, partners_of

BOX_M = torch.tensor([[[0.0, 0, 0], [6, 5, 3]]])
SPEED_M_S = torch.tensor([343.0])
LAGS = 1601


def said(microphones=5, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pairs = all_pairs(torch.zeros(1, microphones, 1))
    curves, plain = torch.randn(2, 1, len(pairs), LAGS, generator=generator)
    return PairLikelihoods(
        curves=curves, plain=plain, gates=torch.ones(1, 1, len(pairs)), coherence=torch.ones(1, len(pairs)),
        is_placed=torch.ones(1, len(pairs), dtype=torch.bool), pairs=pairs, lags_a_second=32_000.0, sigma=0.2,
        sharpness=torch.tensor(0.3), window_s=0.5,
    )  # fmt: skip


def places(count, *, seed):
    return torch.rand(1, count, 3, generator=torch.Generator().manual_seed(seed)) * BOX_M[:, 1:]


def test_a_point_is_mirrored_in_six_walls():
    found = images(torch.tensor([[[1.0, 2.0, 0.5]]]), BOX_M)[0, 0].tolist()
    assert sorted(found) == sorted([[-1, 2, 0.5], [11, 2, 0.5], [1, -2, 0.5], [1, 8, 0.5], [1, 2, -0.5], [1, 2, 5.5]])


def test_at_the_source_an_echo_goes_to_the_wall_and_back():
    here = torch.tensor([[[1.0, 2.0, 0.5]]])
    assert sorted(extra_paths(here, here, BOX_M).flatten().tolist()) == [1, 2, 4, 5, 6, 10]


def test_a_known_height_has_no_floor_and_no_ceiling():
    here, flat = torch.tensor([[[1.0, 2.0, 0.5]]]), torch.tensor([[[0.0, 0, 0.5], [6, 5, 0.5]]])
    assert sorted(extra_paths(here, here, flat).flatten().tolist()) == [2, 4, 6, 10, 1000, 1000]


def asked(candidates, positions):
    return Asked(candidates, torch.ones(candidates.shape[:2], dtype=torch.bool), positions, BOX_M, SPEED_M_S)


def test_an_echo_is_heard_where_it_is_planted_and_by_whom():
    """Microphone 2 hears the echo of wall 4 with all others, nobody else does, and only from the right place."""
    likelihoods, candidates, positions = said(), places(3, seed=1), places(5, seed=2)
    extra_m = extra_paths(candidates, positions, BOX_M)
    later = (extra_m[0, 0, 2, 4] / SPEED_M_S) * ((likelihoods.pairs == 2).long() @ torch.tensor([1, -1]))
    lags = 32_000 * (delays(candidates, positions, likelihoods.pairs, SPEED_M_S)[0, :, 0] + later)
    curves = torch.zeros(1, 10, LAGS)
    rows = (likelihoods.pairs == 2).any(dim=1)
    curves[0, rows, ((LAGS - 1) // 2 + lags[rows]).round().long()] = 1.0
    likelihoods = replace(likelihoods, curves=curves, plain=0 * curves)
    heard, counts = heard_echoes(likelihoods, asked(candidates, positions), extra_m, partners_of(likelihoods.pairs, 5))
    assert counts.all()
    assert heard[0, 0, 2, 4, : len(WIDTHS)].tolist() == pytest.approx([1.0] * len(WIDTHS), abs=1e-3)
    assert not heard[..., len(WIDTHS) :].any()
    heard[0, 0, 2, 4] = 0
    assert float(heard[..., 0].max()) < 0.51


def test_what_is_beyond_the_curves_is_no_echo():
    likelihoods, candidates, positions = said(), places(2, seed=1), places(5, seed=2)
    far = torch.full((1, 2, 5, 6), 100.0)
    assert not heard_echoes(likelihoods, asked(candidates, positions), far, partners_of(likelihoods.pairs, 5))[0].any()


def test_untrained_they_say_nothing():
    of_microphone, of_candidate = Echoes(8)(
        said(), asked(places(3, seed=1), places(5, seed=2)), partners_of(said().pairs, 5)
    )
    assert of_microphone.shape == (1, 3, 5, 8)
    assert not of_microphone.any()
    assert not of_candidate.any()


def test_moving_and_turning_the_room_changes_nothing():
    torch.manual_seed(0)
    echoes = Echoes(8)
    for weight in echoes.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    turn, shift = torch.tensor([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]), torch.tensor([7.0, -2, 1])
    here, partners = asked(places(3, seed=1), places(5, seed=2)), partners_of(said().pairs, 5)
    corners = BOX_M @ turn + shift
    box_m = torch.stack([corners.amin(dim=1), corners.amax(dim=1)], dim=1)
    moved = here._replace(
        candidates=here.candidates @ turn + shift, positions_m=here.positions_m @ turn + shift, box_m=box_m
    )
    with torch.no_grad():
        for before, after in zip(*(echoes(said(), each, partners) for each in (here, moved)), strict=True):
            assert torch.allclose(before, after, atol=1e-3)
