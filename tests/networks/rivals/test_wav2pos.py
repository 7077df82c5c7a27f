"""wav2pos: what is hidden is not seen, order does not matter, coordinates are normalised. The rest: test_learned.py."""

from dataclasses import replace

import pytest
import torch

from helpers.rivals import SMALL_WAV2POS, answers, box, given, rival, truths
from soundfix.errors import CheckpointError, SceneError
from soundfix.networks.masking import TokenMask, hide_nothing
from soundfix.networks.model import Windows
from soundfix.networks.rivals.wav2pos import LoudestPair, Wav2pos, Wav2posConfig, highest, standardised_middle


def hiding(*, position=(), sound=()):
    numbers = torch.arange(6).expand(2, -1)
    return TokenMask(torch.isin(numbers, torch.tensor(sound)), torch.isin(numbers, torch.tensor(position)))


def test_is_as_large_as_published():
    """9.8 M weights beside NGCC-PHAT, which learns nothing."""
    network = Wav2pos(Wav2posConfig())
    learning = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
    assert learning == pytest.approx(9.8e6, rel=0.01)
    assert sum(weight.numel() for weight in network.ngcc.parameters()) == 888_193


def test_tokens_that_nobody_looks_at_are_dropped():
    """The encoder with a key mask, and the published way: given the visible tokens only."""
    network = rival("wav2pos")
    visible = network.visible(given(), hiding(position=[1, 2], sound=[4]))
    seen, is_seen = network.encode(visible)
    place, sound = network.encoder_kinds
    places = torch.cat([torch.zeros(2, 1, 3), visible.places], 1)
    tokens = torch.cat([network.embed_place(places) + place, network.embed_sound(visible.sounds) + sound], 1)
    for window in (0, 1):
        kept = tokens[window][is_seen[window]][None]
        assert kept.shape[1] == 4 + 5
        alone = network.encoder(kept, torch.ones(1, 9, dtype=torch.bool))
        assert torch.allclose(alone[0], seen[window][is_seen[window]], atol=1e-5)


def test_what_is_hidden_is_not_seen():
    """Neither a hidden sound, nor its correlations, nor a hidden position."""
    network, windows, other = rival("wav2pos"), given(), given(seed=4)
    audio, positions_m = windows.audio.clone(), windows.positions_m.clone()
    audio[:, 4], positions_m[:, 1] = other.audio[:, 4], other.positions_m[:, 1]
    changed = replace(windows, audio=audio, positions_m=positions_m)
    one, another = (
        network.decode(network.visible(each, hiding(position=[1], sound=[4]))) for each in (windows, changed)
    )
    shown, otherwise = (
        network.decode(network.visible(each, hide_nothing(windows.is_heard))) for each in (windows, changed)
    )
    for hidden, again, plain, differs in zip(one, another, shown, otherwise, strict=True):
        assert torch.allclose(hidden, again, atol=1e-6)
        assert (plain - differs).abs().max() > 1e-5


@pytest.mark.parametrize("name", ["wav2pos", "wav2pos, two sources"])
def test_the_order_of_microphones_does_not_matter(name):
    network, windows, order = rival(name), given(), torch.tensor([3, 5, 0, 2, 1, 4])
    windows = replace(windows, is_known=torch.arange(6).expand(2, -1) > 1)
    turned = Windows(**{field: value[:, order] for field, value in vars(windows).items() if value is not None})
    plain, other = answers(network, windows), answers(network, turned)
    assert torch.allclose(other.sources_m, plain.sources_m, atol=1e-4)
    assert torch.allclose(other.microphones_m, plain.microphones_m[:, order], atol=1e-4)


def test_known_microphones_are_where_they_were_given():
    network, windows = rival("wav2pos"), given()
    network.normalize_to(windows.positions_m[0])
    is_known = torch.arange(6).expand(2, -1) != 2
    found = answers(network, replace(windows, is_known=is_known)).microphones_m
    assert torch.allclose(found[is_known], windows.positions_m[is_known], atol=1e-5)
    assert (found[:, 2] - windows.positions_m[:, 2]).norm(dim=-1).min() > 0.01


def test_a_source_that_is_told_is_where_it_was_told_and_helps_to_find_microphones():
    network, windows = rival("wav2pos"), given()
    network.normalize_to(windows.positions_m[0])
    unknown = replace(windows, is_known=torch.arange(6).expand(2, -1) != 2)
    told_m = torch.tensor([[[1.0, 2.0, 0.5]], [[torch.nan] * 3]])
    plain, told = answers(network, unknown), answers(network, replace(unknown, told_m=told_m))
    assert torch.allclose(told.sources_m[0], told_m[0], atol=1e-5)
    assert torch.equal(told.sources_m[1], plain.sources_m[1])
    assert (told.microphones_m[0, 2] - plain.microphones_m[0, 2]).norm() > 1e-4
    assert torch.equal(told.microphones_m[1], plain.microphones_m[1])


def test_coordinates_are_normalised_to_the_sources():
    """Everything moved and stretched, and normalised to that: the answer moves and stretches along."""
    network, windows = rival("wav2pos"), given()
    points_m = torch.tensor([[0.0, 0, 0], [4, 2, 2]])
    network.normalize_to(points_m)
    assert torch.allclose(network.origin_m, torch.tensor([2.0, 1, 1]))
    assert network.scale_m.tolist() == pytest.approx([8**0.5, 2**0.5, 2**0.5])
    plain = answers(network, windows).sources_m
    shift = torch.tensor([5.0, -7, 1])
    network.normalize_to(2 * points_m + shift)
    moved = answers(network, replace(windows, positions_m=2 * windows.positions_m + shift)).sources_m
    assert torch.allclose(moved, 2 * plain + shift, atol=1e-4)


@pytest.mark.parametrize("count", [1, 5])
def test_a_single_place_normalises_nothing(count):
    with pytest.raises(SceneError, match=f"{count} points to normalise coordinates to, 0 m of spread"):
        rival("wav2pos").normalize_to(torch.ones(count, 3))


def test_the_order_of_sources_does_not_matter_to_the_loss():
    network, windows = rival("wav2pos, two sources"), given()
    truth = truths(windows, sources=2)
    swapped = replace(truth, sources_m=truth.sources_m.flip(1))
    one, other = (network.loss_terms(windows, box(), each)["sources"].item() for each in (truth, swapped))
    assert one == pytest.approx(other, rel=1e-6)


def test_the_loss_by_hand():
    """All right but one coordinate of the source, off by a scale: 1 of 3 axes. Nothing hidden: no microphones."""
    network, windows = rival("wav2pos"), given()
    truth = truths(windows)
    truth.sources_m[:] = answers(network, windows).sources_m
    truth.sources_m[..., 1] += network.scale_m[1]
    terms = network.loss_terms(windows, box(), truth)
    visible = network.visible(windows, hide_nothing(windows.is_heard))
    gap = network.decode(visible).sounds - visible.sounds
    assert terms["sources"].item() == pytest.approx(1 / 3, rel=1e-5)
    assert terms["microphones"].item() == 0
    assert terms["sound"].item() == pytest.approx(0.1 * gap.square().mean().item(), rel=1e-5)


def test_hidden_and_unknown_microphones_are_learned_and_known_ones_are_not():
    network, windows = rival("wav2pos"), given()
    truth = truths(windows, hides_position=[2])
    truth.microphones_m[:, [0, 1]] = 9.0
    plain = network.loss_terms(windows, box(), truths(windows, hides_position=[2]))["microphones"].item()
    assert network.loss_terms(windows, box(), truth)["microphones"].item() == pytest.approx(plain, rel=1e-6)
    truth.microphones_m[:, 2] += 1.0
    assert network.loss_terms(windows, box(), truth)["microphones"].item() != pytest.approx(plain, rel=1e-3)
    unknown = replace(windows, is_known=torch.arange(6).expand(2, -1) != 2)
    assert network.loss_terms(unknown, box(), truths(windows))["microphones"].item() == pytest.approx(plain, rel=1e-5)


def test_ngcc_stays_as_it_was():
    network, windows = rival("wav2pos").train(), given()
    before = {name: value.clone() for name, value in network.ngcc.state_dict().items()}
    sum(network.loss_terms(windows, box(), truths(windows)).values()).backward()
    assert all(weight.grad is None for weight in network.ngcc.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.ngcc.state_dict().items())
    assert not network.ngcc.training
    assert network.decoder.training


def test_the_correlation_matters():
    network, windows = rival("wav2pos"), given()
    plain = answers(network, windows).sources_m
    network.all_pairs.correlation.weight.data.zero_()
    assert (answers(network, windows).sources_m - plain).abs().max() > 1e-5


def test_pairs_are_an_mlp_on_both_tokens_and_the_correlation():
    """The literal form: all three joined, one linear layer, pair by pair."""
    torch.manual_seed(0)
    module, tokens, curves = LoudestPair(4, 5, 6), torch.randn(1, 3, 4), torch.randn(1, 2, 5)
    directed = torch.tensor([[0, 2], [2, 1]])
    weight = torch.cat([module.first.weight, module.second.weight, module.correlation.weight], dim=1)
    said = [
        module.rest(weight @ torch.cat([tokens[0, i], tokens[0, j], curve]) + module.first.bias)
        for (i, j), curve in zip(directed.tolist(), curves[0], strict=True)
    ]
    counts = torch.ones(1, 2, dtype=torch.bool)
    wanted = module.out(torch.maximum(*said))
    assert torch.allclose(module(tokens, directed, curves, counts)[0], wanted, atol=1e-5)


def test_the_highest_by_hand():
    tokens = torch.tensor([[[1.0, 5], [3, 2], [9, 9]], [[1, 1], [1, 1], [1, 1]]])
    counts = torch.tensor([[True, True, False], [False] * 3])
    assert torch.equal(highest(tokens, counts), torch.tensor([[3.0, 5], [0, 0]]))


def test_the_middle_is_standardised():
    """Of 0..7 the middle four: mean 3.5, deviations of root mean square sqrt(1.25). Of two samples: padded."""
    middle = standardised_middle(torch.arange(8.0)[None, None], 4)
    assert torch.allclose(middle[0, 0], torch.tensor([-1.5, -0.5, 0.5, 1.5]) / 1.25**0.5, atol=1e-5)
    padded = standardised_middle(torch.tensor([[[1.0, -1.0]]]), 4)
    assert torch.allclose(padded[0, 0], torch.tensor([0, 1.0, -1.0, 0]) * 2**0.5, atol=1e-5)


def test_more_sources_than_slots_are_refused():
    windows = given()
    with pytest.raises(SceneError, match="2 true sources for 1 slots"):
        rival("wav2pos").loss_terms(windows, box(), truths(windows, sources=2))


@pytest.mark.parametrize("change", [{"sources": 0}, {"heads": 5}])
def test_what_cannot_be_built_is_refused(change):
    with pytest.raises(CheckpointError, match="wanted a source or more"):
        replace(SMALL_WAV2POS, **change)
