"""The likelihood head: its special cases are GCC-PHAT and ASCM, it equals the literal form, and geometry does not matter."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers import reference
from soundfix.networks import likelihood
from soundfix.networks.correlations import HeadConfig
from soundfix.networks.likelihood import EvenConv, LagNetwork, LikelihoodHead, PairGate
from soundfix.networks.pair_likelihoods import PairLikelihoods, delays, look_up
from soundfix.signal import gcc

RATE = 16_000.0
SMALL = HeadConfig(frame=128, hop=32, mask_channels=3, lag_channels=3, lags_a_sample=1)
PAIRS = torch.tensor([[0, 1], [0, 2], [1, 2]])


def noise(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def head(config=SMALL, *, trained=True, seed=0):
    """A head whose last layers are no longer zero, as after training."""
    torch.manual_seed(seed)
    made = LikelihoodHead(config, width=5)
    for name, weight in made.named_parameters():
        if trained and not name.startswith("log"):
            torch.nn.init.normal_(weight, std=0.3)
    return made.eval()


def curves(made, audio, *, embedding=None, pairs=PAIRS, max_lag=20):
    embedding = torch.zeros(*audio.shape[:2], 5) if embedding is None else embedding
    with torch.no_grad():
        return made(audio, embedding, pairs, max_lag=max_lag)[0]


def test_untrained_it_is_generalized_cross_correlation():
    audio = noise(1, 1, 3, 1000)
    config = replace(SMALL, floor=0.5, smoothing_hz=10.0)
    spectra = gcc.whitened_spectra(
        audio, sample_rate=RATE, pad=20, band_hz=config.band_hz, whitening=1.0, floor=0.5, smoothing_hz=10.0
    )
    bins = int(gcc.band_mask(2 * (spectra.shape[-1] - 1), sample_rate=RATE, band_hz=config.band_hz).sum())
    plain = gcc.correlate(spectra, PAIRS, max_lag=20, bins=bins)
    assert torch.allclose(curves(head(config, trained=False), audio), plain, atol=1e-5)


def test_masked_correlation_equals_literal():
    """With the lag network silent, the curves are those of the two masked sounds."""
    made, audio = head(), noise(2, 1, 2, 512)
    made.lag.requires_grad_(False)
    for weight in made.lag.parameters():
        weight.zero_()
    window = torch.hann_window(128)
    spectrogram = torch.stft(audio[0], 128, 32, window=window, pad_mode="constant", return_complex=True)
    with torch.no_grad():
        masks = made.mask(spectrogram.abs()[None], torch.ones(1, 2, dtype=torch.bool), torch.zeros(1, 2, 5))[0].numpy()

    def whiten(spectrum):
        frequency = np.linspace(0, RATE / 2, len(spectrum))
        inside = (frequency >= 100) & (frequency <= 7500)
        return inside / (np.abs(spectrum) + 1e-12)

    exact = head(replace(SMALL, floor=0.0, smoothing_hz=0.0))
    exact.load_state_dict(made.state_dict())
    fast = curves(exact, audio, pairs=PAIRS[:1], max_lag=512)[0, 0]
    x, y = audio[0].double().numpy()
    slow = reference.masked_correlation(x, y, *masks, frame=128, hop=32, whiten=whiten, lags=range(-9, 10))
    middle = len(fast) // 2
    assert masks.std() > 0.1
    assert np.allclose(fast[middle - 9 : middle + 10], slow, atol=2e-5)


def test_a_mask_hears_the_other_microphones_but_not_the_silent_ones():
    made, audio = head(), noise(3, 1, 4, 512)
    audio[:, 3] = 0.0

    def masks(sound, is_heard):
        spectrogram = torch.stft(sound.flatten(0, 1), 128, 32, window=torch.hann_window(128), return_complex=True)
        with torch.no_grad():
            return made.mask(spectrogram.abs()[None], torch.tensor([is_heard]), torch.zeros(1, len(spectrogram), 5))[0]

    both = masks(audio[:, :2], [True, True])
    assert not torch.allclose(both[0], masks(audio[:, [0, 2]], [True, True])[0], atol=1e-3)
    assert torch.allclose(both, masks(audio[:, [0, 1, 3]], [True, True, False])[:2], atol=1e-5)
    assert torch.allclose(both.flip(0), masks(audio[:, [1, 0]], [True, True]), atol=1e-5)


def test_log_likelihood_equals_literal(rng):
    positions, points = rng.uniform(0, 4, (3, 3)), rng.uniform(0, 4, (7, 3))
    table = rng.standard_normal((3, 801))
    gates = np.array([0.5, 0.0, 1.7])
    said = PairLikelihoods(
        curves=torch.from_numpy(table)[None], plain=torch.from_numpy(table)[None],
        coherence=torch.ones(1, 3), window_s=0.5, gates=torch.from_numpy(gates)[None, None], pairs=PAIRS,
        is_placed=torch.ones(1, 3, dtype=torch.bool),
        lags_a_second=32_000.0, sigma=0.02, sharpness=torch.tensor(0.4, dtype=torch.float64),
    )  # fmt: skip
    fast = said.at(torch.from_numpy(points)[None], torch.from_numpy(positions)[None], torch.tensor([340.0]).double())
    slow = [
        reference.log_likelihood(table, gates, PAIRS.tolist(), positions, p, 340.0, 32_000.0, 0.02, 0.4) for p in points
    ]
    assert np.allclose(fast[0, 0], slow, rtol=1e-5)


def test_look_up_by_hand():
    curve = torch.tensor([[[0.0, 1.0, 4.0]]])
    lags = torch.tensor([[[-1.0, -0.5, 0.0, 0.75, 1.0, 9.0, -9.0]]])
    assert torch.allclose(look_up(curve, lags), torch.tensor([[[0.0, 0.5, 1.0, 3.25, 4.0, 4.0, 0.0]]]), atol=0.01)


def test_moving_and_turning_the_room_changes_no_delay(rng):
    positions, points = torch.from_numpy(rng.uniform(0, 4, (1, 3, 3))), torch.from_numpy(rng.uniform(0, 4, (1, 9, 3)))
    turn, shift = torch.linalg.qr(torch.from_numpy(rng.standard_normal((3, 3)))).Q, torch.tensor([10.0, -5, 2]).double()
    speed = torch.tensor([343.0]).double()
    moved = delays(points @ turn + shift, positions @ turn + shift, PAIRS, speed)
    assert torch.allclose(moved, delays(points, positions, PAIRS, speed), atol=1e-12)


@pytest.mark.parametrize("weighting", ["mask", "coherence", "none"])
def test_the_order_of_microphones_only_turns_curves_round(weighting):
    audio, embedding = noise(3, 2, 3, 1000), noise(4, 2, 3, 5)
    made, order = head(replace(SMALL, weighting=weighting)), torch.tensor([2, 0, 1])
    plain = curves(made, audio, embedding=embedding)
    turned = curves(made, audio[:, order], embedding=embedding[:, order])
    expected = torch.stack([plain[:, 1].flip(-1), plain[:, 2].flip(-1), plain[:, 0]], dim=1)
    assert torch.allclose(turned, expected, atol=1e-5)


def test_gains_do_not_matter():
    audio, made = noise(5, 1, 3, 1000), head()
    louder = audio * torch.tensor([1000.0, 0.001, 1.0])[:, None]
    assert torch.allclose(curves(made, louder), curves(made, audio), atol=1e-4)


def test_a_shift_of_all_does_not_matter():
    """By whole hops of the spectrogram, with silence all round."""
    audio = torch.nn.functional.pad(noise(6, 1, 3, 600), (800, 800))
    made = head()
    assert torch.allclose(curves(made, audio.roll(64, dims=-1)), curves(made, audio), atol=1e-4)


def test_the_mask_listens_to_the_acoustic_token():
    audio, made = noise(7, 1, 3, 1000), head()
    assert not torch.allclose(curves(made, audio, embedding=torch.ones(1, 3, 5)), curves(made, audio), atol=1e-3)


def test_a_mask_that_points_at_the_clean_half_finds_what_plain_correlation_misses():
    """Half of the window is the source alone, half is loud noise: what the mask is for."""
    source, audio = noise(8, 2048), 5 * noise(9, 1, 2, 2048)
    audio[0, 0, :1024], audio[0, 1, :1024] = source[:1024], source[7 : 1024 + 7]
    made = head(replace(SMALL, floor=0.0, smoothing_hz=0.0), trained=False)
    plain = curves(made, audio, pairs=PAIRS[:1])[0, 0]

    class FirstHalf(torch.nn.Module):
        def forward(self, magnitude, is_heard, embedding):
            mask = torch.full_like(magnitude, 0.01)
            mask[..., : mask.shape[-1] // 2] = 1.0
            return mask

    made.mask = FirstHalf()
    masked = curves(made, audio, pairs=PAIRS[:1])[0, 0]
    assert int(masked.argmax()) == 20 + 7
    assert float(masked.max() / masked.std()) > 1.5 * float(plain.max() / plain.std())


def test_silence_and_a_dead_microphone_give_finite_curves_and_gradients():
    made = head()
    audio = noise(10, 2, 3, 1000)
    audio[0], audio[1, 2] = 0, 0
    audio.requires_grad_()
    values = made(audio, noise(11, 2, 3, 5), PAIRS, max_lag=20).curves
    assert torch.isfinite(values.detach()).all()
    values.square().sum().backward()
    gradients = [weight.grad for weight in made.parameters() if weight.grad is not None]
    assert all(torch.isfinite(g).all() for g in [audio.grad, *gradients])
    assert len(gradients) > 8


def test_even_taps_commute_with_a_flip():
    torch.manual_seed(0)
    layer, x = EvenConv(2, 3, 5), noise(12, 1, 2, 1, 30)
    assert torch.allclose(layer(x.flip(-1)), layer(x).flip(-1), atol=1e-6)


def gate(*, trained):
    torch.manual_seed(1)
    made = PairGate(5)
    if trained:
        torch.nn.init.normal_(made.last.weight)
    return made


def test_gates_are_one_untrained_and_zero_where_useless():
    is_useful = torch.tensor([[True, True, False]])
    gates = gate(trained=False)(noise(1, 1, 3, 5), noise(2, 1, 3, 5), noise(3, 1, 2, 5), PAIRS, is_useful)
    assert torch.equal(gates, torch.tensor([[[1.0, 1, 0], [1, 1, 0]]]))


def test_gates_do_not_mind_which_microphone_comes_first():
    made, mics, tokens, sources = gate(trained=True), noise(1, 1, 3, 5), noise(2, 1, 3, 5), noise(3, 1, 2, 5)
    useful = torch.ones(1, 3, dtype=torch.bool)
    gates = made(mics, tokens, sources, PAIRS, useful)
    assert torch.allclose(made(mics, tokens, sources, PAIRS.flip(1), useful), gates, atol=1e-6)
    assert float(gates.std().detach()) > 0.01
    assert not torch.allclose(gates[:, 0], gates[:, 1], atol=1e-3)


def test_what_was_cut_is_not_correlated(rng):
    """Two microphones share what is above 4 kHz, and have noise of their own below."""
    frequency = np.fft.rfftfreq(8000, 1 / RATE)
    shared, own = (np.fft.rfft(rng.standard_normal((n, 8000))) for n in (1, 2))
    sound = torch.from_numpy(np.fft.irfft(np.where(frequency > 4000, shared, own)).astype(np.float32))[None]
    head, pairs = LikelihoodHead(HeadConfig(weighting="none"), width=8), torch.tensor([[0, 1]])
    embedding = torch.zeros(1, 2, 8)
    whole, above = (head(sound, embedding, pairs, max_lag=50, lowest_hz=lowest_hz) for lowest_hz in (0.0, 4000.0))
    assert whole.plain.max() == pytest.approx(0.5, abs=0.06)
    assert above.plain.max() == pytest.approx(1.0, abs=0.02)
    assert above.sigma > 1.3 * whole.sigma


def said(partial=None, *, seed=0):
    """Curves of three microphones' pairs that agree on nothing."""
    made, plain = noise(seed, 2, 1, 3, 401)
    return PairLikelihoods(
        curves=made, plain=plain, gates=torch.tensor([[[0.2, 1.5, 0.7], [1.0, 0.0, 2.0]]]), partial=partial,
        coherence=torch.rand(1, 3), is_placed=torch.ones(1, 3, dtype=torch.bool), pairs=PAIRS, lags_a_second=RATE,
        sigma=1.0, sharpness=torch.tensor(0.3), window_s=0.5,
    )  # fmt: skip


PLACES, SPEED = torch.tensor([[[0.0, 0, 1], [3, 0, 1.2], [0, 2.5, 0.8]]]), torch.tensor([343.0])


def test_physics_is_the_plain_curves_with_all_pairs_alike():
    likelihoods, points = said(), 3 * noise(5, 1, 20, 3)
    tau = delays(points, PLACES, PAIRS, SPEED) * RATE
    wanted = 0.3 * look_up(likelihoods.plain, tau).sum(dim=1) / 3**0.5
    physics = likelihoods.physics
    assert torch.allclose(physics.at(points, PLACES, SPEED)[:, 0], wanted, atol=1e-5)
    assert physics.at(points, PLACES, SPEED).shape == (1, 1, 20)


def test_a_source_found_before_is_gone_from_the_partial_curves_too():
    source = torch.tensor([[[1.5, 1.0, 1.0]]])
    lag = (delays(source, PLACES, PAIRS, SPEED)[0, :, 0] * RATE).round().long() + 200
    partial = torch.zeros(1, 3, 401)
    partial[0, torch.arange(3), lag] = 1.0
    partial[:, :, 5] = 0.5
    there = torch.tensor([[True]])
    left = said(partial).without(source, there, PLACES, SPEED)
    assert torch.equal(left.partial[0, :, 5], torch.full((3,), 0.5))
    assert float(left.partial.max()) == 0.5
    assert said().without(source, there, PLACES, SPEED).partial is None
    assert [len(each.unmasked) for each in (left, said())] == [2, 1]


@pytest.mark.parametrize("lags", [4, 5, 30])
def test_one_output_is_the_same_where_nothing_is_learned(lags):
    layer = EvenConv(3, 1, 9)
    rows = noise(40, 5, 3, 1, lags).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        quicker = layer(rows)
    assert quicker.shape == (5, 1, 1, lags)
    assert torch.allclose(quicker, layer(rows), atol=1e-6)


def test_pairs_are_corrected_a_few_at_a_time_where_nothing_is_learned(monkeypatch):
    network, curves = LagNetwork(2, 4, 5), torch.randn(1, 7, 2, 50)
    torch.nn.init.normal_(network.last.weight)
    whole, seen = network(curves), []
    monkeypatch.setattr(likelihood, "LAGS_AT_ONCE", 120)
    network.first.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    with torch.inference_mode():
        assert torch.allclose(network(curves), whole, atol=1e-6)
    assert seen == [2, 2, 2, 1]
    network(curves)
    assert seen[4:] == [7]
