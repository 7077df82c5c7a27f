"""Where a network that learns is sure."""

from dataclasses import replace

import numpy as np
import torch

from helpers.clips import ROOM, Clips
from soundfix.localization.modes import APART_M
from soundfix.networks.interface import CANDIDATES, PHYSICS
from soundfix.networks.model import all_pairs
from soundfix.networks.pair_likelihoods import PairLikelihoods, delays
from soundfix.training.batches import Batches
from soundfix.training.peaks import PEAKS, RIGHT_M, best_places, candidates_of, highest_places, wrong_peaks
from soundfix.training.recipes import Stage

LAGS, LAGS_A_SECOND = 1600, 32_000.0
STAGE = Stage(steps=1, batch=4, windows_s=(0.128,), microphones=(6, 6), hidden_positions=0)
PLACES = torch.tensor([[1.03, 2.21, 1.17], [4.9, 3.4, 0.3], [2.5, 1.1, 1.9], [3.3, 3.9, 1.8]])


def batch_and_peaked(places):
    """Curves two lags wide, whose peaks agree at one place of each window: a source there two centimetres wide."""
    batch = Batches([Clips(unknown=False)], STAGE, seed=0, sources=1)[0]
    pairs = all_pairs(batch.windows.audio)
    tau_s = delays(
        (places - torch.tensor(ROOM).mean(dim=0))[:, None], batch.windows.positions_m, pairs, batch.speed_m_s
    )
    lags = torch.arange(-LAGS, LAGS + 1)
    curves = torch.exp(-((lags - LAGS_A_SECOND * tau_s) ** 2) / 8)
    everything = torch.ones(len(places), len(pairs), dtype=torch.bool)
    return batch, PairLikelihoods(
        curves=curves,
        plain=curves,
        coherence=everything.float(),
        window_s=0.5,
        gates=everything[:, None].float(),
        is_placed=everything,
        pairs=pairs,
        lags_a_second=LAGS_A_SECOND,
        sigma=0.1,
        sharpness=torch.tensor(1.0),
    )


def test_narrow_peaks_are_found_though_no_point_lies_on_them():
    batch, likelihoods = batch_and_peaked(PLACES)
    places = PLACES[:, None] - torch.tensor(ROOM).mean(dim=0)
    nearest_point_m = (batch.points_m - places).norm(dim=-1).amin(dim=1)
    peaks = highest_places(likelihoods, batch)
    assert peaks.shape == (4, PEAKS, 3)
    assert float((peaks - places).norm(dim=-1).amin(dim=1).max()) < 0.04 < float(nearest_point_m.min())


def test_peaks_stay_in_the_room():
    batch, likelihoods = batch_and_peaked(torch.tensor([[0.0, 0.0, 3.2]]).expand(4, 3))
    half = torch.tensor(np.ptp(ROOM, axis=0) / 2).float()
    assert bool((highest_places(likelihoods, batch).abs() <= half + 1e-5).all())


def test_the_peak_of_the_source_itself_is_not_wrong():
    batch, _ = batch_and_peaked(PLACES)
    batch, likelihoods = batch_and_peaked(batch.sources_m[:, 0] + torch.tensor(ROOM).mean(dim=0))
    gaps_m = [
        (peaks - batch.sources_m).norm(dim=-1)
        for peaks in (f(likelihoods, batch) for f in (highest_places, wrong_peaks))
    ]
    assert bool((gaps_m[0] < RIGHT_M).any(dim=1).all())
    found = gaps_m[0] < RIGHT_M
    assert bool((gaps_m[1][~found] == gaps_m[0][~found]).all())
    assert float((gaps_m[1][found] > RIGHT_M).float().mean()) > 0.9


def test_the_best_places_are_distinct_and_hold_the_peak():
    batch, likelihoods = batch_and_peaked(PLACES)
    places, is_found = best_places(likelihoods, batch, 9)
    assert places.shape == (4, 9, 3)
    gaps = torch.cdist(places, places) + 10 * torch.eye(places.shape[1])
    both = is_found[:, :, None] & is_found[:, None]
    assert is_found[:, 0].all()
    assert (gaps[both] >= 0.25).all()
    wanted = PLACES - torch.tensor(ROOM).mean(dim=0)
    assert ((places - wanted[:, None]).norm(dim=-1).min(dim=1).values < 0.03).all()


def nearest_m(places, is_place, to_m):
    """From each window's place to the nearest of those that count."""
    gaps_m = (places - (to_m - torch.tensor(ROOM).mean(dim=0))[:, None]).norm(dim=-1)
    return gaps_m.masked_fill(~is_place, torch.inf).amin(dim=1)


def test_a_second_look_is_shown_what_plain_curves_say_too():
    """The masked curves peak at one place, the plain ones at another: both are there, and how many are of each."""
    others = PLACES[[1, 2, 3, 0]]
    (batch, masked), (_, plain) = batch_and_peaked(PLACES), batch_and_peaked(others)
    both = replace(masked, plain=plain.curves)
    places, is_place = candidates_of(both, batch)
    assert places.shape == (4, CANDIDATES, 3)
    assert (nearest_m(places[:, :-PHYSICS], is_place[:, :-PHYSICS], PLACES) < 0.03).all()
    assert (nearest_m(places[:, -PHYSICS:], is_place[:, -PHYSICS:], others) < 0.15).all()
    assert torch.equal(places[:, -PHYSICS:], best_places(plain, batch, PHYSICS)[0])
    alone, is_alone = best_places(masked, batch, CANDIDATES - PHYSICS)
    assert torch.equal(places[:, :-PHYSICS], alone)
    assert torch.equal(is_place[:, :-PHYSICS], is_alone)


def test_no_place_is_shown_twice():
    """Where both say the same the plain ones' places do not count."""
    batch, likelihoods = batch_and_peaked(PLACES)
    places, is_place = candidates_of(likelihoods, batch)
    gaps_m = (places[:, -PHYSICS:, None] - places[:, None, :-PHYSICS]).norm(dim=-1)
    both = is_place[:, -PHYSICS:, None] & is_place[:, None, :-PHYSICS]
    assert (gaps_m[both] > APART_M).all()
    assert not is_place[:, -PHYSICS].any()


def test_candidates_lie_in_the_plane_whose_height_is_told():
    batch, likelihoods = batch_and_peaked(PLACES)
    search_m = batch.box_m.clone()
    heights = torch.tensor([0.3, -0.2, 0.1, -1.0])
    search_m[:, :, 2] = heights[:, None]
    told = replace(batch, search_m=search_m)
    for places in (candidates_of(likelihoods, told)[0], highest_places(likelihoods, told)):
        assert torch.equal(places[..., 2], heights[:, None].expand(places.shape[:2]))
        assert places[..., :2].std() > 0.5
    assert candidates_of(likelihoods, batch)[0][..., 2].std() > 0.1
