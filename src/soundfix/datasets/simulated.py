"""Scenes drawn as they are asked for: nothing on disk, and the same scene whenever number k is asked for."""

from dataclasses import dataclass

import numpy as np

from soundfix.scene import Scene
from soundfix.simulation.soundbank import Sounds
from soundfix.simulation.worlds import World, draw_world


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulated:
    """`count` scenes of a world. Scene k depends on the world, the sounds, the seed and k, and on nothing else."""

    world: World
    sounds: Sounds
    seed: int
    count: int
    name: str = "simulated"

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, clip: int) -> Scene:
        if not 0 <= clip < self.count:
            raise IndexError(f"scene {clip} of {self.count}")
        return draw_world(self.world, self.sounds, np.random.default_rng([self.seed, clip]))
