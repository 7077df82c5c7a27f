"""Short-time spectra: numpy's are PyTorch's, and back is back."""

import numpy as np
import pytest
import torch

from soundfix.signal.stft import stft, unstft


@pytest.mark.parametrize("samples", [1000, 1024, 4001])
def test_numpys_are_pytorchs_and_lead_back(samples, rng):
    audio = rng.standard_normal((2, 3, samples)).astype(np.float32)
    own, other = stft(audio, 256, 64), stft(torch.from_numpy(audio), 256, 64)
    assert own.dtype == np.complex64
    assert np.allclose(own, other.numpy(), atol=1e-4)
    shaped = own * rng.uniform(0, 1, own.shape).astype(np.float32)
    back, other_back = (unstft(each, 64, samples=samples) for each in (shaped, torch.from_numpy(shaped)))
    assert back.shape == audio.shape
    assert np.allclose(back, other_back.numpy(), atol=1e-5)
    assert np.allclose(unstft(own, 64, samples=samples), audio, atol=1e-5)
