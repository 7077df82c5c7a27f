"""What stands in the way: the body of the source shadows its direct sound, furniture and people scatter it.

A shadow is a shelf: frequencies far below SHADOW_HZ go round the body, those above are so much weaker. It lies on one side
of the source, as the car round a loudspeaker or the back of a talker does. A scatterer is heard after d1 + d2 (source to
scatterer to microphone) with the amplitude radius / (d1 d2); its radius is that of a chair back, a table edge, a person.
Lengths in metres from the lowest corner of the room. Axes: M microphones, S scatterers.
"""

import numpy as np
from jaxtyping import Float
from scipy.signal import bilinear, lfilter

from soundfix.physics import distances
from soundfix.simulation import shoebox

SHADOW_HZ = (150.0, 800.0)
RADIUS_M = (0.05, 0.4)
NEAR_M = (0.2, 2.5)  # of the source, half of the scatterers; the others stand anywhere
CLOSEST_M = 0.1


def shadowed(
    direct: Float[np.ndarray, "*pattern mic tap"],
    source_m: Float[np.ndarray, "3"],
    microphones_m: Float[np.ndarray, "mic 3"],
    *,
    shadow_db: float,
    rate: float,
    rng: np.random.Generator,
) -> Float[np.ndarray, "*pattern mic tap"]:
    """The direct sound behind the body, as many dB weaker at high frequencies as its middle has, less towards its edge."""
    behind = rng.standard_normal(3) * (1, 1, 0.3)
    behind /= np.linalg.norm(behind)
    ways = microphones_m - source_m
    cosines = ways @ behind / np.maximum(np.linalg.norm(ways, axis=1), CLOSEST_M)
    depths = 10 ** (-shadow_db * np.clip(0.5 + cosines, 0, 1) / 20)
    corner = 2 * np.pi * rng.uniform(*SHADOW_HZ)
    dark = np.empty_like(direct)
    for m, depth in enumerate(depths):
        b, a = bilinear([depth, corner], [1.0, corner], rate)  # 1 at low frequencies, `depth` at high ones
        dark[..., m, :] = lfilter(b, a, direct[..., m, :], axis=-1)
    return dark


def scattered(
    source_m: Float[np.ndarray, "3"],
    microphones_m: Float[np.ndarray, "mic 3"],
    size_m: Float[np.ndarray, "3"],
    *,
    count: int,
    speed_m_s: float,
    rate: float,
    rng: np.random.Generator,
) -> Float[np.ndarray, "mic tap"]:
    """Impulse responses by way of `count` scatterers."""
    near = source_m + _any_way(count, rng) * rng.uniform(*NEAR_M, (count, 1))
    places = np.where(rng.random((count, 1)) < 0.5, near, rng.uniform(0, size_m, (count, 3)))
    places = np.clip(places, 0.02, size_m - 0.02)
    first = np.maximum(distances(source_m, places), CLOSEST_M)
    second = np.maximum(distances(microphones_m, places), CLOSEST_M)
    radii = rng.uniform(*RADIUS_M, count) * rng.choice([-1, 1], count)
    delays = (first + second) * (rate / speed_m_s)
    return shoebox.impulses(list(delays), list(radii / (first * second)))


def _any_way(count: int, rng: np.random.Generator) -> Float[np.ndarray, "{count} 3"]:
    ways = rng.standard_normal((count, 3))
    return ways / np.linalg.norm(ways, axis=1, keepdims=True)
