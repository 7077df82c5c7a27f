"""Facts about the whole network that a second reader asked for: padding, unknowns, edges of kernels, precision, refusals."""

import copy
from dataclasses import replace

import pytest
import torch

from helpers.networks import SMALL_NGCC, paper_like, tiny, windows
from helpers.runs import POINTS, SPEED, run
from soundfix.errors import SceneError, SoundfixError
from soundfix.methods.three_stream import ThreeStream
from soundfix.networks.attention import count_kept, gathered_attention
from soundfix.networks.coherence_weight import AdaptiveCoherenceWeight
from soundfix.networks.losses import best_order, likelihood_loss, position_loss
from soundfix.networks.masking import FEWEST_SHOWN, draw_mask
from soundfix.networks.model import Network, Windows
from soundfix.networks.pair_likelihoods import look_up
from soundfix.signal import gcc
from soundfix.signal.coherence import coherence
from soundfix.testing import contract_scene
from soundfix.training import info


def padded(given, extra=3, *, is_known=False):
    """The same microphones and some that are not heard."""
    more = windows(count=given.audio.shape[1] + extra, seed=4)
    count, shape = given.audio.shape[1], (len(given.audio), extra)
    return Windows(
        audio=torch.cat([given.audio, more.audio[:, count:]], dim=1),
        positions_m=torch.cat([given.positions_m, more.positions_m[:, count:]], dim=1),
        is_known=torch.cat([given.is_known, torch.full(shape, is_known)], dim=1),
        is_heard=torch.cat([given.is_heard, torch.zeros(shape, dtype=torch.bool)], dim=1),
    )


def test_a_dead_microphone_of_known_position_changes_nothing_in_frame_array():
    network, given = tiny(frame="array"), windows(count=5)
    assert torch.allclose(
        run(network, padded(given, is_known=True)).sources_m, run(network, given).sources_m, atol=1e-5
    )


@pytest.mark.parametrize("make", [lambda: tiny(keep=0.3), paper_like])
def test_padding_changes_nothing_where_a_share_of_keys_is_kept(make):
    network, given = make(), windows(count=5)
    assert torch.allclose(run(network, padded(given)).sources_m, run(network, given).sources_m, atol=1e-5)


def test_nan_in_a_channel_that_is_not_heard_stays_there():
    network, given = tiny(), padded(windows(count=5))
    audio = given.audio.clone()
    audio[:, 5:] = torch.nan
    assert torch.isfinite(run(network, replace(given, audio=audio)).sources_m).all()


def test_ngcc_trained_inside_the_network_refuses_padding():
    """Silence would enter the statistics of its BatchNorm."""
    network, given = paper_like(keep=1.0, ngcc=replace(SMALL_NGCC, dropout=0.0)), windows(count=5)
    network.ngcc.requires_grad_(True)
    network.train()
    with pytest.raises(SceneError, match="silent microphones would enter its BatchNorm"):
        network(padded(given))


@pytest.mark.parametrize("make", [tiny, lambda: tiny(frame="array", sources=2)])
def test_a_microphone_that_is_not_heard_gets_no_gradient(make):
    given = padded(windows(count=5))
    audio = given.audio.clone().requires_grad_()
    make()(replace(given, audio=audio)).sources_m.sum().backward()
    assert float(audio.grad[:, 5:].abs().max()) == 0
    assert float(audio.grad[:, :5].abs().max()) > 0


def test_an_unknown_position_does_not_move_the_likelihood():
    network, given = tiny(), windows()
    given.is_known[:, 1] = False
    said = run(network, given).likelihoods
    elsewhere = given.positions_m.clone()
    elsewhere[:, 1] = 50.0
    assert torch.allclose(said.at(POINTS, elsewhere, SPEED), said.at(POINTS, given.positions_m, SPEED), atol=1e-4)


def test_a_position_that_is_nan_because_unheard_leaves_the_likelihood_finite():
    given = padded(windows(count=5))
    given.positions_m[:, 5:] = torch.nan
    assert torch.isfinite(run(tiny(), given).likelihoods.at(POINTS, given.positions_m, SPEED)).all()


def test_enough_heard_positions_stay():
    is_heard = torch.arange(8).expand(500, 8) < 4
    mask = draw_mask(is_heard, torch.ones_like(is_heard), audio_share=0.3, generator=torch.Generator().manual_seed(0))
    assert int((is_heard & ~mask.position).sum(dim=1).min()) >= FEWEST_SHOWN


def test_long_curves_are_looked_up_within_their_ends():
    curve = torch.arange(40_001.0)[None, None]
    assert float(look_up(curve, torch.tensor([[[1e9]]]))) == pytest.approx(40_000.0, abs=0.1)


def test_sigma_is_the_spread_of_strangers_however_far_the_curves_reach():
    near, far = (run(tiny(is_untrained=True), windows(samples=1600), max_lag=lag).likelihoods for lag in (160, 3000))
    assert float(near.curves.std()) == pytest.approx(near.sigma, rel=0.15)
    middle = far.curves.shape[-1] // 2
    assert float(far.curves[..., middle - 160 : middle + 161].std()) == pytest.approx(far.sigma, rel=0.15)


def test_a_correlation_at_lag_zero_only_has_one_lag():
    spectra = gcc.padded_spectra(torch.randn(2, 100, generator=torch.Generator().manual_seed(0)), pad=1)
    assert gcc.correlate(spectra, torch.tensor([[0, 1]]), max_lag=0, bins=10).shape == (1, 1)


def test_a_share_that_is_a_whole_number_of_keys_keeps_that_number():
    assert [int(count_kept(share, torch.tensor(100))) for share in (0.07, 0.28, 0.55)] == [7, 28, 55]


def test_a_sound_too_short_for_coherence_is_refused():
    with pytest.raises(SceneError):
        coherence(windows(batch=1, samples=5).audio, torch.tensor([[0, 1]]), sample_rate=16_000.0)


def test_alpha_zero_is_switched_off_for_good():
    ascm = AdaptiveCoherenceWeight(alpha=0.0)
    ascm.weight(torch.tensor([0.5])).sum().backward()
    assert float(ascm.signed_alpha.grad) == 0


def test_a_truth_that_does_not_count_may_be_nan():
    guess = torch.zeros(1, 2, 3, requires_grad=True)
    truth = torch.tensor([[[1.0, 2, 3], [torch.nan] * 3]])
    position_loss(guess, truth, torch.tensor([[True, False]])).backward()
    assert torch.isfinite(guess.grad).all()


def test_one_source_may_be_any_of_two_slots_likelihood():
    points, there = torch.tensor([[[0.0, 0, 0], [2.0, 0, 0]]]), torch.ones(1, 1, dtype=torch.bool)
    scores = torch.tensor([[[0.0, 9.0], [9.0, 0.0]]])
    assert float(likelihood_loss(scores, points, points[:, :1], there)) < 0.01


def test_fewer_true_sources_than_slots_leave_slots_empty_and_more_are_refused():
    guess, there = torch.tensor([[[5.0, 0, 0], [0.1, 0, 0]]]), torch.ones(1, 1, dtype=torch.bool)
    assert best_order(guess, torch.zeros(1, 1, 3), there)[1].tolist() == [[False, True]]
    with pytest.raises(SceneError, match="2 true sources for 1 slots"):
        best_order(guess[:, :1], torch.zeros(1, 2, 3), torch.ones(1, 2, dtype=torch.bool))


@pytest.mark.parametrize("make", [tiny, lambda: tiny(frame="array", keep=2), paper_like])
def test_training_in_bfloat16_gives_finite_gradients(make):
    network, given = make().train(), windows()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        answers = network(given)
        loss = answers.sources_m.square().mean() + answers.sound.square().mean()
        if answers.likelihoods is not None:
            loss = loss + answers.likelihoods.at(POINTS, given.positions_m, SPEED).square().mean()
    loss.backward()
    assert not [n for n, w in network.named_parameters() if w.grad is not None and not torch.isfinite(w.grad).all()]


def test_under_autocast_every_fourier_transform_sees_single_precision(monkeypatch):
    seen, rfft = [], torch.fft.rfft
    monkeypatch.setattr(torch.fft, "rfft", lambda x, *args, **kw: seen.append(x.dtype) or rfft(x, *args, **kw))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        paper_like()(windows())
    assert set(seen) == {torch.float32}


def test_gathered_attention_survives_a_softmax_in_float32(monkeypatch):
    softmax = torch.Tensor.softmax
    monkeypatch.setattr(torch.Tensor, "softmax", lambda x, dim: softmax(x.float(), dim))
    scores, v = torch.zeros(1, 3, 8, dtype=torch.bfloat16), torch.ones(1, 8, 4, dtype=torch.bfloat16)
    assert gathered_attention(scores, v, kept=torch.tensor(2)).weights.shape == (1, 3, 8)


def test_sound_in_double_precision_is_taken_or_refused():
    given = windows()
    plain = run(tiny(), given).sources_m
    assert torch.equal(run(tiny(), replace(given, audio=given.audio.double())).sources_m, plain)


def test_a_copy_and_a_state_dict_are_the_same_network():
    network, given = tiny(), windows()
    network.normalize_to(torch.tensor([[0.0, 0, 0], [4.0, 2, 2]]))
    other = Network(network.config).eval()
    other.load_state_dict(network.state_dict())
    for twin in (copy.deepcopy(network), other):
        assert torch.equal(run(twin, given).sources_m, run(network, given).sources_m)
        assert not any(weight.requires_grad for weight in twin.encoder.parameters())


def test_the_parts_add_up_to_the_total():
    lines = [line.replace(" frozen", "").split() for line in info.describe_network(tiny()) if "window" not in line]
    counts = {" ".join(words[:-1]): int(words[-1].replace(",", "")) for words in lines}
    total = counts.pop("in all")
    counts.pop("trainable")
    assert sum(counts.values()) == total


def test_a_network_without_a_likelihood_head_says_so_as_a_localizer():
    with pytest.raises(SoundfixError):
        ThreeStream(network=paper_like()).locate(contract_scene())


def test_ten_seconds_give_finite_answers():
    assert torch.isfinite(run(tiny(), windows(batch=1, count=4, samples=160_000)).sources_m).all()
