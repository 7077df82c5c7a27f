import numpy as np
import pytest
import torch

from helpers import reference
from soundfix.signal import gcc
from soundfix.signal.arrays import lower_median

RATE, BAND = 16_000.0, (100.0, 7900.0)


def correlate(x, *, max_lag=20, whitening=1.0, floor=0.0, band=BAND):
    spectra = gcc.whitened_spectra(x, sample_rate=RATE, pad=max_lag, band_hz=band, whitening=whitening, floor=floor)
    bins = int(gcc.band_mask(2 * (spectra.shape[-1] - 1), sample_rate=RATE, band_hz=band).sum())
    return gcc.correlate(spectra, torch.tensor([[0, 1]]), max_lag=max_lag, bins=bins)[0]


def noise(rng, *shape):
    return torch.tensor(rng.standard_normal(shape), dtype=torch.float32)


@pytest.mark.parametrize("delay", [-7, 0, 7])
def test_sign_order_and_padding(rng, delay):
    """Microphone 0 hears a click `delay` samples after microphone 1: the peak is at +delay, and never wraps round."""
    click = torch.zeros(2, 400)
    click[0, 10 + max(delay, 0)], click[1, 10 - min(delay, 0)] = 1.0, 1.0
    curve = correlate(click)
    assert len(curve) == 41
    assert int(curve.argmax()) - 20 == delay
    assert float(curve.max()) == pytest.approx(1.0, abs=0.05)


def test_a_delay_beyond_the_window_does_not_come_back_at_the_other_end(rng):
    """Without zero padding a click at the end and one at the start would look 5 samples apart."""
    click = torch.zeros(2, 400)
    click[0, 2], click[1, 397] = 1.0, 1.0
    assert float(correlate(click).abs().max()) < 0.2


def test_equals_the_literal_sum(rng):
    x = noise(rng, 2, 60)
    fast = correlate(x, max_lag=5)
    length = 2 * (gcc.whitened_spectra(x, sample_rate=RATE, pad=5, band_hz=BAND, whitening=1.0).shape[-1] - 1)
    slow = reference.correlation(x[0].tolist(), x[1].tolist(), range(-5, 6), BAND, RATE, length)
    assert np.allclose(fast, slow, atol=1e-5)


@pytest.mark.parametrize("floor", [0.0, 0.5])
def test_gains_do_not_matter_and_identical_channels_reach_one(rng, floor):
    x = noise(rng, 1, 4000).repeat(2, 1)
    loud = x * torch.tensor([[1e-3], [1e3]])
    assert float(correlate(x, floor=floor)[20]) == pytest.approx(1.0, abs=1e-4)
    assert torch.allclose(correlate(loud, floor=floor), correlate(x, floor=floor), atol=1e-4)


def test_unrelated_channels_have_the_stated_noise_level(rng):
    x = noise(rng, 2, 8000)
    curve = correlate(x, max_lag=600)
    spectra = gcc.whitened_spectra(x, sample_rate=RATE, pad=600, band_hz=BAND, whitening=1.0)
    bins = int(gcc.band_mask(2 * (spectra.shape[-1] - 1), sample_rate=RATE, band_hz=BAND).sum())
    assert float(curve.std()) == pytest.approx(gcc.noise_level(bins), rel=0.1)


def test_whitening_zero_is_the_plain_correlation(rng):
    x = noise(rng, 2, 500)
    plain = correlate(x, whitening=0.0, band=(0.0, 8000.0))
    direct = np.correlate(x[0].numpy(), x[1].numpy(), "full")[499 - 20 : 499 + 21]
    assert np.corrcoef(plain.numpy(), direct)[0, 1] > 0.99


def test_the_floor_quietens_frequencies_that_hold_only_noise(rng):
    """A strong sound below 2 kHz and faint unrelated noise above: the floor keeps the noise out of the peak."""
    common = torch.fft.irfft(torch.fft.rfft(noise(rng, 8000)) * (torch.fft.rfftfreq(8000, 1 / RATE) < 2000), n=8000)
    x = common.repeat(2, 1) + 0.01 * noise(rng, 2, 8000)
    assert float(correlate(x, floor=0.5)[20]) > 1.4 * float(correlate(x, floor=0.0)[20])


def test_the_band_limits_what_is_heard(rng):
    x = noise(rng, 1, 4000).repeat(2, 1)
    x[1] = torch.fft.irfft(torch.fft.rfft(x[1]) * (torch.fft.rfftfreq(4000, 1 / RATE) < 3000), n=4000)
    assert float(correlate(x, band=(100.0, 2900.0)).max()) > 0.9


def test_silence_and_a_dead_microphone_give_finite_numbers_and_gradients(rng):
    x = noise(rng, 2, 1000)
    x[1] = 0
    for audio in (x, torch.zeros(2, 1000)):
        audio = audio.clone().requires_grad_()
        curve = correlate(audio, floor=0.5)
        curve.sum().backward()
        assert torch.isfinite(curve).all()
        assert torch.isfinite(audio.grad).all()


def test_upsampling_keeps_the_original_lags_and_interpolates_a_tone():
    lags = torch.arange(-100, 101)
    tone = torch.cos(2 * torch.pi * 0.4 * lags)
    fine = gcc.upsample(tone, 4)
    assert torch.allclose(fine[::4], tone, atol=1e-6)
    expected = torch.cos(2 * torch.pi * 0.4 * torch.arange(-400, 401) / 4)
    assert torch.allclose(fine[100:-100], expected[100:-100], atol=0.003)


@pytest.mark.parametrize("pad", [0, 7, 100])
def test_spectra_are_padded_by_what_was_asked(pad):
    spectra = gcc.whitened_spectra(torch.ones(1, 1000), sample_rate=RATE, pad=pad, band_hz=BAND, whitening=1.0)
    assert 2 * (spectra.shape[-1] - 1) >= 1000 + pad


def test_floor_zero_is_plain_phat(rng):
    """Inside the band every bin of every channel has the same magnitude, 1; outside none has any."""
    x = torch.cumsum(noise(rng, 3, 2000), dim=-1) * torch.tensor([[1.0], [1e-2], [50.0]])
    spectra = gcc.whitened_spectra(x, sample_rate=RATE, pad=50, band_hz=BAND, whitening=1.0, floor=0.0)
    inside = torch.from_numpy(gcc.band_mask(2 * (spectra.shape[-1] - 1), sample_rate=RATE, band_hz=BAND)) > 0
    assert torch.allclose(spectra[:, inside].abs(), torch.ones(3, int(inside.sum())), atol=1e-3)
    assert float(spectra[:, ~inside].abs().max()) == 0


def test_partial_whitening_lies_between(rng):
    x = torch.cumsum(noise(rng, 1, 4000), dim=-1)

    def unevenness(whitening):
        spectra = gcc.whitened_spectra(x, sample_rate=RATE, pad=0, band_hz=BAND, whitening=whitening).abs()
        return float(spectra.std())

    assert unevenness(1.0) < 0.5 * unevenness(0.5) < 0.5 * unevenness(0.0)


def test_swapping_the_microphones_mirrors_the_curve(rng):
    x = noise(rng, 2, 1000)
    assert torch.allclose(correlate(x.flip(0)), correlate(x).flip(-1), atol=1e-5)


def test_inverted_polarity_turns_the_curve_over(rng):
    x = noise(rng, 2, 1000)
    assert torch.allclose(correlate(x * torch.tensor([[1.0], [-1.0]])), -correlate(x), atol=1e-5)


@pytest.mark.parametrize("samples", [-3.25, -1.0, 0.5, 6.75])
def test_advance_moves_a_late_channel_to_where_it_belongs(rng, samples):
    """Microphone 0 is late by a fraction of a sample; once told, the peak is at zero."""
    x = noise(rng, 1, 4000).repeat(2, 1)
    spectra = gcc.whitened_spectra(x, sample_rate=RATE, pad=20, band_hz=BAND, whitening=1.0)
    late = gcc.advance(spectra, np.array([-samples / RATE, 0.0]), sample_rate=RATE)
    bins = int(gcc.band_mask(2 * (spectra.shape[-1] - 1), sample_rate=RATE, band_hz=BAND).sum())
    fine = gcc.upsample(gcc.correlate(late, torch.tensor([[0, 1]]), max_lag=20, bins=bins), 4)[0]
    assert (int(fine.argmax()) - 80) / 4 == pytest.approx(samples)
    back = gcc.advance(late, np.array([samples / RATE, 0.0]), sample_rate=RATE)
    assert torch.allclose(back, spectra, atol=1e-4)


def test_leading_axes_change_nothing(rng):
    x = noise(rng, 2, 3, 2, 500)
    spectra = gcc.whitened_spectra(x, sample_rate=RATE, pad=9, band_hz=BAND, whitening=1.0, floor=0.5)
    curves = gcc.upsample(gcc.correlate(spectra, torch.tensor([[0, 1]]), max_lag=9, bins=100), 3)
    alone = gcc.whitened_spectra(x[1, 2], sample_rate=RATE, pad=9, band_hz=BAND, whitening=1.0, floor=0.5)
    one = gcc.upsample(gcc.correlate(alone, torch.tensor([[0, 1]]), max_lag=9, bins=100), 3)
    assert torch.allclose(curves[1, 2], one, atol=1e-5)


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_upsampling_finds_a_peak_between_lags(factor):
    lags = torch.arange(-40, 41)
    fine = gcc.upsample(torch.sinc(0.8 * (lags - 1 / factor)), factor)
    assert int(fine.argmax()) == 40 * factor + 1


@pytest.mark.parametrize("floor", [0.0, 0.5])
def test_a_band_without_bins_is_silence(rng, floor):
    spectra = gcc.whitened_spectra(
        noise(rng, 2, 150), sample_rate=150.0, pad=5, band_hz=BAND, whitening=1.0, floor=floor
    )
    assert float(spectra.abs().max()) == 0


@pytest.mark.parametrize("count", [1, 2, 9, 10])
def test_the_median_is_the_lower_one(rng, count):
    values = torch.from_numpy(rng.standard_normal((3, 2, count)).astype(np.float32))
    assert torch.equal(lower_median(values), values.median(dim=-1, keepdim=True).values)
    values.requires_grad_()
    lower_median(values).sum().backward()
    assert values.grad.sum() == 6


@pytest.mark.parametrize(("lags", "factor"), [(1, 3), (15, 2), (16, 2), (17, 4), (100, 3)])
def test_upsampling_equals_the_literal_convolution(rng, lags, factor):
    values = torch.from_numpy(rng.standard_normal((2, lags)).astype(np.float32))
    padded = torch.nn.functional.pad(values[:, None], (gcc.TAPS_EACH_SIDE - 1, gcc.TAPS_EACH_SIDE))
    phases = torch.nn.functional.conv1d(padded, torch.from_numpy(gcc.interpolation_kernel(factor))[:, None])
    literal = phases.transpose(1, 2).flatten(1)[:, : factor * (lags - 1) + 1]
    assert torch.allclose(gcc.upsample(values, factor), literal, atol=1e-5)


def test_arrays_and_tensors_correlate_alike(rng):
    """Classical methods correlate arrays, without PyTorch; networks learn through tensors."""
    sound, pairs = rng.standard_normal((3, 1500)).astype(np.float32), np.array([[0, 1], [1, 2]])
    how = {"sample_rate": RATE, "pad": 40, "band_hz": BAND, "whitening": 0.8, "floor": 0.5, "smoothing_hz": 60.0}

    def heard(audio, numbers):
        spectra = gcc.whitened_spectra(gcc.faded(audio, RATE), **how)
        early = gcc.advance(spectra, np.array([0.0, 1e-4, -2e-4]), sample_rate=RATE)
        return early, gcc.upsample(gcc.correlate(early, numbers, max_lag=40, bins=500), 3)

    (array, curves), (tensor, same) = heard(sound, pairs), heard(torch.from_numpy(sound), torch.from_numpy(pairs))
    assert (array.dtype, curves.dtype) == (np.complex64, np.float32)
    assert np.allclose(array, tensor.numpy(), atol=1e-4 * np.abs(array).max())
    assert np.allclose(curves, same.numpy(), atol=1e-4 * np.abs(curves).max())
    assert curves.shape == (2, 3 * 80 + 1)


@pytest.mark.parametrize("rate", [8000.0, 16_000.0, 44_100.0])
def test_bins_on_the_edge_of_a_band_are_in_it_as_networks_have_learned(rate):
    for length in range(2000, 20_000, 160):
        frequency = torch.fft.rfftfreq(length, 1 / rate)
        is_inside = (frequency >= 100.0) & (frequency <= 7900.0)
        assert np.array_equal(gcc.band_mask(length, sample_rate=rate, band_hz=BAND), is_inside.float().numpy())


def test_turns_are_exponentials():
    step = np.array([0.0, 0.3, -1.7])
    assert gcc.turns(step, 1001) == pytest.approx(np.exp(1j * step[:, None] * np.arange(1001)), abs=2e-6)
