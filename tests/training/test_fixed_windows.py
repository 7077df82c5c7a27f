"""Windows that are drawn once: the same whenever they are asked for, heard by all, with keys that tell them apart."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.clips import Clips
from helpers.rivals import CONFIGS
from soundfix.errors import TrainingError
from soundfix.networks.encoders.ngcc import NgccConfig
from soundfix.networks.model import Network
from soundfix.networks.registry import build
from soundfix.training import recipes
from soundfix.training.fixed_windows import Draw, FixedWindows, draw_of, ears_key, has_frozen_parts, heard_row
from soundfix.training.recipes import Stage

DRAW = Draw(samples=2048, each=3, sources=2, seed=0)


def paper(**changes):
    network = replace(recipes.tiny().network, frame="room", head=None, reranker=0, correlation="ngcc", **changes)
    torch.manual_seed(0)
    return Network(replace(network, ngcc=NgccConfig(channels=4, sinc_taps=31)))


def rows(draw=DRAW, data=None):
    return FixedWindows(data or [Clips(4), Clips(2)], draw)


def test_the_same_window_whenever_it_is_asked_for():
    first, second = rows(), rows()
    assert len(first) == 18
    for number in (0, 1, 17):
        for name, value in first[number].items():
            assert torch.equal(value, second[number][name]) or value.isnan().any(), name


def test_windows_of_a_clip_differ_and_share_its_source():
    windows = rows()
    assert torch.equal(windows[0]["sources_m"][0], windows[1]["sources_m"][0])
    assert not torch.equal(windows[0]["audio"], windows[1]["audio"])
    assert not torch.equal(windows[0]["sources_m"][0], windows[3]["sources_m"][0])


def test_all_microphones_hear_it_at_one_level():
    row = rows()[0]
    assert row["audio"].shape == (6, 2048)
    assert row["audio"].dtype == torch.float16
    assert np.allclose(row["audio"].float().square().mean(dim=1), 1.0, atol=0.01)
    assert bool(row["is_heard"].all())
    assert row["sources_m"].shape == (2, 3)


def test_what_is_drawn_or_heard_otherwise_has_another_key():
    keys = [
        rows().key(),
        rows(replace(DRAW, seed=1)).key(),
        rows(replace(DRAW, each=2)).key(),
        rows(data=[Clips(4), Clips(3)]).key(),
        rows(data=[Clips(4, unknown=False), Clips(2)]).key(),  # another list
    ]
    assert len(set(keys)) == len(keys)
    assert rows().key() == keys[0]


def test_other_frozen_weights_or_settings_have_another_key():
    network = paper()
    before = ears_key(network)
    assert ears_key(paper()) == before
    assert ears_key(paper(coherence="phase")) != before
    assert ears_key(paper(keep=0.5, alpha=0.0)) == before  # nor what comes after
    with torch.no_grad():
        network.position_decoder.layers[0].weight += 1.0
    assert ears_key(network) == before  # what learns does not count
    for module in (network.ngcc, network.encoder):
        with torch.no_grad():
            next(module.parameters()).add_(0.1)
        assert ears_key(network) != before
        before = ears_key(network)


def test_what_frozen_parts_make_of_a_window():
    network, row = paper(), rows()[0]
    made = heard_row(network, row)
    assert {name: value.dtype for name, value in made.items()} == dict.fromkeys(made, torch.float16)
    assert {name: tuple(value.shape) for name, value in made.items()} == {
        "features": (6, 32),
        "correlation": (15, 321),
        "coherence": (15,),
    }


def test_who_has_frozen_parts():
    assert has_frozen_parts(paper())
    assert has_frozen_parts(build(CONFIGS["wav2pos"]))
    gnn = build(CONFIGS["gnn slf"])
    assert not has_frozen_parts(gnn)
    assert heard_row(gnn, rows()[0]) == {}


def test_no_window_is_fixed_whose_length_or_truth_is_drawn_anew():
    fixed = Stage(steps=1, windows_a_clip=4, windows_s=(0.128,))
    assert draw_of(fixed, sources=1, seed=3) == Draw(2048, 4, 1, 3)
    with pytest.raises(TrainingError, match=r"4 fixed windows a clip and windows of \[0.128, 0.5\] s"):
        draw_of(replace(fixed, windows_s=(0.128, 0.5)), sources=1, seed=0)
    with pytest.raises(TrainingError, match="share_noise above 0"):
        draw_of(replace(fixed, share_noise=0.1), sources=1, seed=0)


def test_no_clips():
    with pytest.raises(TrainingError, match="no clips"):
        rows(data=[Clips(0)])
