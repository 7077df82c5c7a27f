"""Sounds of several sources at once, without a room: tones that come and go, so that each has cells of its own."""

import numpy as np

from soundfix import physics

RATE = 16000.0


def mixture(positions, sources, rng, *, seconds=0.5, levels=None, noise=0.01):
    """Sparse noise (each source sounds in a third of the bands and moments), delayed exactly; (M, T) float32."""
    samples = round(seconds * RATE)
    heard = noise * rng.standard_normal((len(positions), samples))
    for number, source in enumerate(sources):
        ranges = physics.distances(np.asarray(source)[None], positions)[0]
        turn = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * samples, 1 / RATE) * ranges[:, None] / 343.2)
        dry = sparse_noise(2 * samples, rng)
        late = np.fft.irfft(np.fft.rfft(dry) * turn)[:, samples // 2 : samples // 2 + samples]
        heard += (1.0 if levels is None else levels[number]) * late
    return heard.astype(np.float32)


def sparse_noise(samples, rng, *, share=0.33, frame=800):
    """White noise of which a share of the bands sounds at a time."""
    sound = np.zeros(samples)
    for first in range(0, samples, frame):
        spectrum = np.fft.rfft(rng.standard_normal(frame))
        on = rng.random(20) < share
        spectrum *= np.repeat(on, len(spectrum) // 20 + 1)[: len(spectrum)]
        sound[first : first + frame] = np.fft.irfft(spectrum, frame)[: samples - first]
    return sound
