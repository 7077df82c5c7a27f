"""Compact arrays, and what they hear in the open, in noise that comes from everywhere alike."""

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.microphones import Microphones
from soundfix.scene import Room, Scene
from soundfix.simulation.diffuse import diffuse_noise

RATE, SPEED = 16_000.0, 343.2
CENTRE = np.array([2.0, 3.0, 1.0])
SQUARE = 0.0325 * np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
TETRAHEDRON = 0.07 / 8**0.5 * np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])


def unit(azimuth_deg: float, elevation_deg: float) -> Float[np.ndarray, "3"]:
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    return np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])


def angle_deg(first: Float[np.ndarray, "3"], second: Float[np.ndarray, "3"]) -> float:
    return float(np.degrees(np.arccos(np.clip(first @ second, -1, 1))))


def compact_scene(
    shape: Float[np.ndarray, "mic 3"] = TETRAHEDRON, *, towards: Float[np.ndarray, "3"], range_m: float = 2.0,
    snr_db: float = 20.0, is_dull: bool = False, seconds: float = 0.5, rate: float = RATE, room: Room | None = None,
    seed: int = 0,
) -> Scene:  # fmt: skip
    """White sound from this unit vector, delayed exactly, in diffuse noise; the array stands round CENTRE.

    is_dull: what falls by 6 dB an octave instead of white, as speech does.
    """
    rng, positions, samples = np.random.default_rng(seed), CENTRE + shape, round(seconds * rate)
    dry = np.fft.rfft(rng.standard_normal(2 * samples))
    if is_dull:
        dry = dry / np.maximum(np.arange(len(dry)) / seconds / 2, 200.0)
    delay_s = physics.distances(CENTRE + range_m * towards, positions) / SPEED
    phase = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * samples, 1 / rate) * delay_s[:, None])
    heard = np.fft.irfft(dry * phase)[:, samples // 2 : samples // 2 + samples]
    noise = diffuse_noise(positions, samples, speed_m_s=SPEED, sample_rate=rate, rng=rng)
    noise = noise / np.sqrt(np.mean(noise**2)) * np.sqrt(np.mean(heard**2)) * 10 ** (-snr_db / 20)
    return Scene(
        audio=(0.1 * (heard + noise)).astype(np.float32), sample_rate=rate, room=room,
        microphones=Microphones(positions=positions), speed_of_sound_m_s=SPEED,
    )  # fmt: skip
