"""A source and seven microphones; every window of a scene."""

import numpy as np

import soundfix

RATE = 16_000.0
CORNERS = np.array(
    [[0.3, 0.4, 0.5], [5.6, 0.5, 1.1], [5.5, 4.6, 0.4], [0.4, 4.5, 1.3], [0.5, 0.3, 2.6], [5.4, 4.4, 2.5], [3.0, 2.4, 2.8]]
)  # fmt: skip
SOURCE = np.array([3.9, 1.8, 1.3])


def locate(scene, **options):
    options = {"room": scene.room, "speed_of_sound_m_s": scene.speed} | options
    return soundfix.locate(scene.audio, scene.sample_rate, scene.microphones, **options)
