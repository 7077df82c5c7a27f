"""What a picture of estimates shows, flat or in space: arrays of sources and microphones, gathered once."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from soundfix.estimate import Estimate, MicrophoneReport
from soundfix.microphones import Microphones
from soundfix.scene import Room

USED = ("ok", "clipped", "inverted")  # what an answer still listens to
MARGIN_SHARE = 0.1  # round microphones and sources, where no room is given


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """K sources of all windows, and the M microphones that have a place.

    time_s: middle of each source's window. is_candidate: one of several places that explain the same sound.
    captions: a microphone's name, and its status where it is not ok. is_estimated: placed by the answer, not by the list.
    unanswered_s: middles of the windows without an answer.
    """

    box: Float[np.ndarray, "2 3"]
    windows: int
    time_s: Float[np.ndarray, "source"]
    positions: Float[np.ndarray, "source 3"]
    covariances: Float[np.ndarray, "source 3 3"]
    is_candidate: Bool[np.ndarray, "source"]
    unanswered_s: Float[np.ndarray, "window"]
    captions: tuple[str, ...]
    microphones: Float[np.ndarray, "mic 3"]
    is_used: Bool[np.ndarray, "mic"]
    is_estimated: Bool[np.ndarray, "mic"]


def gather(estimates: Iterable[Estimate], microphones: Microphones, room: Room | None) -> Picture:
    """Everything to draw. A microphone's status is the one it has in most windows."""
    answers = list(estimates)
    found = [
        (_middle(answer), answer.verdict == "ambiguous", source) for answer in answers for source in answer.sources
    ]
    positions = np.array([source.position_m for *_, source in found]).reshape(-1, 3)
    places, names = _places(microphones, answers), microphones.names
    statuses = [_status(name, answers) for name in names]
    drawn = np.flatnonzero(~np.isnan(places[:, 0]))
    return Picture(
        box=_box(np.concatenate([positions, places[drawn]]), room),
        windows=len(answers),
        time_s=np.array([time_s for time_s, *_ in found], dtype=np.float64),
        positions=positions,
        covariances=np.array([source.covariance_m2 for *_, source in found]).reshape(-1, 3, 3),
        is_candidate=np.array([is_candidate for _, is_candidate, _ in found], dtype=bool),
        unanswered_s=np.array([_middle(answer) for answer in answers if not answer.sources], dtype=np.float64),
        captions=tuple(names[m] if statuses[m] == "ok" else f"{names[m]}: {statuses[m]}" for m in drawn),
        microphones=places[drawn],
        is_used=np.array([statuses[m] in USED for m in drawn], dtype=bool),
        is_estimated=~microphones.is_known[drawn],
    )


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
