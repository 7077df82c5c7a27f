"""A small simulated set, and how two scenes are the same."""

import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from soundfix.datasets.simulated import Simulated
from soundfix.datasets.writing import write_set
from soundfix.simulation.worlds import RANDOM_ROOMS

WORLD = replace(
    RANDOM_ROOMS, duration_s=0.25, image_order=1, sources=(1, 2), microphones=(4, 8), share_moving=0.3, share_faulty=0.5
)
COUNT, A_SHARD = 22, 5


class Hiss:
    """Sounds in no time."""

    kinds = ("hiss",)

    def draw(self, duration_s, rng, shares=None):
        return rng.standard_normal(round(duration_s * 16_000)).astype(np.float32)

    def describe(self):
        return {"hiss": True}


def simulated(**changes):
    return Simulated(**({"world": WORLD, "sounds": Hiss(), "seed": 7, "count": COUNT} | changes))


@dataclass(frozen=True, kw_only=True, eq=False)
class Deadly(Simulated):
    """Its third scene ends the process that draws it, once."""

    marker: Path

    def __getitem__(self, clip):
        if clip == 2 and not self.marker.exists():
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(clip)


def write(folder, scenes=None, **options):
    return write_set(folder, scenes or simulated(), **({"scenes_a_shard": A_SHARD} | options))


def assert_same(one, other):
    """Everything but the sound is equal to the last bit; the sound to the rounding to 16 bits."""
    full_scale = np.nan_to_num(np.abs(other.audio)).max(axis=1, keepdims=True)
    assert np.array_equal(np.isnan(one.audio), np.isnan(other.audio))
    assert (np.nan_to_num(np.abs(one.audio - other.audio)) <= 0.51 * full_scale / 32_767).all()
    for name in ("sample_rate", "room", "speed_of_sound_m_s", "temperature_c", "start_s"):
        assert getattr(one, name) == getattr(other, name), name
    assert np.array_equal(one.is_trusted, other.is_trusted)
    for name in ("positions", "is_known", "names", "sigma_m", "offset_s", "drift_ppm", "files", "channels"):
        assert np.array_equal(getattr(one.microphones, name), getattr(other.microphones, name)), name
    assert_same_truth(one.truth, other.truth)


def assert_same_truth(one, other):
    for name in ("rt60_s", "snr_db", "faults", "speed_of_sound_m_s"):
        assert getattr(one, name) == getattr(other, name), name
    for name in ("sources", "positions", "gains_db"):
        mine, others = getattr(one, name), getattr(other, name)
        assert (mine is None) == (others is None), name
        assert mine is None or np.array_equal(mine, others, equal_nan=True), name
    assert (one.track is None) == (other.track is None)
    if one.track:
        assert np.array_equal(one.track.times_s, other.track.times_s)
        assert np.array_equal(one.track.places, other.track.places, equal_nan=True)


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
