"""Batches: a function of the step, whoever makes them; padding, truth, and what is hidden."""

import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.clips import POSITIONS, ROOM, Clips
from soundfix.errors import TrainingError
from soundfix.scene import Truth
from soundfix.training.batches import HEIGHT_OFF_M, Batches, begin_worker, loader
from soundfix.training.recipes import Stage

STAGE = Stage(steps=6, batch=4, windows_s=(0.128, 0.25), microphones=(4, 6))
MIDDLE = np.mean(ROOM, axis=0)


def batches(stage=STAGE, clips=None, sources=1, **share):
    return Batches([Clips() if clips is None else clips], stage, seed=3, sources=sources, **share)


def tensors(batch):
    whole = vars(batch) | vars(batch.windows)
    return {name: value for name, value in whole.items() if isinstance(value, torch.Tensor)}


def assert_same(first, second):
    for name, value in tensors(first).items():
        assert torch.equal(value.nan_to_num(-9.0), tensors(second)[name].nan_to_num(-9.0)), name


def test_a_batch_is_a_function_of_its_step():
    assert_same(batches()[4], batches()[4])
    assert not torch.equal(batches()[3].sources_m, batches()[4].sources_m)


@pytest.mark.parametrize("workers", [0, 2])
def test_the_loader_goes_on_where_it_is_told(workers):
    made = list(loader(batches(), first=3, workers=workers))
    assert len(made) == 3
    for step, batch in enumerate(made, start=3):
        assert_same(batch, batches()[step])


def test_two_processes_share_the_batch_of_one():
    whole, shares = batches()[2], [batches(rank=rank, ranks=2)[2] for rank in (0, 1)]
    for name, value in tensors(whole).items():
        for rank, share in enumerate(shares):
            assert torch.equal(value[rank::2].nan_to_num(-9.0), tensors(share)[name].nan_to_num(-9.0)), name


def test_a_batch_that_cannot_be_shared():
    with pytest.raises(TrainingError, match="batch of 4 for 3 processes"):
        batches(ranks=3)


def test_truth_is_measured_from_the_middle_of_the_room():
    batch = batches()[0]
    size = torch.tensor(ROOM[1])
    assert torch.equal(batch.box_m, torch.stack([-size / 2, size / 2]).expand(4, 2, 3))
    true = {tuple(np.round(row, 4)) for row in POSITIONS - MIDDLE}
    found = {tuple(np.round(row, 4).tolist()) for row in batch.microphones_m[batch.windows.is_heard].double().numpy()}
    assert found <= true
    known = batch.windows.is_known
    assert torch.equal(batch.windows.positions_m[known], batch.microphones_m[known])


def test_clips_with_fewer_microphones_are_padded():
    batch = batches(replace(STAGE, microphones=(9, 9)))[0]
    assert batch.windows.audio.shape[1] == 9
    assert batch.windows.is_heard.sum(dim=1).tolist() == [6] * 4
    assert not batch.windows.audio[~batch.windows.is_heard].any()
    assert batch.microphones_m[~batch.windows.is_heard].isnan().all()


def test_more_sources_than_slots_have_no_truth_and_fewer_are_marked():
    assert not batches(clips=Clips(sources=3), sources=2)[0].is_there.any()
    assert batches(clips=Clips(sources=1), sources=3)[0].is_there.tolist() == [[True, False, False]] * 4


def test_a_source_that_was_not_seen_is_not_there():
    scene = Clips()[0]
    unseen = replace(scene, truth=Truth(sources=np.full((1, 3), np.nan)))
    clips = Clips()
    clips.__class__ = type("Unseen", (Clips,), {"__getitem__": lambda self, clip: unseen})
    batch = batches(clips=clips)[0]
    assert not batch.is_there.any()
    assert batch.points_m.isfinite().all()


def test_hidden_positions_and_sounds_are_of_microphones_that_are_there():
    stage = replace(STAGE, hidden_sound=1.0, hidden_positions=2)
    batch = batches(stage)[1]
    assert torch.equal(batch.hides_sound, batch.windows.is_heard)
    assert bool((batch.hides_position <= batch.windows.is_known).all())
    assert int(batch.hides_position.sum(dim=1).max()) <= 2


def test_no_clips():
    with pytest.raises(TrainingError, match="empty"):
        batches(clips=Clips(0))


def test_a_share_of_the_windows_is_noise_alone():
    noisy = replace(STAGE, share_noise=0.5, steps=20)
    made = [batches(noisy)[step] for step in range(20)]
    empty = torch.cat([batch.is_empty for batch in made])
    there = torch.cat([batch.is_there.any(dim=1) for batch in made])
    assert 0.3 < float(empty.double().mean()) < 0.7
    assert torch.equal(empty, ~there)
    assert not batches()[0].is_empty.any()


def test_a_share_of_the_windows_is_not_told_the_room():
    told, untold = (batches(replace(STAGE, share_roomless=share, steps=8)) for share in (0.0, 0.5))
    sizes = [torch.cat([each[step].box_m.diff(dim=1)[:, 0] for step in range(8)]) for each in (told, untold)]
    is_other = (sizes[0] != sizes[1]).any(dim=1)
    assert 0.2 < float(is_other.double().mean()) < 0.8


def test_walls_are_told_a_little_off_in_half_of_the_windows():
    exact, off = (batches(replace(STAGE, walls_off_m=error, steps=16)) for error in (0.0, 0.05))
    sizes = [torch.cat([each[step].box_m.diff(dim=1)[:, 0] for step in range(16)]) for each in (exact, off)]
    gaps_m = (sizes[0] - sizes[1]).abs()
    is_off = (gaps_m > 0).any(dim=1)
    assert 0.3 < float(is_off.double().mean()) < 0.7
    assert 0.03 < float(gaps_m[is_off].mean()) < 0.1


def test_in_a_share_of_the_windows_the_next_source_is_sought():
    made = [batches(replace(STAGE, share_next=0.5, steps=16))[step].finds_next for step in range(16)]
    assert 0.3 < float(torch.cat(made).double().mean()) < 0.7
    assert not batches()[0].finds_next.any()


def test_in_a_share_of_the_windows_the_height_is_told_a_little_wrong():
    """There the search is a plane near the source, and what is compared lies in it; the walls stay."""
    made = [batches(replace(STAGE, share_height=0.5, steps=16, points=32))[step] for step in range(16)]
    low, high = (torch.cat([batch.search_m[:, end] for batch in made]) for end in (0, 1))
    box_m, sources = torch.cat([batch.box_m for batch in made]), torch.cat([batch.sources_m[:, 0] for batch in made])
    told = low[:, 2] == high[:, 2]
    off_m = (low[:, 2] - sources[:, 2])[told].abs()
    assert 0.3 < float(told.double().mean()) < 0.7
    assert 0 < float(off_m.mean()) < 0.04
    assert float(off_m.max()) < 5 * HEIGHT_OFF_M
    assert torch.equal(low[:, :2], box_m[:, 0, :2])
    assert torch.equal(high[:, :2], box_m[:, 1, :2])
    assert torch.equal(low[~told], box_m[~told, 0])
    assert (box_m[:, 1, 2] - box_m[:, 0, 2] == 3).all()
    points = torch.cat([batch.points_m for batch in made])
    assert ((points[told][..., 2] - low[told, None, 2]).abs() < 0.5).float().mean() > 0.5


def test_without_a_share_no_height_is_told():
    batch = batches()[0]
    assert torch.equal(batch.search_m, batch.box_m)


def test_where_no_source_is_known_no_height_is_told():
    batch = batches(replace(STAGE, share_height=1.0, share_noise=1.0))[0]
    assert not batch.is_there.any()
    assert torch.equal(batch.search_m, batch.box_m)


def test_positions_are_hidden_in_a_share_of_windows_and_there_sources_are_told_in_a_share():
    stage = replace(STAGE, steps=1, batch=200, hidden_positions=2, share_hidden=0.5, share_told=0.5, windows_s=(0.128,))
    batch = batches(replace(stage, microphones=(6, 6)))[0]
    hides, is_told = batch.hides_position.any(dim=1), batch.windows.told_m.isfinite().all(dim=(1, 2))
    assert hides.float().mean() == pytest.approx(0.5 * 2 / 3, abs=0.1)
    assert is_told[hides].float().mean() == pytest.approx(0.5, abs=0.17)
    assert not is_told[~hides].any()
    assert torch.equal(batch.windows.told_m[is_told], batch.sources_m[is_told])
    assert batches(replace(stage, share_told=0.0))[0].windows.told_m.isnan().all()


def test_without_shares_nothing_else_is_drawn():
    """Of the stages of before, every window hides as much as it did."""
    plain = batches(replace(STAGE, hidden_positions=2))[0]
    told = batches(replace(STAGE, hidden_positions=2, share_told=1.0))[0]
    assert torch.equal(plain.hides_position, told.hides_position)
    assert torch.equal(plain.points_m, told.points_m)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_makes_batches_has_no_ear_for_signals(monkeypatch, number):
    """They are told to a whole group of processes; the one that trains still needs its batches."""
    heard = {}
    monkeypatch.setattr(signal, "signal", heard.__setitem__)
    begin_worker(0)
    assert heard[number] is signal.SIG_IGN
