"""Are channels, or rows of the list, exchanged? Asked of a few loud windows, of a sound that may stand still."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from soundfix import physics
from soundfix.calibration.arrivals import arrivals
from soundfix.calibration.channel_orders import Order, plain_order
from soundfix.calibration.initial_guess import box_of
from soundfix.localization.correlate import Correlator
from soundfix.localization.health import examine
from soundfix.scene import Scene

KEPT = 8  # windows, the loudest
FEWEST_HEARD = 5
PARTNER_SHARE = 0.5  # of the others, with which an arrival agrees


@dataclass(kw_only=True, eq=False)
class OrderCheck:
    """Windows come in by `hear`; the loudest are kept. Nothing is computed before somebody asks for `order`."""

    _kept: list[tuple[float, Scene]] = field(default_factory=list)

    def hear(self, scene: Scene) -> None:
        """One more window."""
        if scene.microphones.is_known.sum() < FEWEST_HEARD:
            return
        power = np.nan_to_num(scene.audio, posinf=0.0, neginf=0.0).var(axis=1, dtype=np.float64)
        self._kept.append((float(np.median(power)), scene))
        self._kept = sorted(self._kept, key=lambda each: -each[0])[:KEPT]

    def order(self) -> Order | None:
        """Of every channel the row of the list that is its own; None where the list fits, or nothing does."""
        if not self._kept:
            return None
        scene = self._kept[0][1]
        path_m = np.array([_path_m(scene) for _, scene in self._kept])
        box = box_of(scene.microphones, scene.room)
        return plain_order(path_m, scene.microphones.border_positions(), box, np.random.default_rng(0))

    def exchanged(self) -> tuple[tuple[str, str], ...]:
        """Each channel that hears as if it stood at another's row, and whose."""
        order = self.order()
        return () if order is None else tuple(_exchanged(self._kept[0][1].microphones.names, order))


def _exchanged(names: tuple[str, ...], order: Order) -> Iterator[tuple[str, str]]:
    for m, row in enumerate(order):
        if row != m:
            yield names[m], names[row]


def _path_m(scene: Scene) -> Float[np.ndarray, "mic"]:
    """When each microphone hears the sound of this window, times the speed of sound; NaN where few agree."""
    health = examine(scene)
    path_m, mics = np.full(len(health.weight), np.nan), np.flatnonzero(health.is_heard)
    if len(mics) < FEWEST_HEARD:
        return path_m
    pairs = physics.pair_indices(len(mics))
    evidence = Correlator()(health.audio, scene, mics[pairs])
    heard = arrivals(evidence.values, pairs, evidence.step_m, microphones=len(mics))
    is_agreed = heard.partners >= PARTNER_SHARE * (len(mics) - 1)
    path_m[mics[is_agreed]] = heard.path_m[is_agreed]
    return path_m
