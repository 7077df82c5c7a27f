"""What a picture of estimates shows, flat or in space: arrays of sources and microphones, gathered once."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from soundfix.estimate import Direction, Estimate, MicrophoneReport, Source
from soundfix.microphones import Microphones
from soundfix.scene import Room

USED = ("ok", "clipped", "inverted")  # what an answer still listens to
RIM = 24  # points on the rim of a cone
MARGIN_SHARE = 0.1  # round microphones and sources, where no room is given


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """K sources of all windows, and the M microphones that have a place.

    time_s: middle of each source's window. is_candidate: one of several places that explain the same sound.
    captions: a microphone's name, and its status where it is not ok. is_estimated: placed by the answer, not by the list.
    directions: of windows that tell no more, with their middles, each side of a plane for itself; rays: from the array to
    as far as they were sought; cones: points on the rim of the cone there. unanswered_s: middles of the windows without an
    answer.
    """

    box: Float[np.ndarray, "2 3"]
    windows: int
    time_s: Float[np.ndarray, "source"]
    positions: Float[np.ndarray, "source 3"]
    covariances: Float[np.ndarray, "source 3 3"]
    is_candidate: Bool[np.ndarray, "source"]
    directions: tuple[tuple[float, Direction], ...]
    rays: Float[np.ndarray, "ray end 3"]
    cones: Float[np.ndarray, "ray rim 3"]
    unanswered_s: Float[np.ndarray, "window"]
    captions: tuple[str, ...]
    microphones: Float[np.ndarray, "mic 3"]
    is_used: Bool[np.ndarray, "mic"]
    is_estimated: Bool[np.ndarray, "mic"]

    def moved(self, by_m: Float[np.ndarray, "3"]) -> "Picture":
        """The same picture elsewhere."""
        places = ("box", "positions", "rays", "cones", "microphones")
        return replace(self, **{name: getattr(self, name) + by_m for name in places})


def gather(estimates: Iterable[Estimate], microphones: Microphones, room: Room | None) -> Picture:
    """Everything to draw. A microphone's status is the one it has in most windows."""
    answers = list(estimates)
    found = [
        (_middle(answer), answer.verdict == "ambiguous", source)
        for answer in answers
        for source in answer.sources
        if answer.direction is None
    ]
    sides = [
        (_middle(answer), side, source)
        for answer in answers
        if answer.direction
        for side, source in zip(answer.direction.sides, answer.sources, strict=False)
    ]
    rays = np.array([[side.from_m, _end(side, source)] for _, side, source in sides]).reshape(-1, 2, 3)
    positions = np.array([source.position_m for *_, source in found]).reshape(-1, 3)
    places, names = _places(microphones, answers), microphones.names
    statuses = [_status(name, answers) for name in names]
    drawn = np.flatnonzero(~np.isnan(places[:, 0]))
    return Picture(
        box=_box(np.concatenate([positions, places[drawn], rays[:, 1]]), room),
        windows=len(answers),
        time_s=np.array([time_s for time_s, *_ in found], dtype=np.float64),
        positions=positions,
        covariances=np.array([source.covariance_m2 for *_, source in found]).reshape(-1, 3, 3),
        is_candidate=np.array([is_candidate for _, is_candidate, _ in found], dtype=bool),
        directions=tuple((time_s, side) for time_s, side, _ in sides),
        rays=rays,
        cones=np.array([_rim(side, ray) for (_, side, _), ray in zip(sides, rays, strict=True)]).reshape(-1, RIM, 3),
        unanswered_s=np.array([_middle(answer) for answer in answers if not answer.sources], dtype=np.float64),
        captions=tuple(names[m] if statuses[m] == "ok" else f"{names[m]}: {statuses[m]}" for m in drawn),
        microphones=places[drawn],
        is_used=np.array([statuses[m] in USED for m in drawn], dtype=bool),
        is_estimated=~microphones.is_known[drawn],
    )


def _end(side: Direction, source: Source) -> Float[np.ndarray, "3"]:
    """Of the ray: its source is in the middle."""
    return side.from_m + 2 * float(np.linalg.norm(source.position_m - side.from_m)) * side.unit


def _rim(side: Direction, ray: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "rim 3"]:
    """Of the cone, at the end of its ray."""
    across = np.linalg.svd(side.unit[None])[2][1:]
    turn = 2 * np.pi * np.arange(RIM) / RIM
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1) @ across
    opening = np.radians(side.cone90_deg)
    return ray[0] + np.linalg.norm(ray[1] - ray[0]) * (np.cos(opening) * side.unit + np.sin(opening) * circle)


def _middle(answer: Estimate) -> float:
    return (answer.start_s + answer.end_s) / 2


def _reports(name: str, answers: Sequence[Estimate]) -> list[MicrophoneReport]:
    return [report for answer in answers for report in answer.microphones if report.name == name]


def _status(name: str, answers: Sequence[Estimate]) -> str:
    counted = Counter(report.status for report in _reports(name, answers))
    return counted.most_common(1)[0][0] if counted else "ok"


def _places(microphones: Microphones, answers: Sequence[Estimate]) -> Float[np.ndarray, "mic 3"]:
    """Known positions; for the others the last one estimated, or NaN."""
    places = microphones.border_positions()
    for m in np.flatnonzero(~microphones.is_known):
        for report in _reports(microphones.names[m], answers):
            if report.position_m is not None:
                places[m] = report.position_m
    return places


def _box(points: Float[np.ndarray, "point 3"], room: Room | None) -> Float[np.ndarray, "2 3"]:
    """The room, or what holds all that is drawn with a little air."""
    if room is not None:
        return np.array(room, dtype=np.float64)
    if not len(points):
        return np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    low, high = points.min(axis=0), points.max(axis=0)
    margin = MARGIN_SHARE * max(float((high - low).max()), 1.0)
    return np.stack([low - margin, high + margin])
