"""Answers as ODAS sends them (Grondin et al., 2022), for viewers made for it: JSON messages, a line each.

Tracked sources (SST): {"timeStamp", "src": [{"id", "tag", "x", "y", "z", "activity"}, ...]}; potential ones (SSL):
{"timeStamp", "src": [{"x", "y", "z", "E"}, ...]}. x, y, z: the unit vector from the middle of the microphones to the source,
in the axes of their list. timeStamp: number of the hop. As in ODAS there are always SLOTS entries; an empty one has id 0
and zeros. activity and E are the answer's score, at most 1: evidence of the pairs, 1 for a clean sound.
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


def tracked_line(estimate: Estimate, microphones: Microphones, number: int) -> str:
    """SST: of an answer whose sources are alternatives, the likeliest alone."""
    sources = estimate.sources[:1] if estimate.verdict in ("ambiguous", "direction only") else estimate.sources[:SLOTS]
    told = [
        {"id": k, "tag": "dynamic"} | _direction(source, microphones) | {"activity": _share(source)}
        for k, source in enumerate(sources, 1)
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


def _direction(source: Source, microphones: Microphones) -> dict[str, float]:
    away = source.position_m - middle(microphones)
    unit = away / max(float(np.linalg.norm(away)), 1e-9)
    return dict(zip("xyz", (round(float(each), DIGITS) for each in unit), strict=True))


def _share(source: Source) -> float:
    return round(float(np.clip(source.score, 0.0, 1.0)), DIGITS)


def _line(number: int, told: list[dict], empty: dict) -> str:
    return json.dumps({"timeStamp": number, "src": told + [empty] * (SLOTS - len(told))})
