"""Votes: bounded, blind to direction and order, and nobody who hears nothing decides."""

from dataclasses import replace

import pytest
import torch

from helpers.networks import tiny, windows
from soundfix.networks import correlations
from soundfix.networks.experts import (
    EXPERTS,
    FIRST,
    LEAST,
    MOST,
    NEAR_LAGS,
    USUAL_HEIGHT,
    Votes,
    _highest,
    agreement,
    in_deviations,
)
from soundfix.networks.likelihood import HeadConfig, LikelihoodHead
from soundfix.signal import gcc

COUNT, LAGS = len(EXPERTS), 401
PARTIAL = HeadConfig(frame=128, hop=32, mask_channels=3, lag_channels=3, lags_a_sample=1, partial=(0.5, 300.0))
PAIRS = torch.tensor([[0, 1], [0, 2], [1, 2]])


def noise(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def votes(*, trained=True, std=1.0):
    torch.manual_seed(0)
    made = Votes()
    if trained:
        for weight in made.parameters():
            torch.nn.init.normal_(weight, std=std)
    return made.eval()


def bump(at, height, width=1.5):
    return height * torch.exp(-(((torch.arange(LAGS) - at) / width) ** 2))


def test_untrained_each_has_its_first_weight_whatever_is_heard():
    weights = votes(trained=False).weights(noise(0, 2, 5, COUNT, LAGS))
    assert torch.allclose(weights, torch.tensor(FIRST).expand(2, 5, 3))


def test_the_curve_is_the_weighted_mean_of_the_experts():
    made, experts = votes(), noise(1, 2, 5, COUNT, LAGS)
    weights = made.weights(experts)
    by_hand = (weights[..., None] * experts).sum(dim=2) / weights.sum(dim=2)[..., None]
    assert torch.allclose(made(experts), by_hand, atol=1e-5)


def test_weights_are_bounded_however_the_votes_were_trained():
    weights = votes(std=100.0).weights(30 * noise(2, 4, 50, COUNT, LAGS)).detach()
    assert float(weights.min()) == pytest.approx(LEAST, abs=1e-3)
    assert float(weights.max()) == pytest.approx(MOST, abs=1e-3)
    assert float(weights.min()) >= LEAST - 1e-6
    assert float(weights.max()) <= MOST + 1e-6


def test_turning_a_pair_round_turns_its_curve_round():
    made, experts = votes(), noise(3, 2, 5, COUNT, LAGS)
    assert torch.allclose(made(experts.flip(-1)), made(experts).flip(-1), atol=1e-5)


def test_a_pair_s_curve_depends_on_that_pair_alone():
    made, experts = votes(), noise(4, 2, 5, COUNT, LAGS)
    order = torch.tensor([3, 0, 4, 1, 2])
    assert torch.allclose(made(experts[:, order]), made(experts)[:, order], atol=1e-6)
    assert torch.allclose(made(experts[:, :2]), made(experts)[:, :2], atol=1e-6)


def test_where_the_masked_curve_is_flat_the_plain_ones_decide():
    """In one pair of two the mask took everything away: its deviation is that of all pairs, and it stays flat."""
    curves = 0.02 * noise(5, 1, 2, COUNT, LAGS)
    curves[0, 0, 0] = 0.0
    curves[0, 0, 1:] += bump(250, 0.5)
    curves[0, 1] += bump(120, 0.5)
    experts = in_deviations(curves)
    assert not experts[0, 0, 0].any()
    for made in (votes(trained=False), *(votes(std=std) for std in (0.3, 3.0))):
        found = made(experts)[0].detach()
        assert found.argmax(dim=-1).tolist() == [250, 120]
        assert float(found[0].max()) > 0.1 * float(experts[0, 0, 1].max())


def test_curves_are_in_units_of_their_deviation_about_their_mean():
    """Each expert by itself; gains and constants do not matter; pairs that hear nothing do not count."""
    curves = noise(6, 2, 4, COUNT, LAGS)
    found = in_deviations(curves)
    assert found.mean(dim=-1).abs().max() < 1e-5
    assert torch.allclose(found.abs().mean(dim=(1, 3)), torch.ones(2, COUNT), atol=1e-4)
    gains = torch.tensor([0.01, 1.0, 300.0])[:, None]
    assert torch.allclose(in_deviations(gains * curves + 5 * gains), found, atol=1e-3)
    with_silence = torch.cat([curves, torch.zeros(2, 3, COUNT, LAGS)], dim=1)
    assert torch.allclose(in_deviations(with_silence)[:, :4], found, atol=1e-5)
    assert not in_deviations(with_silence)[:, 4:].any()


def test_a_pair_that_stands_out_does_so_beside_the_others():
    """The unit is that of all pairs: one whose curve is twice as high stays twice as high."""
    curves = noise(7, 1, 6, COUNT, LAGS)
    curves[:, 0] *= 2
    deviations = in_deviations(curves).abs().mean(dim=-1)[0]
    assert float((deviations[0] / deviations[1:].mean(dim=0)).mean()) == pytest.approx(2, rel=0.1)


def test_agreement_by_hand():
    """Masked and plain peak at the same lag but two; partial elsewhere, where masked has half of its height."""
    experts = torch.zeros(1, 1, COUNT, LAGS)
    experts[0, 0, 0] = bump(100, 8.0, 0.1) + bump(300, 4.0, 0.1)
    experts[0, 0, 1] = bump(102, 6.0, 0.1)
    experts[0, 0, 2] = bump(300, 10.0, 0.1)
    said = agreement(experts)[0, 0]
    assert said[:3].tolist() == pytest.approx([8 / USUAL_HEIGHT, 6 / USUAL_HEIGHT, 10 / USUAL_HEIGHT])
    shares = dict(zip([(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)], said[3:].tolist(), strict=True))
    assert shares == pytest.approx({(0, 1): 1.0, (0, 2): 0.5, (1, 0): 1.0, (1, 2): 0, (2, 0): 0, (2, 1): 0}, abs=1e-6)


@pytest.mark.parametrize(("gap", "agrees"), [(NEAR_LAGS, True), (NEAR_LAGS + 1, False)])
def test_peaks_some_lags_apart_are_not_the_same(gap, agrees):
    experts = torch.zeros(1, 1, COUNT, LAGS)
    experts[0, 0, :, 200] = 5.0
    experts[0, 0, 0] = experts[0, 0, 0].roll(gap)
    said = agreement(experts)[0, 0]
    assert bool(said[3] > 0.5) == agrees


def test_silence_gives_finite_curves_and_gradients():
    curves = torch.zeros(1, 3, COUNT, LAGS, requires_grad=True)
    found = votes()(in_deviations(curves))
    found.sum().backward()
    assert not found.detach().any()
    assert torch.isfinite(curves.grad).all()


def head(*, partial=True, trained=True):
    torch.manual_seed(0)
    config = PARTIAL if partial else HeadConfig(**{**vars(PARTIAL), "partial": None})
    made = LikelihoodHead(config, width=5)
    for name, weight in made.named_parameters():
        if trained and not name.startswith("log"):
            torch.nn.init.normal_(weight, std=0.3)
    return made.eval()


def said(made, audio, pairs=PAIRS, max_lag=40):
    with torch.no_grad():
        return made(audio, torch.zeros(*audio.shape[:2], 5), pairs, max_lag=max_lag)


def shared(seed, delay=11):
    """Three microphones: the second hears the source later, and the third what is neither."""
    source, audio = noise(seed, 4000), 0.3 * noise(seed + 1, 1, 3, 4000)
    audio[0, 0] += source
    audio[0, 1] += source.roll(delay)
    return audio


def test_a_head_says_masked_plain_and_partial_curves():
    found, before = said(head(), shared(1)), said(head(partial=False), shared(1))
    assert before.partial is None
    assert found.partial.shape == found.plain.shape == found.curves.shape
    assert torch.allclose(found.plain, before.plain)
    assert not torch.allclose(found.plain, found.partial, atol=0.01)
    peaks = [int(curve[0, 0].argmax()) - 40 for curve in (found.plain, found.partial, found.curves)]
    assert peaks == [-11] * 3


def test_a_head_s_votes_do_not_mind_which_microphone_comes_first():
    made, audio = head(), shared(2)
    plain, turned = said(made, audio), said(made, audio, PAIRS.flip(1))
    shuffled = said(made, audio[:, [2, 0, 1]], torch.tensor([[1, 2], [1, 0], [2, 0]]))
    for name in ("curves", "plain", "partial"):
        assert torch.allclose(getattr(turned, name), getattr(plain, name).flip(-1), atol=1e-4), name
        assert torch.allclose(getattr(shuffled, name), getattr(plain, name), atol=1e-4), name


def test_a_mask_that_was_never_right_does_not_move_the_peak(monkeypatch):
    """A mask that lets through another sound alone: the plain curves keep the source where it is."""
    made, audio = head(trained=False), shared(3)
    hum = torch.sin(torch.arange(4000) * 2 * torch.pi * 900 / 16_000)

    def misled(audio, mask, config, max_lag):
        return gcc.padded_spectra(torch.stack([hum, hum.roll(-4), hum])[None], pad=max_lag)

    monkeypatch.setattr(correlations, "_passed", misled)
    assert int(said(made, audio).curves[0, 0].argmax()) - 40 == -11
    without = head(partial=False, trained=False)
    assert int(said(without, audio).curves[0, 0].argmax()) - 40 != -11


def test_the_mask_does_not_see_rumble_louder_than_the_sound():
    """The spectra that it lets through are those of the cut sound; without votes it sees all."""
    rumble = 20 * torch.sin(torch.arange(4000) * 2 * torch.pi * 80 / 16_000)
    audio, seen = shared(4) + rumble, []
    for partial in (True, False):
        made = head(partial=partial)
        made.mask.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
        said(made, audio)
    low = [float(magnitude[:, :, :2].square().sum() / magnitude.square().sum()) for magnitude in seen]
    assert low[0] < 0.1
    assert low[1] > 0.7


def test_a_network_s_likelihoods_hold_the_partial_curves():
    """And without its votes a network has none."""
    for network, has in ((tiny(head=replace(tiny().config.head, partial=(0.5, 300.0))), True), (tiny(), False)):
        with torch.no_grad():
            likelihoods = network(windows()).likelihoods
        assert (likelihoods.partial is not None) == has
        assert len(likelihoods.unmasked) == 1 + has


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_highest_of_every_row_and_its_place_by_hand(dtype):
    values = torch.tensor([[[1.0, 5.0, 2.0], [-3.0, -4.0, -1.0]]], dtype=dtype)
    highest, where = _highest(values)
    assert highest.tolist() == [[5.0, -1.0]]
    assert where.tolist() == [[1, 2]]
