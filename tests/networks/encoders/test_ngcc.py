"""NGCC-PHAT: the published weights give the published logits; pairs, lags, levels and files."""

import math
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from helpers import DATA
from soundfix.errors import CheckpointError, SceneError
from soundfix.networks.encoders import ngcc
from soundfix.networks.encoders.ngcc import Ngcc, NgccConfig, SincFilters, lag_amplitudes

PUBLISHED = DATA / "ngcc_phat_librispeech.safetensors"
SMALL = NgccConfig(channels=6, sinc_taps=63, max_lag=20)
SEEN = 14  # lags either side that the head sees: (11 + 9 + 7 + 5 - 4) / 2
PAIRS = torch.tensor([[0, 1], [0, 2], [1, 2], [2, 0]])


@pytest.fixture(scope="module")
def published() -> Ngcc:
    return ngcc.load(PUBLISHED)


@pytest.fixture(scope="module")
def reference() -> dict[str, torch.Tensor]:
    with np.load(DATA / "ngcc_phat_reference.npz") as stored:
        return {name: torch.from_numpy(stored[name]) for name in stored}


@pytest.fixture
def small() -> Ngcc:
    """A small network that has trained a little: BatchNorm statistics that matter."""
    torch.manual_seed(20_505)
    network = Ngcc(SMALL)
    for _ in range(20):
        network(torch.randn(4, 1, 256), torch.randn(4, 1, 256))
    return network.eval()


@pytest.fixture
def audio() -> torch.Tensor:
    return torch.randn(2, 3, 256, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_published_logits(published, reference):
    difference = published(reference["x1"], reference["x2"]) - reference["logits"]
    assert difference.abs().max() < 1e-3  # measured: 1.5e-5, of logits up to 23


def test_published_gcc_phat(reference):
    found = Ngcc.correlate(reference["x1"], reference["x2"], max_lag=23)
    torch.testing.assert_close(found, reference["gcc_phat"], atol=1e-6, rtol=0)


@torch.no_grad()
def test_x1_leads_where_x2_is_late(published, reference):
    lags = published(reference["x1"], reference["x2"]).argmax(dim=-1) - 23
    assert (lags + reference["true_delay_of_x2_samples"]).abs().max() <= 1


def test_size_is_the_published_one(published):
    assert sum(parameter.numel() for parameter in published.parameters()) == 888_193
    assert published.config == NgccConfig()
    assert not published.training


@pytest.mark.parametrize("late", [-9, 0, 4])
def test_x_late_by_k_samples_peaks_at_lag_k(late):
    x, y = torch.zeros(1, 2, 64), torch.zeros(1, 2, 64)
    x[..., 30 + late], y[..., 30] = 1.0, 1.0
    curve = Ngcc.correlate(x, y, max_lag=10)
    wanted = torch.zeros(1, 2, 21)
    wanted[..., 10 + late] = 1 / (1 + ngcc.FLOOR)
    torch.testing.assert_close(curve, wanted, atol=1e-6, rtol=0)


def test_correlation_is_its_literal_form(rng):
    """Sum over the frequencies of 2N samples, one channel and one lag at a time."""
    x, y = rng.standard_normal((2, 3, 8))
    turns = np.exp(-2j * np.pi * np.outer(np.arange(16), np.arange(16)) / 16)
    for channel in range(3):
        cross = (turns[:, :8] @ x[channel]) * np.conj(turns[:, :8] @ y[channel])
        whitened = cross / (np.abs(cross) + 1e-3)
        literal = [np.mean(whitened * np.exp(2j * np.pi * np.arange(16) * lag / 16)).real for lag in range(-7, 8)]
        found = Ngcc.correlate(torch.from_numpy(x), torch.from_numpy(y), max_lag=7)[channel]
        np.testing.assert_allclose(found, literal, atol=1e-12)


def test_no_lag_wanted_is_one_lag_given():
    assert Ngcc.correlate(torch.ones(1, 8), torch.ones(1, 8), max_lag=0).shape == (1, 1)


def test_lags_beyond_the_window_are_refused(small, audio):
    with pytest.raises(SceneError, match="lags up to 256 samples of a window of 256, wanted at most 255"):
        small.pairs(audio, PAIRS, max_lag=256)


@pytest.mark.parametrize("channel", [0, 60, 127])
def test_sinc_filter_is_its_literal_form(published, channel):
    sinc = published.backbone.conv[0]
    low = 50 + abs(sinc.low_hz_[channel].item())
    high = min(low + 50 + abs(sinc.band_hz_[channel].item()), 8000)
    literal = [1.0] * 1023
    for k in range(511):
        time_s = (k - 511) / 16_000
        window = 0.54 - 0.46 * math.cos(2 * math.pi * (k * 510.5 / 510) / 1023)
        band = math.sin(2 * math.pi * high * time_s) - math.sin(2 * math.pi * low * time_s)
        literal[k] = literal[1022 - k] = band / (2 * math.pi * time_s * (high - low)) * window
    np.testing.assert_allclose(sinc.filters()[channel].detach(), literal, atol=2e-5)


def test_sinc_filter_passes_half_the_amplitude_at_its_cuts():
    sinc = SincFilters(NgccConfig(channels=20))
    low = 50 + sinc.low_hz_.detach()[:, 0].abs()
    high = low + 50 + sinc.band_hz_.detach()[:, 0].abs()
    gain = torch.fft.rfft(sinc.filters().detach(), n=16_000).abs()  # a bin is 1 Hz
    is_passed = gain > gain.amax(dim=1, keepdim=True) / 2
    first, last = is_passed.int().argmax(dim=1), 8000 - is_passed.flip(1).int().argmax(dim=1)
    assert (first - low).abs().max() < 10
    assert (last - high).abs().max() < 10


def test_band_ends_at_half_the_sample_rate():
    sinc = SincFilters(SMALL)
    narrow = sinc.filters().detach()
    with torch.no_grad():
        sinc.band_hz_[:] = 50_000.0
        wide = sinc.filters()
        sinc.band_hz_[:] = 90_000.0
    assert torch.equal(wide, sinc.filters()), "both end at 8 kHz"
    assert not torch.allclose(wide, narrow, atol=0.1)


def test_negative_frequencies_count_as_positive():
    sinc, mirrored = SincFilters(SMALL), SincFilters(SMALL)
    with torch.no_grad():
        mirrored.low_hz_.neg_(), mirrored.band_hz_.neg_()
    assert torch.equal(sinc.filters(), mirrored.filters())


def test_bands_before_training_are_equally_spaced_in_mel():
    edges = ngcc.mel_edges(128, sample_rate=16_000.0).double()
    mel = 2595 * torch.log10(1 + edges / 700)
    assert edges[0].item() == pytest.approx(30)
    assert edges[-1].item() == pytest.approx(7900)
    torch.testing.assert_close(mel.diff(), mel.diff().mean().expand(128), atol=1e-3, rtol=0)


@pytest.mark.parametrize("length", [20, 63, 200])
def test_windows_of_any_length_wrap_round(length):
    """Shorter than a filter too: circular convolution with the filter folded onto the window."""
    sinc, audio = SincFilters(SMALL), torch.randn(2, 1, length)
    folded = torch.zeros(6, length)
    folded.index_add_(1, torch.arange(-31, 32) % length, sinc.filters().detach())
    literal = torch.fft.irfft(torch.fft.rfft(audio) * torch.fft.rfft(folded), n=length)
    torch.testing.assert_close(sinc(audio), literal, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_backbone_commutes_with_circular_shifts(small, audio):
    sound = audio[:, :1]
    torch.testing.assert_close(small.backbone(sound.roll(37, -1)), small.backbone(sound).roll(37, -1))


@torch.no_grad()
def test_pairs_are_forward_pair_by_pair(small, audio):
    found = small.pairs(audio, PAIRS, is_symmetric=False)
    for k, (i, j) in enumerate(PAIRS.tolist()):
        torch.testing.assert_close(found[:, k], small(audio[:, i : i + 1], audio[:, j : j + 1]), atol=1e-5, rtol=0)


@torch.no_grad()
def test_published_pairs_are_forward(published, reference):
    both = torch.cat([reference["x1"], reference["x2"]], dim=1)[:2]
    found = published.pairs(both, torch.tensor([[0, 1]]), is_symmetric=False)[:, 0]
    torch.testing.assert_close(found, reference["logits"][:2], atol=1e-3, rtol=0)


def test_one_backbone_pass_a_microphone(small, audio):
    seen: list[int] = []
    small.backbone.register_forward_hook(lambda _module, given, _made: seen.append(len(given[0])))
    small.pairs(audio, PAIRS)
    assert seen == [2 * 3]


@torch.no_grad()
def test_order_of_a_pair_only_flips_its_lags(small, audio):
    ahead, back = (small.pairs(audio, torch.tensor([pair])) for pair in ([0, 1], [1, 0]))
    torch.testing.assert_close(back, ahead.flip(-1), atol=1e-5, rtol=0)


@torch.no_grad()
def test_published_head_is_not_symmetric(small, audio):
    ahead, back = (small.pairs(audio, torch.tensor([pair]), is_symmetric=False) for pair in ([0, 1], [1, 0]))
    assert (back - ahead.flip(-1)).abs().max() > 1e-3
    symmetric = small.pairs(audio, torch.tensor([[0, 1]]))
    torch.testing.assert_close(symmetric, (ahead + back.flip(-1)) / 2, atol=1e-5, rtol=0)


@torch.no_grad()
def test_order_of_microphones_does_not_matter(small, audio):
    order = torch.tensor([2, 0, 1])
    there = torch.argsort(order)[PAIRS]
    torch.testing.assert_close(small.pairs(audio[:, order], there), small.pairs(audio, PAIRS), atol=1e-5, rtol=0)


@torch.no_grad()
def test_more_lags_change_only_the_outermost(small, audio):
    few, many = (small.pairs(audio, PAIRS, max_lag=lag) for lag in (20, 40))
    same_lags = many[..., 20:61]
    inner = slice(SEEN, 41 - SEEN)
    torch.testing.assert_close(few[..., inner], same_lags[..., inner], atol=1e-5, rtol=0)
    assert (few - same_lags).abs().amax(dim=(0, 1)).argmax() in (*range(SEEN), *range(41 - SEEN, 41))
    assert not torch.allclose(few, same_lags, atol=1e-4)


@torch.no_grad()
def test_a_few_pairs_at_a_time_make_no_difference(small, audio, monkeypatch):
    at_once = small.pairs(audio, PAIRS)
    monkeypatch.setattr(ngcc, "PAIR_VALUES", 1)
    torch.testing.assert_close(small.pairs(audio, PAIRS), at_once, atol=1e-5, rtol=0)


def test_training_sees_all_pairs_at_once(small, audio, monkeypatch):
    monkeypatch.setattr(ngcc, "PAIR_VALUES", 1)
    seen: list[int] = []
    small.mlp[0].register_forward_hook(lambda _module, given, _made: seen.append(len(given[0])))
    small.train().pairs(audio, PAIRS)
    assert seen == [2 * 2 * len(PAIRS)], "both directions of every pair of the batch"


@torch.no_grad()
def test_gain_of_one_microphone_moves_no_published_peak(published, reference):
    """Near the level of the training. The logits do change: BatchNorm adds what was learned at that level."""
    as_given = published(reference["x1"], reference["x2"])
    for gain in (0.5, 2.0):
        louder = published(gain * reference["x1"], reference["x2"])
        assert torch.equal(louder.argmax(dim=-1), as_given.argmax(dim=-1))
        assert (louder - as_given).abs().max() > 0.01


def test_correlation_hardly_knows_the_gain_of_loud_channels(audio):
    """Whitening divides the gain out but for the floor: a share 1e-3 / |X conj(Y)| of every frequency."""
    x, y = audio[:, 0], audio[:, 1]
    as_given, louder = (Ngcc.correlate(gain * x, y, max_lag=20) for gain in (1.0, 100.0))
    assert 0 < (louder - as_given).abs().max() < 1e-3


@pytest.mark.parametrize("is_training", [False, True])
def test_silence_and_a_dead_microphone_stay_finite(small, audio, is_training):
    audio[0] = 0.0
    audio[1, 2] = 0.0
    audio.requires_grad_()
    logits = small.train(is_training).pairs(audio, PAIRS)
    logits.logsumexp(dim=-1).sum().backward()
    assert bool(torch.isfinite(logits).all())
    assert audio.grad is not None
    assert bool(torch.isfinite(audio.grad).all())
    assert all(bool(torch.isfinite(parameter.grad).all()) for parameter in small.parameters())


def test_every_weight_learns(small, audio):
    """But the biases before a BatchNorm, which takes them out again."""
    small.train().pairs(audio, PAIRS).square().mean().backward()
    for name, parameter in small.named_parameters():
        is_taken_out = name.endswith(".bias") and (".conv." in name or name.endswith(".0.bias"))
        assert is_taken_out or parameter.grad.abs().max() > 1e-6, name


def test_dropout_is_that_of_the_configuration(small, audio):
    small.train()
    assert not torch.equal(small.head(torch.ones(1, 6, 41)), small.head(torch.ones(1, 6, 41)))
    assert all(layer[3].p == 0.0 for layer in Ngcc(NgccConfig(channels=6, dropout=0.0)).mlp)


def test_saved_and_loaded_is_the_same(small, audio, tmp_path):
    ngcc.save(small, tmp_path / "small.safetensors")
    again = ngcc.load(tmp_path / "small.safetensors")
    assert again.config == SMALL
    assert torch.equal(again.pairs(audio, PAIRS), small.pairs(audio, PAIRS))
    assert [path.name for path in tmp_path.iterdir()] == ["small.safetensors"]


def test_published_format_converts_unchanged(tmp_path):
    weights = load_file(PUBLISHED)
    torch.save(weights, tmp_path / "model.pth")
    ngcc.convert(tmp_path / "model.pth", tmp_path / "model.safetensors")
    found = load_file(tmp_path / "model.safetensors")
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], weights[name]) for name in weights)


def test_largest_lag_can_be_given_when_loading(small, audio, tmp_path):
    ngcc.save(small, tmp_path / "small.safetensors")
    again = ngcc.load(str(tmp_path / "small.safetensors"), max_lag=30)
    assert again(audio[:, :1], audio[:, 1:2]).shape == (2, 61)


def _without(weights):
    del weights["final_conv.bias"]


def _with_more(weights):
    weights["reg.1.weight"] = torch.zeros(1, 47)


def _reshaped(weights):
    weights["mlp.1.0.weight"] = torch.zeros(128, 128, 11)


def _not_finite(weights):
    weights["backbone.conv.0.low_hz_"][3] = math.nan


def _infinite(weights):
    weights["backbone.bn.2.running_var"][5] = math.inf


DAMAGES = [
    (_without, "lacks final_conv.bias"),
    (_with_more, "holds reg.1.weight, which NGCC-PHAT has no place for"),
    (_reshaped, r"mlp.1.0.weight has shape \(128, 128, 11\), wanted \(128, 128, 9\)"),
    (_not_finite, "backbone.conv.0.low_hz_ holds NaN or Inf"),
    (_infinite, "backbone.bn.2.running_var holds NaN or Inf"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGES)
def test_damaged_weights_are_refused_by_name(damage, message, tmp_path):
    weights = load_file(PUBLISHED)
    damage(weights)
    torch.save(weights, tmp_path / "model.pth")
    with pytest.raises(CheckpointError, match=message):
        ngcc.load(tmp_path / "model.pth")
    ours = tmp_path / "model.safetensors"
    save_file(weights, ours, {"ngcc": "1", "config": "{}"})
    with pytest.raises(CheckpointError, match=message):
        ngcc.load(ours)


class Dangerous:
    def __reduce__(self):
        return (Path.touch, (Path("was_run"),))


def test_pickled_code_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"final_conv.bias": Dangerous()}, tmp_path / "model.pth")
    with pytest.raises(CheckpointError, match="holds pickled code, which is never run: wanted plain tensors"):
        ngcc.load(tmp_path / "model.pth")
    Path("bare.pth").write_bytes(pickle.dumps({"final_conv.bias": Dangerous()}))
    with pytest.raises(CheckpointError, match="or is it a bare pickle"):
        ngcc.load("bare.pth")
    assert not Path("was_run").exists()


def test_half_a_file_is_refused(tmp_path):
    torch.save(load_file(PUBLISHED), tmp_path / "whole.pth")
    for whole, name in ((tmp_path / "whole.pth", "half.pth"), (PUBLISHED, "half.safetensors")):
        (tmp_path / name).write_bytes(whole.read_bytes()[:100_000])
        with pytest.raises(CheckpointError, match="was the copy cut short"):
            ngcc.load(tmp_path / name)


def test_other_files_are_refused(tmp_path):
    torch.save({"cfg": {"layers": 2}, "model": {}}, tmp_path / "beats.pt")
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    save_file({"weight": torch.zeros(1)}, tmp_path / "odd.safetensors", {"ngcc": "1", "config": '{"channels": "many"}'})
    for name, message in [
        ("beats.pt", "is no plain state dict of NGCC-PHAT"),
        ("other.safetensors", "was not written by soundfix.networks.encoders.ngcc.save"),
        ("odd.safetensors", "its configuration cannot be built"),
        ("absent.pth", "there is no such file"),
    ]:
        with pytest.raises(CheckpointError, match=message):
            ngcc.load(tmp_path / name)


def test_amplitudes_are_roots_of_probabilities():
    """Of one norm whatever the logits; a common level means nothing, and what is on a peak is seen."""
    logits = torch.randn(3, 5, 41, generator=torch.Generator().manual_seed(0))
    logits[..., 20] += 8.0
    amplitudes = lag_amplitudes(logits)
    assert torch.allclose(amplitudes.norm(dim=-1), torch.full((3, 5), 40.0), atol=1e-3)
    assert torch.allclose(lag_amplitudes(logits - 3.4), amplitudes, atol=1e-3)
    assert torch.allclose((amplitudes / 40) ** 2, logits.softmax(dim=-1), atol=1e-6)
    assert float((amplitudes[..., 20] / 40).min()) > 0.9
