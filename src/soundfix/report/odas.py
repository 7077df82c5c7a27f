"""Answers as ODAS sends them (Grondin et al., 2022), for viewers made for it: JSON messages, a line each.

Tracked sources (SST): {"timeStamp", "src": [{"id", "tag", "x", "y", "z", "activity"}, ...]}; potential ones (SSL):
{"timeStamp", "src": [{"x", "y", "z", "E"}, ...]}. x, y, z: the unit vector from the middle of the microphones to the source,
in the axes of their list. id: of the track; a source of none is not tracked, but for a direction, which nobody follows.
timeStamp: number of the hop. As in ODAS there are always SLOTS entries; an empty one has id 0 and zeros. activity and E are
the answer's score, at most 1: evidence of the pairs, 1 for a clean sound.
"""

import json

import numpy as np
from jaxtyping import Float

from soundfix.estimate import Estimate, Source
from soundfix.microphones import Microphones

SLOTS = 4
EMPTY = {"id": 0, "tag": "", "x": 0.0, "y": 0.0, "z": 0.0, "activity": 0.0}
NOTHING = {"x": 0.0, "y": 0.0, "z": 0.0, "E": 0.0}
DIGITS = 4
ONE = 1  # id of a direction


def tracked_line(estimate: Estimate, microphones: Microphones, number: int) -> str:
    """SST: of an answer whose sources say their track."""
    told = [
        {"id": track, "tag": "dynamic"} | _direction(source, microphones) | {"activity": _share(source)}
        for track, source in _followed(estimate)[:SLOTS]
    ]
    return _line(number, told, EMPTY)


def potential_line(estimate: Estimate, microphones: Microphones, number: int) -> str:
    """SSL: every place that is told, alternatives too."""
    told = [_direction(source, microphones) | {"E": _share(source)} for source in estimate.sources[:SLOTS]]
    return _line(number, told, NOTHING)


def middle(microphones: Microphones) -> Float[np.ndarray, "3"]:
    """Of those whose position is known (m)."""
    place: np.ndarray = microphones.positions[microphones.is_known].mean(axis=0)
    return place


def _followed(estimate: Estimate) -> list[tuple[int, Source]]:
    """With their ids; of a direction the likelier side."""
    if estimate.direction is not None:
        return [(ONE, source) for source in estimate.sources[:1]]
    return [(source.track, source) for source in estimate.sources if source.track is not None]


def _direction(source: Source, microphones: Microphones) -> dict[str, float]:
    away = source.position_m - middle(microphones)
    unit = away / max(float(np.linalg.norm(away)), 1e-9)
    return dict(zip("xyz", (round(float(each), DIGITS) for each in unit), strict=True))


def _share(source: Source) -> float:
    return round(float(np.clip(source.score, 0.0, 1.0)), DIGITS)


def _line(number: int, told: list[dict], empty: dict) -> str:
    return json.dumps({"timeStamp": number, "src": told + [empty] * (SLOTS - len(told))})
