"""Noise alone: what a network must learn to stay silent about, heard by the microphones of a scene.

Independent at every microphone, the same from everywhere, or both, with a spectrum that falls by 0 to 12 dB an octave.
Nothing in it comes from a place: its truth holds no source.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from soundfix.scene import Scene, Truth
from soundfix.simulation.diffuse import diffuse_noise

SLOPES = (0.0, 2.0)  # of the power, exponents of frequency: white to brown
LEVEL_FROM_HZ = 50.0  # below this the spectrum is level
KINDS = ("independent", "diffuse", "both")


def noise_alone(scene: Scene, rng: np.random.Generator) -> Scene:
    """This scene's microphones, as long as it lasts, with noise instead of what they heard; as loud at each of them."""
    kind = str(rng.choice(KINDS))
    sound = np.zeros(scene.audio.shape, dtype=np.float32)
    if kind != "diffuse":
        sound += rng.standard_normal(sound.shape, dtype=np.float32)
    if kind != "independent":
        sound += _unit(_from_everywhere(scene, rng))
    sound = _unit(_coloured(sound, float(rng.uniform(*SLOPES)), scene.sample_rate))
    return replace(scene, audio=sound * _levels(scene), truth=Truth(sources=np.zeros((0, 3))))


def _from_everywhere(scene: Scene, rng: np.random.Generator) -> Float[np.ndarray, "mic time"]:
    """Diffuse noise; a microphone whose place nobody knows stands anywhere in the room."""
    (low, high), known = scene.search_box(), scene.microphones.is_known
    anywhere = low + rng.random((len(known), 3)) * (high - low)
    places = np.where(known[:, None], scene.microphones.positions, anywhere)
    count = scene.audio.shape[1]
    return diffuse_noise(places, count, speed_m_s=scene.speed, sample_rate=scene.sample_rate, rng=rng)


def _coloured(sound: Float[np.ndarray, "mic time"], slope: float, sample_rate: float) -> Float[np.ndarray, "mic time"]:
    frequency_hz = np.fft.rfftfreq(sound.shape[1], 1 / sample_rate)
    gain = (LEVEL_FROM_HZ / np.maximum(frequency_hz, LEVEL_FROM_HZ)) ** (slope / 2)
    return np.fft.irfft(np.fft.rfft(sound) * gain, sound.shape[1])


def _unit(sound: Float[np.ndarray, "mic time"]) -> Float[np.ndarray, "mic time"]:
    return (sound / np.sqrt(np.square(sound).mean())).astype(np.float32)


def _levels(scene: Scene) -> Float[np.ndarray, "mic 1"]:
    return np.sqrt(np.square(np.nan_to_num(scene.audio, posinf=0.0, neginf=0.0)).mean(axis=1, keepdims=True))
