"""Rumble: cut where it is louder than the sound, and only there."""

import pytest
import torch

from soundfix.signal.rumble import GONE_HZ, RUMBLE_HZ, without_rumble

RATE, COUNT = 16_000.0, 8000
TIME_S = torch.arange(COUNT) / RATE


def tone(frequency_hz, level=1.0):
    return level * torch.sin(2 * torch.pi * frequency_hz * TIME_S)


def cut(audio):
    return without_rumble(audio, sample_rate=RATE)


def window(*channels):
    return torch.stack(channels)[None]


def test_only_what_is_louder_than_the_sound_is_cut():
    """100 Hz at 1 beside 1000 Hz at 0.9 goes, at 0.8 beside 0.9 stays, to the last bit."""
    loud, soft = (window(*[tone(100, level) + tone(1000, 0.9)] * 3) for level in (1.0, 0.8))
    assert torch.equal(cut(soft), soft)
    assert torch.allclose(cut(loud), window(*[tone(1000, 0.9)] * 3), atol=1e-3)


@pytest.mark.parametrize(
    ("frequency_hz", "kept"), [(150, 0.0), (GONE_HZ, 0.0), (250, 0.5), (RUMBLE_HZ, 1.0), (2000, 1.0)]
)
def test_the_cut_is_a_slope_from_200_to_300_hz(frequency_hz, kept):
    found = cut(window(tone(60, 9.0) + tone(frequency_hz)))[0, 0]
    assert float(found @ tone(frequency_hz) / (COUNT / 2)) == pytest.approx(kept, abs=0.01)
    assert float(found @ tone(60) / (COUNT / 2)) == pytest.approx(0, abs=0.01)


def test_a_window_is_judged_by_the_median_of_those_that_are_not_silent():
    rumbles, speaks, silent = tone(80) + tone(900, 0.1), tone(900), torch.zeros(COUNT)
    most = window(rumbles, rumbles, speaks, silent, silent)
    few = window(rumbles, speaks, speaks, silent, silent)
    assert torch.equal(cut(few), few)
    found = cut(most)
    assert torch.allclose(found[0, 0], tone(900, 0.1), atol=1e-3)
    assert torch.allclose(found[0, 2], speaks, atol=1e-3)
    assert not found[0, 3:].any()


def test_each_window_of_a_batch_by_itself():
    loud, soft = window(tone(100)), window(tone(1000))
    both = cut(torch.cat([soft, loud, soft]))
    assert torch.equal(both[[0, 2]], torch.cat([soft, soft]))
    assert both[1].abs().max() < 1e-2


def test_length_gain_and_gradients():
    audio = torch.randn(2, 3, 4001, generator=torch.Generator().manual_seed(0))
    audio[0] = audio[0].cumsum(dim=-1)
    audio = audio.requires_grad_()
    found = cut(audio)
    assert found.shape == audio.shape
    assert torch.allclose(cut(1000 * audio.detach()), 1000 * found.detach(), rtol=1e-3, atol=1e-1)
    found.square().sum().backward()
    assert torch.isfinite(audio.grad).all()


def test_numpys_arrays_are_cut_alike():
    """The lower of the two in the middle decides, as in PyTorch; silent ones do not."""
    loud, soft, silent = tone(100) + tone(1000, 0.9), tone(1000), torch.zeros(COUNT)
    for channels in ([loud, soft], [loud, loud, soft, silent], [loud, soft, soft, silent], [silent, silent]):
        audio = window(*channels)
        assert torch.allclose(torch.from_numpy(cut(audio.numpy())), cut(audio), atol=1e-5)


def test_silence_stays_silence():
    assert not cut(torch.zeros(2, 3, 1000)).any()
