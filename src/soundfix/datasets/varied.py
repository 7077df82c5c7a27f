"""Test sets in which one thing is varied, and all else is drawn alike: clip k of every value comes of the same numbers.

rooms-by-size           rooms of 20, 60 and 200 m2 and arrays as in clean-rooms
luvira-by-reverberation the studio as in luvira-like, T60 (asked for) 0.2 to 1.5 s
luvira-wrong-lists      luvira-twin, whose list is wrong as a whole, or one by one
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from soundfix.datasets.wrong_lists import ListError
from soundfix.simulation.worlds import CLEAN_ROOMS, LUVIRA_LIKE, LUVIRA_TWIN, World

SIZES_M = {"20": (5.0, 4.0, 2.6), "60": (8.0, 7.5, 3.0), "200": (16.0, 12.5, 4.0)}  # floor (m2): x, y, height
T60S_S = (0.2, 0.4, 0.6, 0.8, 1.0, 1.5)
SHIFTS_M, TURNS_DEG, SCALES, RANDOM_M = (0.05, 0.1, 0.2), (1, 2, 4), (0.01, 0.02), (0.05, 0.1, 0.2)
LISTS = {
    ("exact", "0"): ListError(kind="exact"),
    **{("wall", f"{100 * shift:g} cm"): ListError(kind="wall", amount=shift) for shift in SHIFTS_M},
    **{("turned", f"{turn}°"): ListError(kind="turned", amount=np.deg2rad(turn)) for turn in TURNS_DEG},
    **{("scaled", f"{100 * scale:g} %"): ListError(kind="scaled", amount=scale) for scale in SCALES},
    **{("random", f"{100 * error:g} cm"): ListError(kind="random", amount=error) for error in RANDOM_M},
}


class Variation(NamedTuple):
    """One value of what is varied. labels: how tables tell it apart. error: of the list, if that is wrong."""

    labels: Mapping[str, str]
    world: World
    error: ListError | None = None


VARIED: Mapping[str, tuple[Variation, ...]] = MappingProxyType(
    {
        "rooms-by-size": tuple(
            Variation({"floor": f"{area} m2"}, replace(CLEAN_ROOMS, size_m=size)) for area, size in SIZES_M.items()
        ),
        "luvira-by-reverberation": tuple(
            Variation({"T60": f"{t60:g} s"}, replace(LUVIRA_LIKE, rt60_s=(t60, t60))) for t60 in T60S_S
        ),
        "luvira-wrong-lists": tuple(
            Variation({"list": kind, "by": by}, LUVIRA_TWIN, error) for (kind, by), error in LISTS.items()
        ),
    }
)
