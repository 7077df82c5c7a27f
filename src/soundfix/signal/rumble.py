"""Rumble louder than the sound is cut before anything listens that adapts to loudness: masks, acoustic encoders."""

from jaxtyping import Float

from soundfix.signal.arrays import Array, frequencies, lower_nanmedian, namespace
from soundfix.signal.gcc import power

RUMBLE_HZ, GONE_HZ = 300.0, 200.0  # from full strength down to nothing
LOUDER = 0.5  # share of the power below RUMBLE_HZ from which it is cut


def without_rumble(audio: Float[Array, "batch mic time"], *, sample_rate: float) -> Float[Array, "batch mic time"]:
    """The sound above 300 Hz, of windows that have most of their power below it; the others as they are.

    A window is judged by the median microphone of those that are not silent. The waveform's length stays.
    """
    numbers, samples = namespace(audio), audio.shape[-1]
    spectra, frequency = numbers.fft.rfft(audio), frequencies(samples, sample_rate, audio)
    loud = power(spectra)
    whole = loud.sum(axis=-1)
    low = loud[..., frequency < RUMBLE_HZ].sum(axis=-1) / numbers.where(whole > 0, whole, numbers.nan)
    rumbles = lower_nanmedian(low) > LOUDER
    if not bool(rumbles.any()):
        return audio
    ramp = ((frequency - GONE_HZ) / (RUMBLE_HZ - GONE_HZ)).clip(0, 1)
    cut = numbers.fft.irfft(spectra * (0.5 - 0.5 * numbers.cos(numbers.pi * ramp)), n=samples)
    return numbers.where(rumbles[:, None, None], cut, audio)
