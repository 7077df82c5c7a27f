"""Rumble louder than the sound is cut before anything listens that adapts to loudness: masks, acoustic encoders."""

import torch
from jaxtyping import Float
from torch import Tensor

RUMBLE_HZ, GONE_HZ = 300.0, 200.0  # from full strength down to nothing
LOUDER = 0.5  # share of the power below RUMBLE_HZ from which it is cut


def without_rumble(audio: Float[Tensor, "batch mic time"], *, sample_rate: float) -> Float[Tensor, "batch mic time"]:
    """The sound above 300 Hz, of windows that have most of their power below it; the others as they are.

    A window is judged by the median microphone of those that are not silent. The waveform's length stays.
    """
    spectra = torch.fft.rfft(audio)
    frequency = torch.fft.rfftfreq(audio.shape[-1], 1 / sample_rate).to(audio.device)
    power = spectra.real.square() + spectra.imag.square()
    low = power[..., frequency < RUMBLE_HZ].sum(dim=-1) / power.sum(dim=-1)  # NaN where silent
    rumbles = low.nanmedian(dim=-1).values > LOUDER
    if not bool(rumbles.any()):
        return audio
    ramp = ((frequency - GONE_HZ) / (RUMBLE_HZ - GONE_HZ)).clamp(0, 1)
    cut = torch.fft.irfft(spectra * (0.5 - 0.5 * torch.cos(torch.pi * ramp)), n=audio.shape[-1])
    return torch.where(rumbles[:, None, None], cut, audio)
