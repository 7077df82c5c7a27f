"""A scene at the network's scale: where its coordinates begin, how long its metre is, how fast its clock.

Delays and distances scale together. Sound at 192 kHz in a cage is, sample for sample, sound at 16 kHz in a hall twelve
times as large; an array in water is one in air, 4.4 times as close. So the network is shown what it knows: samples that end
where its band ends, and lengths that belong to them.

    time'   = time   * rate / 16 kHz
    length' = length * rate / 16 kHz * (343.2 m/s / speed, where that is not of air)

Without a band, in air, at 16 kHz or more, both are as they are.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.localization.arrival_errors import are_large
from soundfix.resample import SAMPLE_RATE, listening_rate
from soundfix.scene import Scene, search_box

AIR_M_S = (300.0, 380.0)  # speeds of sound that the network knows by their delays
WIDEST_M = 25.0  # array that its second look and its decoder can be asked about: it learned with 2 to 18 m


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """origin_m: where the network's coordinates begin, in those of the scene. rate_hz: at which samples are given to it.

    metre: the network's metres in one of the scene. speed_m_s: of sound, in the network's metres and seconds. lowest_hz:
    what is below was cut, in the network's Hz; 0 where nothing was.
    """

    origin_m: Float[np.ndarray, "3"]
    rate_hz: float
    metre: float
    speed_m_s: float
    lowest_hz: float

    def inside(self, points_m: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3"]:
        """These places of the scene as the network has them."""
        return (points_m - self.origin_m) * self.metre

    def outside(self, points_m: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3"]:
        """These places of the network in the scene."""
        return points_m / self.metre + self.origin_m


def frame_of(scene: Scene) -> Frame:
    """From the middle of its room, or of the box round the microphones, at the rate that suits its band."""
    rate_hz = min(listening_rate(scene.band_hz), scene.sample_rate)  # a lower rate is one more scale: no empty band
    faster = rate_hz / SAMPLE_RATE
    is_air = AIR_M_S[0] <= scene.speed <= AIR_M_S[1]
    return Frame(
        origin_m=search_box(scene.microphones, scene.room).mean(axis=0),
        rate_hz=rate_hz,
        metre=faster if is_air else faster * physics.SPEED_OF_SOUND_M_S / scene.speed,
        speed_m_s=scene.speed if is_air else physics.SPEED_OF_SOUND_M_S,
        lowest_hz=scene.band_hz[0] / faster if scene.band_hz else 0.0,
    )


def width_m(scene: Scene, frame: Frame) -> float:
    """Of the array, in the network's metres: the largest distance between two microphones of known position."""
    return scene.microphones.width_m * frame.metre


def is_beyond_training(scene: Scene, frame: Frame) -> bool:
    """Whether the array is far wider, at the network's scale, than any that it learned with.

    Narrower ones are no worse off with its second look: 7 cm to 1 m were tried.
    """
    return width_m(scene, frame) > WIDEST_M or are_large(scene)
