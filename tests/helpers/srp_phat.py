"""An array, its room, and where a method puts a sound in it."""

import numpy as np

import soundfix

ROOM = ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))


def place(scene, name="srp-phat"):
    return soundfix.load(name).locate(scene).sources[0].position_m


def eight():
    """Microphones anywhere in the room."""
    return np.random.default_rng(8).uniform([0.1] * 3, [5.9, 4.9, 2.9], (8, 3))
