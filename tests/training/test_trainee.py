"""The weights that learn, their moving average, and their learning rate."""

from dataclasses import replace

import pytest
import torch

from helpers.training import job, quick
from soundfix.training import recipes, trainee
from soundfix.training.loop import train
from soundfix.training.runs import read_newest
from soundfix.training.trainee import rate


def test_the_shipped_weights_are_a_moving_average(tmp_path):
    recipe = quick(0, 0, 6, average=0.5)
    averaged = train(job(tmp_path, recipe=recipe))
    state = read_newest(tmp_path)
    name = next(n for n in state.tensors if n.startswith("network.joint_norm"))
    own = averaged.state_dict()[name.removeprefix("network.")]
    assert not torch.equal(own, state.tensors[name])
    assert torch.equal(own, state.tensors[name.replace("network.", "average.")])


def test_a_later_stage_goes_on_from_the_average(tmp_path):
    train(job(tmp_path, recipe=quick(0, 0, 6, 2, average=0.5)))
    tensors = read_newest(tmp_path).tensors
    names = [name.removeprefix("network.") for name in tensors if name.startswith("network.head.")]
    assert names
    assert all(torch.equal(tensors["network." + name], tensors["average." + name]) for name in names)
    assert (tmp_path / "model.safetensors").exists()


def test_the_learning_rate_warms_up_and_falls():
    stage = replace(recipes.tiny().localization, steps=100, warm_up=10)
    assert rate(stage, 0) == pytest.approx(0.1)
    assert rate(stage, 50) == pytest.approx(0.5)
    assert rate(stage, 99) < 0.001
    paper = replace(stage, schedule="paper")
    assert rate(paper, 99) == pytest.approx(0.95**29)


@pytest.mark.parametrize("able", [True, False])
def test_bfloat16_is_used_where_the_processor_multiplies_it(tmp_path, monkeypatch, able):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": able})
    seen, real = [], trainee.loss_terms

    def watched(*given):
        seen.append(torch.is_autocast_enabled("cpu"))
        return real(*given)

    monkeypatch.setattr(trainee, "loss_terms", watched)
    train(job(tmp_path, recipe=quick(0, 0, 1, bfloat16=True)))
    assert seen == [able]
