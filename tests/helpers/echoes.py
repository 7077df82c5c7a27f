"""Rooms by formula: a source and its first images."""

import numpy as np

from soundfix import physics
from soundfix.microphones import Microphones
from soundfix.scene import Scene

RATE = 16_000.0


def echoing_scene(positions, source, room, rng, *, echo=0.6, seconds=0.5, snr_db=30.0, repeats_s=0.0):
    """White noise from one point and from its image in each of six walls, `echo` times as loud; with repeats_s, all of it
    once more so much later."""
    box, samples = np.array(room), round(seconds * RATE)
    images = np.repeat(source[None], 6, axis=0)
    for wall in range(6):
        images[wall, wall // 2] = 2 * box[wall % 2, wall // 2] - source[wall // 2]
    points, gains = np.concatenate([source[None], images]), np.array([1.0, *[echo] * 6])
    ranges = physics.distances(points, positions)
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * samples, 1 / RATE)[:, None, None] * ranges / 343.0)
    dry = np.fft.rfft(rng.standard_normal(2 * samples))
    if repeats_s:
        dry = dry * (1 + np.exp(-2j * np.pi * np.fft.rfftfreq(2 * samples, 1 / RATE) * repeats_s))
    response = np.einsum("p,fpm->mf", gains, turn / ranges)
    heard = np.fft.irfft(dry * response)[:, samples // 2 : samples // 2 + samples]
    heard = heard + np.sqrt(np.mean(heard**2)) * 10 ** (-snr_db / 20) * rng.standard_normal(heard.shape)
    return Scene(
        audio=(0.1 * heard).astype(np.float32),
        sample_rate=RATE,
        microphones=Microphones(positions=positions),
        room=room,
        speed_of_sound_m_s=343.0,
    )
