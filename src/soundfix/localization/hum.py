"""Mains hum on a channel: 50 or 60 Hz and its partials, from a cable or a ground loop; found, and taken out.

A channel hums where these few lines hold most of its power. What most channels have is no fault of one of them: it may be
the very sound that is sought, and stays. The exact frequency (the mains wander by 0.2 Hz) is where the lines hold most;
then the partials are fitted by least squares and subtracted, which touches nothing between them and rings nowhere.
"""

import numpy as np
from jaxtyping import Bool, Float

from soundfix.quantiles import fast_length
from soundfix.signal.arrays import transforms

MAINS_HZ, WANDER_HZ, STEP_HZ = (50.0, 60.0), 0.2, 0.005
PARTIALS = 20
DOMINANT = 0.5  # of the power of a channel
SHORTEST_S = 0.25  # of sound: in less the lines are so wide that they touch
LINE_CELLS = 2  # to both sides of a line, what a Hann window makes of it
PADDING = 32  # of the spectrum: fine enough to be interpolated linearly
HEADROOM = 1.1  # above the highest line


def without_hum(
    audio: Float[np.ndarray, "mic time"], sample_rate: float
) -> tuple[Float[np.ndarray, "mic time"], Bool[np.ndarray, "mic"]]:
    """The audio with the hum of single channels taken out, and which they are."""
    may_hum = _may_hum(audio, sample_rate)
    if not may_hum.any():
        return audio, may_hum
    cleaned = audio.copy()
    for m in np.flatnonzero(may_hum):
        cleaned[m] = audio[m] - _hum(audio[m], sample_rate)
    is_humming = np.square(cleaned).sum(axis=1) < (1 - DOMINANT) * np.square(audio).sum(axis=1)
    return np.where(is_humming[:, None], cleaned, audio), is_humming


def _may_hum(audio: Float[np.ndarray, "mic time"], sample_rate: float) -> Bool[np.ndarray, "mic"]:
    """Channels with most of their power near the lines of one of the mains, if these are the minority."""
    samples = audio.shape[1]
    if samples < SHORTEST_S * sample_rate:
        return np.zeros(len(audio), dtype=bool)
    length = fast_length(samples)
    spectra = transforms(audio).rfft(audio * np.hanning(samples).astype(np.float32), length)
    power = np.square(spectra.real) + np.square(spectra.imag)
    total = np.maximum(power.sum(axis=1), 1e-30)
    frequencies_hz = np.fft.rfftfreq(length, 1 / sample_rate)
    low = int(np.searchsorted(frequencies_hz, HEADROOM * PARTIALS * max(MAINS_HZ)))  # above no lines are
    power, frequencies_hz = power[:, :low], frequencies_hz[:low]
    near = [_is_near(frequencies_hz, mains_hz, sample_rate / samples) for mains_hz in MAINS_HZ]
    is_mostly = np.any([power[:, lines].sum(axis=1) > DOMINANT * total for lines in near], axis=0)
    return is_mostly & (2 * is_mostly.sum() < np.sum(total > 1e-30))


def _is_near(frequencies_hz: Float[np.ndarray, "bin"], mains_hz: float, cell_hz: float) -> Bool[np.ndarray, "bin"]:
    number = np.rint(frequencies_hz / mains_hz)
    reach_hz = LINE_CELLS * cell_hz + number * WANDER_HZ
    return (number >= 1) & (number <= PARTIALS) & (np.abs(frequencies_hz - number * mains_hz) <= reach_hz)


def _hum(channel: Float[np.ndarray, "time"], sample_rate: float) -> Float[np.ndarray, "time"]:
    """The partials that fit best."""
    turns = _frequency(channel, sample_rate) / sample_rate * np.arange(len(channel))
    count = min(PARTIALS, int(sample_rate / 2 / MAINS_HZ[1]))
    partials = np.cumprod(np.tile(np.exp(2j * np.pi * turns), (count, 1)), axis=0)  # quicker than a cosine each
    lines = np.concatenate([partials.real, partials.imag])
    return np.linalg.solve(lines @ lines.T, lines @ channel) @ lines


def _frequency(channel: Float[np.ndarray, "time"], sample_rate: float) -> float:
    """Where, near one of the mains, the lines hold most (Hz)."""
    near = np.arange(-WANDER_HZ, WANDER_HZ + STEP_HZ, STEP_HZ)
    tried_hz = np.concatenate([mains_hz + near for mains_hz in MAINS_HZ])
    lines_hz = tried_hz[:, None] * np.arange(1, PARTIALS + 1)
    power, bin_hz = _low_power(channel, sample_rate, HEADROOM * lines_hz.max())
    held = np.interp(lines_hz, np.arange(len(power)) * bin_hz, power, right=0.0).sum(axis=1)
    return float(tried_hz[held.argmax()])


def _low_power(
    channel: Float[np.ndarray, "time"], sample_rate: float, top_hz: float
) -> tuple[Float[np.ndarray, "bin"], float]:
    """The power of the bins of a fine spectrum up to a frequency, and how far apart they are (Hz): that of the sound at so
    low a rate, which is quick to make."""
    spectrum = np.fft.rfft(channel * np.hanning(len(channel)))
    low = np.fft.irfft(spectrum[: int(top_hz * len(channel) / sample_rate) + 2])
    fine = np.fft.rfft(low, PADDING * len(low))
    return np.square(fine.real) + np.square(fine.imag), sample_rate / len(channel) / PADDING
