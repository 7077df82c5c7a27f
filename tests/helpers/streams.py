"""Blocks of a recording as senders send them, and a method that only listens."""

from dataclasses import dataclass, field

import numpy as np

from soundfix.estimate import Estimate

RATE = 16_000


@dataclass
class Ears:
    """A method that keeps every window it is given, in metres alone (session/units.py), and answers nothing.

    seconds: by so much an answer moves the Clock.
    """

    clock: object = None
    seconds: float = 0.0
    scenes: list = field(default_factory=list)
    name: str = "ears"

    def locate(self, scene):
        if not self.scenes or np.array_equal(scene.microphones.positions, self.scenes[0].microphones.positions):
            self.scenes.append(scene)
            if self.clock:
                self.clock.now += self.seconds
        return Estimate(
            method=self.name, start_s=scene.start_s, end_s=scene.start_s + scene.duration_s, verdict="abstain"
        )


@dataclass
class Clock:
    """Time that goes on when it is told to."""

    now: float = 0.0

    def __call__(self):
        return self.now


def blocks_of(samples, rng, longest):
    """(start, stop) of blocks of random lengths."""
    start = 0
    while start < samples:
        stop = min(samples, start + int(rng.integers(1, longest)))
        yield start, stop
        start = stop


def sent(audio, rng, *, longest=2000, lateness=0):
    """(microphone, first, block) of every microphone's blocks, some twice; in order but for `lateness` samples."""
    blocks = []
    for m in range(len(audio)):
        for start, stop in blocks_of(audio.shape[1], rng, longest):
            for _ in range(int(rng.integers(1, 3))):
                blocks.append((stop + rng.integers(0, lateness + 1), m, start, audio[m, start:stop]))
    blocks.sort(key=lambda each: each[:3])
    return [(m, start, block) for _, m, start, block in blocks]
