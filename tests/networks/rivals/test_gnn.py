"""The GNN's grid, by hand and by ideal sound; its pairs. The rest: test_learned.py."""

import math
from dataclasses import replace

import pytest
import torch

from helpers.rivals import answers, box, given, rival
from soundfix.networks.model import Windows, all_pairs
from soundfix.networks.rivals.gnn import Gnn, GnnConfig, phat, read_out, spatial_likelihood, target

STUDIO_M = torch.tensor([[[-3.6, -4.0, -1.4], [3.6, 4.0, 1.4]]])
GNNS = ("gnn gcc", "gnn slf")


@pytest.fixture(scope="module")
def published():
    return Gnn(GnnConfig())


def anywhere(count):
    """Places in the studio."""
    generator = torch.Generator().manual_seed(1)
    return STUDIO_M[0, 0] + torch.rand(count, 3, generator=generator) * (STUDIO_M[0, 1] - STUDIO_M[0, 0])


def heard_from(source_m, positions_m, *, speed_m_s=343.0, samples=4096):
    """Noise that arrives exactly as late as it should at every microphone."""
    generator = torch.Generator().manual_seed(2)
    spectrum = torch.fft.rfft(torch.randn(2 * samples, generator=generator))
    late_s = (positions_m - source_m).norm(dim=-1) / speed_m_s
    turns = torch.fft.rfftfreq(2 * samples, 1 / 16_000)[None] * late_s[:, None]
    audio = torch.fft.irfft(spectrum * torch.polar(torch.ones_like(turns), -2 * math.pi * turns))
    is_there = torch.ones(1, len(positions_m), dtype=torch.bool)
    audio = audio[None, :, samples // 2 : samples // 2 + samples]
    return Windows(audio=audio, positions_m=positions_m[None], is_known=is_there, is_heard=is_there)


@pytest.mark.parametrize("features", ["gcc", "slf"])
def test_is_as_large_as_the_published_sizes(features):
    """3 and 3 layers of 625 on 25 x 25 cells: 2.35 M."""
    count = sum(weight.numel() for weight in Gnn(GnnConfig(features=features)).parameters())
    assert count == pytest.approx(2.35e6, rel=0.05)


def test_cells_by_hand():
    """Two cells along x in a box from (0, 0, 0) to (4, 2, 1), one along y and z."""
    network = rival("gnn slf", cells=(2, 1, 1))
    cells_m = network.cells_m(torch.tensor([[[0.0, 0, 0], [4, 2, 1]]]))
    assert torch.allclose(cells_m, torch.tensor([[[1.0, 1, 0.5], [3, 1, 0.5]]]))


def test_the_target_is_1_at_the_source_and_falls_with_distance():
    cells_m = torch.tensor([[[1.0, 2, 3], [1, 2, 4], [4, 6, 3]]])
    wanted = torch.tensor([[1.0, math.exp(-1), math.exp(-5)]])
    assert torch.allclose(target(torch.tensor([[1.0, 2, 3]]), cells_m), wanted)


def test_the_projection_by_hand():
    """A curve that is 1 at lag 2 of -3..3; thick, it is 1 a lag either side too."""
    curve = torch.tensor([[[0.0, 0, 0, 0, 0, 1, 0]]])
    lags = torch.tensor([[[2.0, 1.5, 0.5, 9.0, -9.0]]])
    thin, thick = (spatial_likelihood(curve, lags, thickness_lags=count)[0, 0] for count in (0, 1))
    assert torch.allclose(thin, torch.tensor([1.0, 0.5, 0, 0, 0]))
    assert torch.allclose(thick, torch.tensor([1.0, 1.0, 0.5, 1.0, 0]))


@pytest.mark.parametrize("thickness_lags", [0, 20])
def test_the_likelihood_of_ideal_sound_peaks_at_the_true_cell(published, thickness_lags):
    """Thick, every pair's peak reaches over neighbouring cells: none of them is more than a trace above."""
    network = Gnn(replace(published.config, thickness_lags=thickness_lags))
    cells_m = network.cells_m(STUDIO_M)
    for number in (37, 300, 555):
        windows = heard_from(cells_m[0, number], anywhere(11))
        grid = network.features(windows, STUDIO_M, None)[0].mean(dim=0)
        assert grid[number] >= (0.98 if thickness_lags else 1) * grid.max()


def test_the_speed_of_sound_moves_the_likelihood(published):
    network = Gnn(replace(published.config, thickness_lags=0))
    windows = heard_from(network.cells_m(STUDIO_M)[0, 300], anywhere(11), speed_m_s=360.0)
    slow, right = (network.features(windows, STUDIO_M, speed)[0].mean(dim=0) for speed in (None, torch.tensor([360.0])))
    assert int(right.argmax()) == 300
    assert slow[300] < right[300] / 2


def test_the_correlation_leads_as_elsewhere():
    """A microphone 3.43 m further hears 160 samples later: lag +160 where it is the first of the pair."""
    windows = heard_from(torch.zeros(3), torch.tensor([[4.43, 0, 0], [0.0, 1, 0]]))
    curve = phat(windows.audio, all_pairs(windows.audio), reach_lags=314)[0, 0]
    assert int(curve.argmax()) - 314 == 160
    assert curve.max() > 1


def test_a_perfect_grid_gives_the_source(published):
    sources_m = anywhere(200)
    cells_m, room_m = (each.expand(200, -1, -1) for each in (published.cells_m(STUDIO_M), STUDIO_M))
    for grid in (target(sources_m, cells_m), 0.7 * target(sources_m, cells_m) + 0.05):
        gaps_m = (read_out(grid, cells_m, room_m) - sources_m).norm(dim=-1)
        assert gaps_m.mean() < 0.002
        assert gaps_m.max() < 0.02


def test_a_noisy_grid_gives_it_better_than_a_cell(published):
    """Errors of 0.05 a cell: 7 cm; the best cell's middle is 26 cm away even without noise."""
    sources_m = anywhere(200)
    cells_m, room_m = (each.expand(200, -1, -1) for each in (published.cells_m(STUDIO_M), STUDIO_M))
    grid = target(sources_m, cells_m)
    grid = grid + 0.05 * torch.randn(grid.shape, generator=torch.Generator().manual_seed(3))
    assert (read_out(grid, cells_m, room_m) - sources_m).norm(dim=-1).mean() < 0.08


def test_a_source_at_a_known_height_is_read_out(published):
    flat_m = STUDIO_M.clone()
    flat_m[..., 2] = 0.5
    cells_m, source_m = published.cells_m(flat_m), torch.tensor([[1.1, -2.3, 0.5]])
    assert torch.allclose(read_out(target(source_m, cells_m), cells_m, flat_m), source_m, atol=1e-3)


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 1e6])
def test_a_grid_without_a_peak_gives_a_place_in_the_room(published, value):
    place = read_out(torch.full((1, 700), value), published.cells_m(STUDIO_M), STUDIO_M)
    assert ((place >= STUDIO_M[:, 0]) & (place <= STUDIO_M[:, 1])).all()


@pytest.mark.parametrize("name", GNNS)
def test_the_order_of_microphones_does_not_matter(name):
    network, windows, order = rival(name), given(), torch.tensor([3, 5, 0, 2, 1, 4])
    turned = Windows(**{field: value[:, order] for field, value in vars(windows).items() if value is not None})
    assert torch.allclose(network.likelihood(turned, box()), network.likelihood(windows, box()), atol=1e-5)
    assert torch.allclose(answers(network, turned).sources_m, answers(network, windows).sources_m, atol=1e-3)


@pytest.mark.parametrize("name", GNNS)
def test_the_mean_over_pairs_is_over_those_that_are_heard_and_known(name):
    """Without microphones 1 and 4, for whichever reason."""
    network, windows = rival(name), given()
    some = torch.tensor([True, False, True, True, False, True])
    left = Windows(**{field: value[:, some] for field, value in vars(windows).items() if value is not None})
    wanted = network.likelihood(left, box())
    for reason in ("is_known", "is_heard"):
        fewer = replace(windows, **{reason: some.expand(2, -1)})
        assert torch.allclose(network.likelihood(fewer, box()), wanted, atol=1e-5)


def test_reach_and_thickness_have_an_effect():
    windows = given()
    plain = rival("gnn slf").likelihood(windows, box())
    for change in ({"reach_lags": 100}, {"thickness_lags": 0}):
        assert (rival("gnn slf", **change).likelihood(windows, box()) - plain).abs().max() > 1e-4
