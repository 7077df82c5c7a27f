"""Sound of one point in one band, and scenes at another scale."""

from dataclasses import replace

import numpy as np

from soundfix import physics
from soundfix.microphones import Microphones
from soundfix.resample import SAMPLE_RATE
from soundfix.scene import Scene

RATE, HIGH_HZ = 96_000.0, (20_000.0, 40_000.0)
CAGE = np.array([[0.0, 0, 0], [1.2, 0.1, 0.3], [1.1, 0.9, 0.1], [0.1, 1.0, 0.4], [0.2, 0.1, 0.9], [1.0, 0.8, 1.0]])
ANIMAL = np.array([0.7, 0.4, 0.5])


def shared_sound(rng, band_hz, *, seconds=0.25, noise=0.1, rate=RATE):
    """(M, T): noise in this band from ANIMAL to CAGE, and white noise of each microphone's own."""
    samples = round(seconds * rate)
    frequency = np.fft.rfftfreq(2 * samples, 1 / rate)
    spectrum = np.fft.rfft(rng.standard_normal(2 * samples)) * ((frequency > band_hz[0]) & (frequency < band_hz[1]))
    delay_s = physics.distances(ANIMAL, CAGE) / 343.0
    heard = np.fft.irfft(spectrum * np.exp(-2j * np.pi * frequency * delay_s[:, None]))
    heard = heard[:, samples // 2 : samples // 2 + samples]
    own = noise * heard.std() * rng.standard_normal(heard.shape)
    return (0.1 * (heard + own) / heard.std()).astype(np.float32)


def caged(audio, *, rate=RATE, **told):
    """A scene of this sound in CAGE."""
    microphones = Microphones(positions=CAGE)
    return Scene(audio=audio, sample_rate=rate, microphones=microphones, speed_of_sound_m_s=343.0, **told)


def at_scale(scene, times):
    """The same samples, so many times as fast in a world so many times as small; with bands alike."""
    low, high = (tuple(edge / times for edge in corner) for corner in scene.room)
    return replace(
        scene,
        sample_rate=SAMPLE_RATE * times,
        microphones=Microphones(positions=scene.microphones.positions / times),
        room=(low, high),
        band_hz=(100.0 * times, 7900.0 * times),
    )
