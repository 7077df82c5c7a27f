"""Batches of fixed windows: a function of the step, some microphones of each window, the same numbers kept or not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.clips import Clips
from helpers.training import job
from soundfix.errors import TrainingError
from soundfix.networks.encoders.ngcc import NgccConfig
from soundfix.networks.model import Network, all_pairs
from soundfix.training import recipes
from soundfix.training.fixed_batches import FixedBatches, FixedSet, heard_by
from soundfix.training.fixed_windows import Draw
from soundfix.training.loop import train
from soundfix.training.recipes import Stage
from soundfix.training.runs import read_newest

STAGE = Stage(steps=3, batch=4, windows_a_clip=2, windows_s=(0.128,), microphones=(4, 4), points=8)


def paper_recipe(**stage):
    """The paper's form, small: one known room, NGCC-PHAT."""
    tiny = recipes.tiny()
    network = replace(
        tiny.network, frame="room", head=None, reranker=0, correlation="ngcc", ngcc=NgccConfig(channels=4, sinc_taps=31)
    )
    nothing = Stage(steps=0)
    return replace(
        tiny, network=network, correlation=nothing, autoencoder=nothing, localization=replace(STAGE, **stage)
    )


def network():
    torch.manual_seed(0)
    return Network(paper_recipe().network)


def windows(folder=None, count=6):
    return FixedSet([Clips(count, unknown=False)], Draw(2048, 2, 1, 0), network(), folder)


def values(batch):
    return {**vars(batch), **vars(batch.windows), **batch.frozen.tensors()}


def same(one, other):
    one, other = values(one), values(other)
    return all(
        torch.equal(value.nan_to_num(), other[name].nan_to_num())
        for name, value in one.items()
        if isinstance(value, torch.Tensor)
    )


def test_a_batch_is_a_function_of_the_step():
    batches = FixedBatches(windows(), STAGE, seed=0)
    assert len(batches) == 3
    assert same(batches[1], FixedBatches(windows(), STAGE, seed=0)[1])
    assert not same(batches[0], batches[1])
    assert not same(batches[0], FixedBatches(windows(), STAGE, seed=1)[0])


def test_what_is_kept_gives_the_same_batches(tmp_path):
    kept = windows(tmp_path)
    kept.fill(workers=0, progress=lambda what, done, of: None)
    assert len(list(tmp_path.glob("windows-*/heard-*/000000.safetensors"))) == 1
    assert same(FixedBatches(kept, STAGE, seed=0)[0], FixedBatches(windows(), STAGE, seed=0)[0])


def test_processes_share_a_batch():
    whole = FixedBatches(windows(), STAGE, seed=0)[0]
    half = FixedBatches(windows(), STAGE, seed=0, rank=1, ranks=2)[0]
    assert torch.equal(half.windows.audio, whole.windows.audio[1::2])
    with pytest.raises(TrainingError, match="multiple"):
        FixedBatches(windows(), STAGE, seed=0, ranks=3)


def test_some_microphones_and_their_pairs():
    """What is told of a pair goes with its two microphones."""
    row = windows()[0]
    some = heard_by(row, np.array([0, 2, 5]))
    assert torch.equal(some["audio"], row["audio"][[0, 2, 5]])
    assert torch.equal(some["features"], row["features"][[0, 2, 5]])
    pairs = [tuple(pair) for pair in all_pairs(row["audio"][None]).tolist()]
    chosen = [pairs.index(pair) for pair in ((0, 2), (0, 5), (2, 5))]
    assert torch.equal(some["correlation"], row["correlation"][chosen])
    assert torch.equal(some["coherence"], row["coherence"][chosen])
    assert torch.equal(some["sources_m"], row["sources_m"])


def test_what_was_kept_is_what_the_network_makes_of_these_microphones():
    batch = FixedBatches(windows(), STAGE, seed=0)[0]
    made = network().frozen(batch.windows)
    for name, value in made.tensors().items():
        assert torch.allclose(getattr(batch.frozen, name), value, rtol=0.02, atol=0.02), name


def test_a_network_of_a_fixed_array_has_silent_channels():
    batch = FixedBatches(windows(), replace(STAGE, keeps_channels=True), seed=0)[0]
    assert batch.windows.is_heard.shape == (4, 6)
    assert batch.windows.is_heard.sum(dim=1).tolist() == [4] * 4
    assert not torch.equal(batch.windows.is_heard[0], batch.windows.is_heard[1])


def test_no_more_microphones_than_there_are():
    batch = FixedBatches(windows(), replace(STAGE, microphones=(7, 11)), seed=0)[0]
    assert batch.windows.audio.shape[1] == 6


def test_training_from_what_is_kept_is_the_same_bit_for_bit(tmp_path):
    weights = []
    for name, cache in (("plain", None), ("cached", tmp_path / "cache"), ("again", tmp_path / "cache")):
        run = job(tmp_path / name, recipe=paper_recipe(), data=[Clips(6, unknown=False)], cache=cache)
        weights.append(train(run).state_dict())
    for other in weights[1:]:
        assert all(torch.equal(value, other[name]) for name, value in weights[0].items())


def test_a_run_with_kept_windows_goes_on_bit_for_bit(tmp_path):
    def stop(numbers):
        if numbers.get("step") == 2:
            raise InterruptedError

    given = {"recipe": paper_recipe(), "data": [Clips(6, unknown=False)], "cache": tmp_path / "cache"}
    whole = train(job(tmp_path / "whole", **given)).state_dict()
    with pytest.raises(InterruptedError):
        train(job(tmp_path / "parts", **given), watch=stop)
    again = train(job(tmp_path / "parts", resume=True, **given)).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in whole.items())


def test_an_encoder_that_learns_cannot_be_kept(tmp_path):
    with pytest.raises(TrainingError, match="thaws_encoder and windows_a_clip"):
        train(job(tmp_path, recipe=paper_recipe(thaws_encoder=True), data=[Clips(6, unknown=False)]))


def test_at_first_everybody_hears_and_nothing_is_hidden():
    """share_whole: of the steps; after them as without it."""
    stage = replace(STAGE, steps=8, microphones=(2, 4), hidden_sound=0.5, hidden_positions=2)
    mixed, whole = (FixedBatches(windows(), replace(stage, share_whole=share), seed=0) for share in (0.0, 0.5))
    assert all(same(whole[step], mixed[step]) for step in range(4, 8))
    assert {whole[step].windows.audio.shape[1] for step in range(4)} == {4}
    assert not any(whole[step].hides_sound.any() for step in range(4))
    assert any(mixed[step].hides_sound.any() for step in range(4))
    assert whole._stage_at(3, np.random.default_rng()).hidden_positions == 0  # of four microphones none is hidden
    assert whole._stage_at(4, np.random.default_rng()).hidden_positions == 2
    assert len({mixed[step].windows.audio.shape[1] for step in range(4)}) > 1


def test_where_positions_are_hidden_everybody_hears():
    """share_hidden: of the steps; in the others nothing is hidden, and some do not hear."""
    stage = replace(STAGE, steps=60, microphones=(2, 4), hidden_positions=2, share_hidden=0.5)
    batches = FixedBatches(windows(), stage, seed=0)
    stages = [batches._stage_at(step, np.random.default_rng(step)) for step in range(60)]
    hides = [each for each in stages if each.hidden_positions]
    assert 20 < len(hides) < 40
    assert {(each.microphones, each.share_hidden) for each in hides} == {((4, 4), 1.0)}
    assert {(each.microphones, each.hidden_positions) for each in stages if each not in hides} == {((2, 4), 0)}
    assert len({batches[step].windows.audio.shape[1] for step in range(20)}) > 1


@pytest.mark.parametrize(("share_whole", "steps"), [(0.0, 13), (1.0, 16)])
def test_training_does_not_end_while_nothing_is_missing(tmp_path, share_whole, steps):
    """Validation stands still, but what it asks, fewer microphones, is not learned yet."""
    recipe = paper_recipe(steps=16, schedule="plateau", share_whole=share_whole)
    train(
        job(tmp_path, recipe=recipe, validate=lambda network: {"mae_m": 1.0, "decoder_error_m": 1.0}, validate_every=1)
    )
    assert read_newest(tmp_path).step == steps
