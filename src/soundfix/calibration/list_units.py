"""In which unit is the list? Feet, centimetres, inches or millimetres that were given for metres.

What was heard is in metres of path, whatever the list is in. Where the list does not fit that as metres, as it is
or with two channels exchanged (exchanges.py), and in another unit it does, and far better, that is its unit. An array so
small that all of it is within what tapes are off by fits in any unit: it is in metres.
"""

from dataclasses import replace

import numpy as np

from soundfix.calibration.bundle import Arrivals
from soundfix.calibration.channel_orders import Order, plain_order
from soundfix.calibration.exchanges import FITS, coarse_misfit, order_of
from soundfix.calibration.initial_guess import box_of
from soundfix.errors import SceneError
from soundfix.microphones import Microphones
from soundfix.physics import OTHER_UNITS_M
from soundfix.scene import Room

METRES = "metres"
FAR_BETTER = 0.5  # of what an arrival costs as metres


def unit_of(arrivals: Arrivals, microphones: Microphones, room: Room | None, rng: np.random.Generator) -> str:
    """Metres, or the other unit that the list is in."""
    best, least = METRES, _misfit(arrivals, microphones, room, rng)
    if least < FITS:
        return METRES
    least = min(FITS, FAR_BETTER * least)
    for unit in OTHER_UNITS_M:
        try:
            misfit = _misfit(arrivals, in_metres(microphones, unit), room, rng)
        except SceneError:  # microphones within each other
            continue
        if misfit < least:
            best, least = unit, misfit
    return best


def unit_and_order(
    arrivals: Arrivals, microphones: Microphones, room: Room | None, rng: np.random.Generator
) -> tuple[str, Order]:
    """In which unit the list is, and of every channel the row that is its own: plain exchanges before units are doubted."""
    one, other = rng.spawn(2)
    plain = plain_order(arrivals.path_m, microphones.border_positions(), box_of(microphones, room), other)
    if plain is not None:
        return METRES, plain
    unit = unit_of(arrivals, microphones, room, one)
    listed = in_metres(microphones, unit)
    return unit, order_of(arrivals, listed.border_positions(), box_of(listed, room), rng)


def in_metres(microphones: Microphones, unit: str) -> Microphones:
    """The same, of a list in this unit."""
    if unit == METRES:
        return microphones
    return replace(microphones, positions=microphones.border_positions() * OTHER_UNITS_M[unit])


def _misfit(arrivals: Arrivals, microphones: Microphones, room: Room | None, rng: np.random.Generator) -> float:
    return coarse_misfit(arrivals, microphones.border_positions(), box_of(microphones, room), rng)
