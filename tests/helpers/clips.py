"""A small data set to train on, made in a moment: noise in an anechoic room, heard by six microphones."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from helpers.scenes import anechoic_scene
from soundfix.microphones import Microphones
from soundfix.scene import Truth

ROOM = ((0.0, 0.0, 0.0), (6.0, 5.0, 3.0))
POSITIONS = np.array(
    [[0.5, 0.5, 1.0], [5.5, 0.4, 2.2], [5.4, 4.6, 0.6], [0.4, 4.5, 2.0], [3.0, 0.3, 2.7], [2.8, 4.7, 0.4]]
)


class Clips:
    """Every clip its own place; some of the second half have a microphone of unknown position."""

    def __init__(self, count=32, *, unknown=True, sources=1):
        self.name, self.count, self.unknown, self.sources = f"clips-{count}", count, unknown, sources

    def __len__(self):
        return self.count

    @lru_cache  # noqa: B019
    def __getitem__(self, clip):
        rng = np.random.default_rng(clip)
        place = rng.uniform([0.8, 0.8, 0.5], [5.2, 4.2, 2.5])
        positions = POSITIONS.copy()
        scene = anechoic_scene(POSITIONS, place, rng, snr_db=20.0, room=ROOM)
        if self.unknown and clip >= self.count // 2:
            positions[clip % len(positions)] = np.nan
        truth = Truth(sources=np.tile(place, (self.sources, 1)), positions=POSITIONS)
        return replace(scene, microphones=Microphones(positions=positions), truth=truth)
