"""Lists of positions that are wrong all together: a tape laid along the wrong wall, a plan turned or at another scale.

Who measured a room from one corner made one error many times; it does not average out as errors made one by one do. What is
heard is the same, only the list changes: the truth says where the microphones truly stand, and the list claims to be exact.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from soundfix.datasets.dataset import Dataset
from soundfix.scene import Room, Scene
from soundfix.simulation.faults import with_true_positions

Kind = Literal["exact", "wall", "turned", "scaled", "random"]
SALT = 91  # so that no other use of (seed, clip) draws the same numbers


@dataclass(frozen=True, kw_only=True)
class ListError:
    """What is wrong with a list.

    wall: all microphones nearest to one wall, that which has most of them, amount metres along it. turned: about the
    middle of the array, seen from above, by amount radians. scaled: from that middle, by a share of amount. random: every
    microphone in a direction of its own; amount is the root mean square over the array, in metres.
    """

    kind: Kind
    amount: float = 0.0

    def listed(
        self, places_m: Float[np.ndarray, "mic 3"], room: Room, rng: np.random.Generator
    ) -> Float[np.ndarray, "mic 3"]:
        """What the list says of microphones that stand at these places (m) in this room."""
        off = places_m - places_m.mean(axis=0)
        if self.kind == "wall":
            return places_m + self.amount * _along_wall(places_m, room)
        if self.kind == "turned":
            return places_m + off @ _turn(self.amount).T - off
        if self.kind == "scaled":
            return places_m + self.amount * off
        error_m = rng.standard_normal(places_m.shape) if self.kind == "random" else np.zeros(places_m.shape)
        return places_m + error_m * self.amount / max(rms(error_m), np.finfo(float).tiny)


@dataclass(frozen=True, kw_only=True, eq=False)
class Relisted:
    """The clips of data, with a list that is wrong; those of unknown position stay so."""

    data: Dataset
    error: ListError
    seed: int = 0

    @property
    def name(self) -> str:
        return f"{self.data.name}, list {self.error.kind}"

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, clip: int) -> Scene:
        scene = self.data[clip]
        true_m, is_known = scene.microphones.border_positions(), scene.microphones.is_known
        room: Room = scene.room or _corners(scene.search_box())
        rng = np.random.default_rng([self.seed, clip, SALT])
        listed_m = true_m.copy()
        listed_m[is_known] = self.error.listed(true_m[is_known], room, rng)
        relisted = replace(scene, microphones=replace(scene.microphones, positions=listed_m))
        return with_true_positions(relisted, true_m)


def rms(errors_m: Float[np.ndarray, "mic 3"]) -> float:
    """Root mean square length (m)."""
    return float(np.sqrt(np.mean(np.sum(np.square(errors_m), axis=1))))


def nearest_walls(places_m: Float[np.ndarray, "mic 3"], room: Room) -> Int[np.ndarray, "mic"]:
    """Which wall is nearest: 0 and 1 are those at the lowest and highest x, 2 and 3 at y."""
    low, high = np.array(room)[:, :2]
    gaps = np.stack([places_m[:, :2] - low, high - places_m[:, :2]], axis=-1)
    return gaps.reshape(len(places_m), 4).argmin(axis=1)


def _along_wall(places_m: np.ndarray, room: Room) -> Float[np.ndarray, "mic 3"]:
    """A unit vector along the wall for the microphones at the wall that has most of them, zeros for the others."""
    walls = nearest_walls(places_m, room)
    wall = int(np.bincount(walls, minlength=4).argmax())
    along = np.zeros(places_m.shape)
    along[walls == wall, 1 if wall < 2 else 0] = 1.0
    return along


def _turn(angle_rad: float) -> Float[np.ndarray, "3 3"]:
    """About z, anticlockwise seen from above."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _corners(box: Float[np.ndarray, "2 3"]) -> Room:
    (x0, y0, z0), (x1, y1, z1) = box.tolist()
    return (x0, y0, z0), (x1, y1, z1)
