"""What else is on a recording, at 16 kHz or any rate: rumble, hum of the mains, interference, fans.

    rumble        below 300 Hz: wind, traffic, handling; of each microphone by itself, or the same field for all
    hum           50 or 60 Hz and harmonics, in phase at all microphones, not equally strong
    interference  one electrical signal on all channels at once: a delay of zero for every pair
    fan           a machine that stands somewhere and hisses without a pause (room and place: worlds.py)

Each is of power 1 at the mean microphone; the world sets its level. Axes: M microphones, T samples.
"""

import numpy as np
from jaxtyping import Float
from scipy.signal import butter, lfilter, sosfilt

from soundfix.simulation.diffuse import diffuse_noise
from soundfix.simulation.sounds import resonance

MAINS_HZ = (50.0, 60.0)
RUMBLE_HZ = (40.0, 300.0)  # above it falls by 12 dB an octave
UNLIKE_DB = 6.0  # hum and interference are up to so much stronger or weaker at a microphone
SHARE_PULSED = 0.3  # of interference comes in bursts, as that of phones and switches


def rumble(
    microphones_m: Float[np.ndarray, "mic 3"], count: int, *, speed_m_s: float, rate: float, rng: np.random.Generator
) -> Float[np.ndarray, "mic {count}"]:
    """Low noise, coherent as in a diffuse field or not at all."""
    if rng.random() < 0.5:
        noise = diffuse_noise(microphones_m, count, speed_m_s=speed_m_s, sample_rate=rate, rng=rng)
    else:
        noise = rng.standard_normal((len(microphones_m), count))
    low = butter(2, rng.uniform(*RUMBLE_HZ), fs=rate, output="sos")
    return _unit(sosfilt(low, noise, axis=1) * _unlike(len(microphones_m), rng))


def hum(microphones: int, count: int, *, rate: float, rng: np.random.Generator) -> Float[np.ndarray, "mic {count}"]:
    """The mains and 3 to 40 of its harmonics."""
    base_hz = rng.choice(MAINS_HZ) * (1 + 1e-3 * rng.standard_normal())
    numbers = np.arange(1, rng.integers(4, 42))
    numbers = numbers[numbers * base_hz < 0.45 * rate]
    levels = numbers ** -rng.uniform(0.3, 1.5) * rng.uniform(0.1, 1, len(numbers))
    phases = 2 * np.pi * (np.outer(numbers, np.arange(count)) * base_hz / rate + rng.random((len(numbers), 1)))
    return _unit(_unlike(microphones, rng) * (levels @ np.sin(phases)))


def interference(
    microphones: int, count: int, *, rate: float, rng: np.random.Generator
) -> Float[np.ndarray, "mic {count}"]:
    """The same noise on all channels, of any colour, all the time or in bursts; polarity is that of each amplifier."""
    noise = rng.standard_normal(count)
    if rng.random() < 0.5:
        noise = lfilter([1.0], [1.0, -rng.uniform(0.3, 0.98)], noise)
    if rng.random() < SHARE_PULSED:
        noise = noise * (np.sin(2 * np.pi * rng.uniform(2, 220) * np.arange(count) / rate) > rng.uniform(0, 0.9))
    return _unit(_unlike(microphones, rng) * noise)


def fan(count: int, *, rate: float, rng: np.random.Generator) -> Float[np.ndarray, "{count}"]:
    """The dry sound of a machine: noise that falls with frequency, a few resonances, now and then the blades' tone."""
    noise = lfilter([1.0], [1.0, -rng.uniform(0.5, 0.95)], rng.standard_normal(count))
    for frequency_hz in rng.uniform(100, 0.4 * rate, rng.integers(1, 4)):
        noise = noise + resonance(noise, frequency_hz, rate, width_hz=100.0)
    blades = np.sin(2 * np.pi * rng.uniform(60, 600) * np.arange(count) / rate)
    return _unit(noise + rng.uniform(0, 1) * (rng.random() < 0.3) * noise.std() * blades)


def _unlike(microphones: int, rng: np.random.Generator) -> Float[np.ndarray, "mic 1"]:
    return 10 ** (rng.uniform(-UNLIKE_DB, UNLIKE_DB, (microphones, 1)) / 20)


def _unit(sound: np.ndarray) -> np.ndarray:
    return (sound / np.sqrt(np.mean(np.square(sound)) + 1e-12)).astype(np.float32)
