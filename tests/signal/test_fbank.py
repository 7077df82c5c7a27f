"""Log-mel spectra: the published vectors, one frame computed sample by sample, and what must not change them."""

import math

import numpy as np
import pytest
import torch

from helpers import DATA
from soundfix.errors import SceneError
from soundfix.signal import fbank

REFERENCE = DATA / "beats_tiny.npz"


def slow_frame(samples: np.ndarray) -> list[float]:
    """Kaldi's recipe for 400 samples, one number at a time."""
    mean = sum(samples) / 400
    centred = [x - mean for x in samples]
    lifted = [centred[t] - 0.97 * centred[max(0, t - 1)] for t in range(400)]
    window = [(0.5 - 0.5 * math.cos(2 * math.pi * t / 399)) ** 0.85 for t in range(400)]
    turns = np.exp(-2j * np.pi * np.outer(np.arange(257), np.arange(400)) / 512)
    power = np.abs(turns @ (np.array(lifted) * window)) ** 2
    mel = [1127 * math.log(1 + k * 31.25 / 700) for k in range(257)]
    low, high = 1127 * math.log(1 + 20 / 700), 1127 * math.log(1 + 8000 / 700)
    step = (high - low) / 129
    return [math.log(max(2.0**-23, triangle(power, mel, low + m * step, step))) for m in range(128)]


def triangle(power: np.ndarray, mel: list[float], left: float, step: float) -> float:
    return sum(p * max(0.0, 1 - abs(m - left - step) / step) for p, m in zip(power, mel, strict=True))


def test_reference():
    reference = np.load(REFERENCE)
    ours = fbank.normalized_log_mel(torch.from_numpy(reference["waveform"]))
    np.testing.assert_allclose(ours, reference["fbank"], atol=1e-4)  # reached: 3e-5


def test_slow_literal_form(rng):
    sound = rng.normal(size=720) * 1000 + 300
    ours = fbank.log_mel(torch.from_numpy(sound))
    slow = [slow_frame(sound[start : start + 400]) for start in (0, 160, 320)]
    np.testing.assert_allclose(ours, slow, atol=1e-9)


def test_leading_axes(rng):
    sound = torch.from_numpy(rng.normal(size=(2, 3, 1000)))
    together = fbank.log_mel(sound)
    assert together.shape == (2, 3, 4, 128)
    torch.testing.assert_close(together[1, 2], fbank.log_mel(sound[1, 2]))


def test_only_whole_frames():
    assert [fbank.frame_count(n) for n in (0, 399, 400, 559, 560, 16_000)] == [0, 0, 1, 1, 2, 98]
    assert [len(fbank.log_mel(torch.zeros(n))) for n in (400, 559, 560, 16_000)] == [1, 1, 2, 98]


def test_shift_by_a_hop(rng):
    sound = torch.from_numpy(rng.normal(size=2000))
    torch.testing.assert_close(fbank.log_mel(sound[160:]), fbank.log_mel(sound)[1:])


def test_gain_adds_and_offset_does_not(rng):
    sound = torch.from_numpy(rng.normal(size=2000)) * 100
    spectrum, is_empty = fbank.log_mel(sound), torch.arange(128) == 3
    torch.testing.assert_close(fbank.log_mel(2 * sound), spectrum + math.log(4) * ~is_empty)
    torch.testing.assert_close(fbank.log_mel(sound + 500), spectrum)


def test_one_triangle_is_empty():
    """It is narrower than the 31 Hz between two points of the spectrum, and falls between them."""
    assert np.flatnonzero(fbank.mel_bank().sum(axis=0) == 0).tolist() == [3]


@pytest.mark.parametrize("frequency_hz", [250.0, 1000.0, 5000.0])
def test_tone_is_loudest_in_its_bin(frequency_hz):
    sound = torch.sin(2 * torch.pi * frequency_hz * torch.arange(800) / 16_000)
    low, high = 1127 * math.log1p(20 / 700), 1127 * math.log1p(8000 / 700)
    place = (1127 * math.log1p(frequency_hz / 700) - low) / (high - low) * 129 - 1
    assert (fbank.normalized_log_mel(sound).argmax(dim=-1) - place).abs().max() <= 2


def test_normalisation():
    """Sound in [-1, 1] is taken for 16-bit values; then mean and twice the deviation of the training set."""
    sound = torch.sin(torch.arange(800.0))
    torch.testing.assert_close(fbank.normalized_log_mel(sound), (fbank.log_mel(32768 * sound) - 15.41663) / 13.11164)


def test_silence_is_finite():
    sound = torch.zeros(2, 800, requires_grad=True)
    spectrum = fbank.normalized_log_mel(sound)
    spectrum.sum().backward()
    torch.testing.assert_close(spectrum, torch.full_like(spectrum, (math.log(2.0**-23) - 15.41663) / 13.11164))
    assert torch.equal(sound.grad, torch.zeros(2, 800))


def test_gradient(rng):
    sound = torch.from_numpy(rng.normal(size=600)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: fbank.normalized_log_mel(x)[:, ::16], sound)


def test_trains_after_inference_mode(rng):
    """Tables built in inference mode would be refused by autograd."""
    fbank._tables.cache_clear()
    sound = torch.from_numpy(rng.normal(size=800))
    with torch.inference_mode():
        fbank.log_mel(sound)
    sound.requires_grad_()
    fbank.log_mel(sound).sum().backward()
    assert sound.grad.abs().max() > 0


def test_too_short():
    with pytest.raises(SceneError, match=r"has 399 samples, .* needs 400"):
        fbank.log_mel(torch.zeros(3, 399))
