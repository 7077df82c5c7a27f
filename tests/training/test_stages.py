"""Every stage teaches its own part, of what is known."""

from dataclasses import replace

import pytest
import torch

from helpers.clips import Clips
from helpers.networks import paper_like
from helpers.training import job, quick, voting
from soundfix.localization.multi_source import MOST_SOURCES
from soundfix.networks.model import Network
from soundfix.training import recipes
from soundfix.training.batches import Batches
from soundfix.training.loop import train
from soundfix.training.recipes import STAGES
from soundfix.training.stages import learning, loss_terms


@pytest.mark.parametrize(
    ("stage", "learns", "rests"),
    [
        ("correlation", "head", "masked_encoder"),
        ("autoencoder", "encoder", "head"),
        ("localization", "masked_encoder", "encoder"),
        ("localization", "gate", "encoder"),
        ("localization", "head", "reranker"),
        ("votes", "head", "gate"),
        ("votes", "head", "reranker"),
        ("reranker", "reranker", "head"),
    ],
)
def test_every_stage_teaches_its_own_part(tmp_path, stage, learns, rests):
    recipe = quick(**{name: 3 * (name == stage) for name in STAGES}, average=0.0, network=voting())
    torch.manual_seed(0)
    before = Network(recipe.network).state_dict()
    after = train(job(tmp_path, recipe=recipe)).state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert learns in changed
    assert rests not in changed


def test_votes_learn_alone_with_the_sharpness(tmp_path):
    """Of the whole network no other weight moves: masks and curves stay what they were."""
    recipe = quick(0, 0, 0, votes=3, average=0.0, network=voting())
    torch.manual_seed(0)
    before = Network(recipe.network).state_dict()
    seen = []
    after = train(job(tmp_path, recipe=recipe), watch=seen.append).state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])} - {"origin_m", "scale_m"}
    of_votes = {name for name in before if name.startswith("head.votes.")}
    assert changed <= of_votes | {"head.log_sharpness"}
    assert {"head.votes.last.weight", "head.votes.last.bias", "head.log_sharpness"} <= changed
    assert all(numbers["stage"] == "votes" and numbers["likelihood"] > 0 for numbers in seen)
    assert "sound" not in seen[0]


def test_votes_rest_while_nothing_else_learns():
    """The names that learn are those of the stage, whatever learned before."""
    network = Network(voting())
    learning(network, "localization")
    learning(network, "votes")
    names = {name for name, weight in network.named_parameters() if weight.requires_grad}
    assert names == {f"head.votes.{layer}.{kind}" for layer in ("first", "last") for kind in ("weight", "bias")} | {
        "head.log_sharpness"
    }


def test_ngcc_learns_first_and_then_rests():
    network = paper_like()
    assert {id(w) for w in learning(network, "correlation")} == {id(w) for w in network.ngcc.parameters()}
    assert network.ngcc.training
    learning(network, "localization")
    assert not any(weight.requires_grad for weight in network.ngcc.parameters())
    assert not network.ngcc.training


def test_windows_without_a_known_source_still_teach_the_reconstructions(tmp_path):
    clips = Clips(sources=MOST_SOURCES + 1)  # more than anything is taught of: no truth
    recipe = quick(0, 0, 3, average=0.0)
    torch.manual_seed(0)
    before = Network(recipe.network).state_dict()
    seen = []
    after = train(job(tmp_path, recipe=recipe, data=[clips]), watch=seen.append).state_dict()
    assert all(numbers["sources"] == 0 and numbers["likelihood"] == 0 for numbers in seen)
    assert any(numbers["sound"] > 0 for numbers in seen)
    assert not torch.equal(
        before["audio_inverse_mapper.layers.0.weight"], after["audio_inverse_mapper.layers.0.weight"]
    )


def test_two_sources_teach_the_likelihood_of_one_slot_but_not_its_coordinates(tmp_path):
    seen = []
    train(job(tmp_path, recipe=quick(0, 0, 3), data=[Clips(sources=2)]), watch=seen.append)
    assert all(numbers["sources"] == 0 for numbers in seen)
    assert all(numbers["likelihood"] > 0 for numbers in seen)


def test_windows_of_more_sources_than_slots_do_not_teach_them(tmp_path):
    seen = []
    two_slots = replace(quick(0, 0, 2), network=replace(recipes.tiny().network, sources=2))
    train(job(tmp_path, recipe=two_slots, data=[Clips(sources=3)]), watch=seen.append)
    assert all(numbers["sources"] == numbers["likelihood"] == 0 for numbers in seen)


@pytest.mark.parametrize("stage", STAGES)
def test_in_bfloat16_the_loss_is_nearly_the_same(stage):
    """As on a GPU: layers in bfloat16, delays, correlations, coherence and log p as precise as ever."""
    recipe = quick(network=voting())
    torch.manual_seed(0)
    network = Network(recipe.network)
    learning(network, stage)
    batch = Batches([Clips()], getattr(recipe, stage), seed=0, sources=1)[0]
    exact = loss_terms(network, batch, recipe, stage)
    with torch.autocast("cpu", torch.bfloat16):
        rough = loss_terms(network, batch, recipe, stage)
    assert exact.keys() == rough.keys()
    for name, term in exact.items():
        assert float(rough[name].detach()) == pytest.approx(float(term.detach()), rel=0.05, abs=0.01), name
    sum(rough.values()).backward()
    assert all(bool(w.grad.isfinite().all()) for w in network.parameters() if w.grad is not None)
