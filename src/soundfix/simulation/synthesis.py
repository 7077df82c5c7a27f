"""Dry sounds of every kind that has no words and no tune, by formula: what people, animals, tools and machines make.

Each function gives one stretch, peak 0.5, as an animal or a machine would make it: short or long, in any band, at any
level, with pauses between. SYNTHESIZED names them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Float
from scipy.signal import butter, lfilter, sosfilt

from soundfix.simulation.sounds import resonance, scaled

TOP = 0.45  # of the sample rate: nothing is made above
QUIETEST_DB = -12.0  # of a sound beside the loudest in a stretch
Sound = Float[np.ndarray, "time"]
Make = Callable[[np.random.Generator, float], Sound]


def pulses(duration_s: float, *, sample_rate: float, rng: np.random.Generator) -> Sound:
    """Coded pulses of 20-50 ms, the same again and again: sweeps, or carriers whose phase a random code turns."""
    pulse = _sweep(rng, sample_rate, rng.uniform(0.02, 0.05)) if rng.random() < 0.5 else _code(rng, sample_rate)
    every_s = rng.uniform(0.2, 0.5)
    return _strung(duration_s, sample_rate, rng, lambda rng, rate: pulse, (every_s, every_s))


def chirps(duration_s: float, *, sample_rate: float, rng: np.random.Generator) -> Sound:
    """Sweeps of 50 ms to 1 s through any band."""

    def chirp(rng: np.random.Generator, rate: float) -> Sound:
        return _sweep(rng, rate, float(np.exp(rng.uniform(np.log(0.05), 0))))

    return _strung(duration_s, sample_rate, rng, chirp, (0.1, 0.5))


def claps(duration_s: float, *, sample_rate: float, rng: np.random.Generator) -> Sound:
    """Claps, shots and knocks: a sudden rise, and a decay of 2 to 30 ms."""
    decay_s, low_hz = rng.uniform(0.002, 0.03), rng.uniform(100, 1500)

    def clap(rng: np.random.Generator, rate: float) -> Sound:
        return _decaying_noise(rng, rate, (low_hz, low_hz * 8), decay_s)

    return _strung(duration_s, sample_rate, rng, clap, (0.15, 0.45))


def steps(duration_s: float, *, sample_rate: float, rng: np.random.Generator) -> Sound:
    """Footsteps: a thud below 400 Hz, and a scuff some time after it."""

    def step(rng: np.random.Generator, rate: float) -> Sound:
        thud = _decaying_noise(rng, rate, (60.0, 400.0), 0.03)
        scuff = 0.5 * rng.random() * _decaying_noise(rng, rate, (800.0, 5000.0), 0.02)
        late = round(rng.uniform(0, 0.04) * rate)
        step = np.pad(thud, (0, max(0, late + len(scuff) - len(thud))))
        step[late : late + len(scuff)] += scuff
        return step

    return _strung(duration_s, sample_rate, rng, step, (0.3, 0.5))


def birds(duration_s: float, *, sample_rate: float, rng: np.random.Generator) -> Sound:
    """Whistled syllables that glide and warble between 1.5 and 8 kHz; now and then several birds at one spot."""
    song = _syllables(duration_s, sample_rate, rng, (1500.0, 8000.0), (0.03, 0.3), (0.08, 0.5))
    if rng.random() < 0.2:
        song = song + _syllables(duration_s, sample_rate, rng, (1500.0, 8000.0), (0.03, 0.3), (0.08, 0.5))
    return scaled(song)


def insects(duration_s: float, *, sample_rate: float, rng: np.random.Generator) -> Sound:
    """A narrow band between 2.5 and 7.5 kHz, in trains of 20 to 80 chirrups a second."""
    total = round(duration_s * sample_rate)
    middle_hz = rng.uniform(2500, 7000)
    band = butter(
        2, _within((middle_hz * 0.92, middle_hz * 1.08), sample_rate), "bandpass", fs=sample_rate, output="sos"
    )
    time_s = np.arange(total) / sample_rate
    trill = np.maximum(np.sin(2 * np.pi * rng.uniform(20, 80) * time_s), 0) ** 2
    train = (np.sin(2 * np.pi * rng.uniform(0.5, 3) * time_s + rng.uniform(0, 6)) > -0.5) * 1.0
    return scaled(sosfilt(band, rng.standard_normal(total)) * trill * train)


def engines(duration_s: float, *, sample_rate: float, rng: np.random.Generator) -> Sound:
    """Firing of 15 to 120 strokes a second, never twice quite alike, with the noise of what turns."""
    total = round(duration_s * sample_rate)
    wander = 1 + 0.1 * np.cumsum(rng.standard_normal(total)) / np.sqrt(total)
    phase = np.cumsum(rng.uniform(15, 120) * wander / sample_rate)
    strokes = np.diff(np.floor(phase), prepend=0.0) * (1 + 0.3 * rng.standard_normal(total))
    body = [resonance(strokes, f, sample_rate, width_hz=60.0) for f in rng.uniform(80, 3000, 5)]
    return scaled(np.sum(body, axis=0) / np.std(body) + rng.uniform(0.1, 1) * _coloured(total, sample_rate, rng))


def sirens(duration_s: float, *, sample_rate: float, rng: np.random.Generator) -> Sound:
    """A harmonic tone that wails between 400 and 1800 Hz, slowly or quickly."""
    time_s = np.arange(round(duration_s * sample_rate)) / sample_rate
    wail = np.sin(2 * np.pi * rng.uniform(0.2, 5) * time_s + rng.uniform(0, 6))
    pitch_hz = rng.uniform(700, 1100) * 2 ** (wail * rng.uniform(0.2, 0.7))
    return scaled(_harmonics(pitch_hz, sample_rate, rng, slope=rng.uniform(0.5, 1.5)))


def tones(duration_s: float, *, sample_rate: float, rng: np.random.Generator) -> Sound:
    """Held notes with harmonics, a little unsteady, as of wind and string instruments and of alarms."""

    def note(rng: np.random.Generator, rate: float) -> Sound:
        count = round(rng.uniform(0.15, 1.0) * rate)
        vibrato = 1 + rng.uniform(0, 0.02) * np.sin(2 * np.pi * rng.uniform(4, 7) * np.arange(count) / rate)
        held = _harmonics(rng.uniform(110, 1500) * vibrato, rate, rng, slope=rng.uniform(0.5, 1.5))
        attack = rng.uniform(0, 0.1) * rng.standard_normal(count) * np.exp(-np.arange(count) / (0.02 * rate))
        return (held + attack) * _swell(count, 0.1)

    return _strung(duration_s, sample_rate, rng, note, (0.1, 0.5))


SYNTHESIZED: Mapping[str, Callable[..., Sound]] = MappingProxyType(
    {
        "pulses": pulses,
        "chirps": chirps,
        "claps": claps,
        "steps": steps,
        "birds": birds,
        "insects": insects,
        "engines": engines,
        "sirens": sirens,
        "tones": tones,
    }
)


def _strung(
    duration_s: float, sample_rate: float, rng: np.random.Generator, make: Make, every_s: tuple[float, float]
) -> Sound:
    """One after the other, each at its own level; the first begins at once or a little later."""
    total = round(duration_s * sample_rate)
    sound, start = np.zeros(total), round(rng.uniform(0, 0.1) * sample_rate)
    while start < total:
        each = make(rng, sample_rate)[: total - start]
        sound[start : start + len(each)] += 10 ** (rng.uniform(QUIETEST_DB, 0) / 20) * each
        start += max(1, round(rng.uniform(*every_s) * sample_rate))
    return scaled(sound)


def _syllables(
    duration_s: float, sample_rate: float, rng: np.random.Generator, band_hz: tuple[float, float],
    length_s: tuple[float, float], every_s: tuple[float, float],
) -> Sound:  # fmt: skip
    """Whistles of one singer: a glide about a pitch of its own, with a warble."""
    low, high = _within(band_hz, sample_rate)
    own_hz = rng.uniform(low * 1.2, high * 0.8)

    def syllable(rng: np.random.Generator, rate: float) -> Sound:
        count = round(rng.uniform(*length_s) * rate)
        glide = np.linspace(rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4), count)
        warble = rng.uniform(0, 0.1) * np.sin(2 * np.pi * rng.uniform(10, 60) * np.arange(count) / rate)
        pitch_hz = np.clip(own_hz * 2 ** (glide + warble), low, high)
        return np.sin(2 * np.pi * np.cumsum(pitch_hz) / rate) * _swell(count, 0.2)

    return _strung(duration_s, sample_rate, rng, syllable, every_s)


def _sweep(rng: np.random.Generator, rate: float, length_s: float) -> Sound:
    """Between two frequencies of 0.2 kHz or more, up or down, evenly in time or in octaves."""
    count = max(16, round(length_s * rate))
    first, last = np.exp(rng.uniform(np.log(200), np.log(TOP * rate), 2)).tolist()
    pitch_hz = np.linspace(first, last, count) if rng.random() < 0.5 else np.geomspace(first, last, count)
    return np.sin(2 * np.pi * np.cumsum(pitch_hz) / rate) * _swell(count, 0.1)


def _code(rng: np.random.Generator, rate: float) -> Sound:
    """A carrier whose phase is turned round or not, 13 to 127 times."""
    chips = rng.choice([-1.0, 1.0], int(rng.integers(13, 128)))
    count = round(rng.uniform(0.02, 0.05) * rate)
    turned = chips[np.arange(count) * len(chips) // count]
    return (
        turned * np.sin(2 * np.pi * rng.uniform(1000, TOP * rate * 0.7) * np.arange(count) / rate) * _swell(count, 0.1)
    )


def _decaying_noise(rng: np.random.Generator, rate: float, band_hz: tuple[float, float], decay_s: float) -> Sound:
    count = round((0.02 + 8 * decay_s) * rate)
    band = butter(2, _within(band_hz, rate), "bandpass", fs=rate, output="sos")
    return scaled(sosfilt(band, rng.standard_normal(count)) * np.exp(-np.arange(count) / (decay_s * rate)))


def _harmonics(pitch_hz: Float[np.ndarray, "time"], rate: float, rng: np.random.Generator, *, slope: float) -> Sound:
    """Partials of a pitch, each weaker than the one before by its number to the power of slope."""
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate
    numbers = np.arange(1, max(2, min(25, int(TOP * rate / float(pitch_hz.max())))))
    levels = numbers**-slope * rng.uniform(0.3, 1, len(numbers))
    return np.sum(
        [level * np.sin(n * phase + rng.uniform(0, 6)) for n, level in zip(numbers, levels, strict=True)], axis=0
    )


def _coloured(total: int, rate: float, rng: np.random.Generator) -> Sound:
    """Noise that falls by 6 dB an octave from 100-1000 Hz on, of deviation 1."""
    pole = np.exp(-2 * np.pi * rng.uniform(100, 1000) / rate)
    noise = lfilter([1 - pole], [1, -pole], rng.standard_normal(total))
    return noise / noise.std()


def _swell(count: int, share: float) -> Sound:
    """1, with a raised cosine over this share at both ends."""
    edge = max(1, int(share * count))
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    envelope = np.ones(count)
    envelope[:edge] = ramp
    envelope[count - edge :] *= ramp[::-1]
    return envelope


def _within(band_hz: tuple[float, float], rate: float) -> tuple[float, float]:
    """The band, as far as there is one below TOP."""
    high = min(band_hz[1], TOP * rate)
    return min(band_hz[0], high / 2), high
