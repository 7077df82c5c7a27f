"""Answers as DCASE's sound event localization and detection writes them: a CSV without a header, a line for each source in
each frame of 100 ms.

    frame, class, source, azimuth, elevation, distance

all whole numbers: the frame from 0; angles in degrees as the listener hears it, azimuth 0 ahead and growing to the left
(-180 to 180), elevation growing upwards; the distance in cm. A direction has no distance, and its lines end before it.
class: of an event whose label is a number, that; else the place in CLASSES of the likeliest kind. source: the track, or
without tracks the number of the place in its window.
"""

from math import ceil
from typing import NamedTuple

import numpy as np

from soundfix.estimate import KINDS, Estimate, Source
from soundfix.report.recorded import Listener, Recorded, likeliest, places

FRAME_S = 0.1
CLASSES = KINDS[:3]  # speech, music, other
OTHER = CLASSES.index("other")
NEAR_M = 0.5  # a listener so near the middle of an array sees what is far away in the same direction
EDGE = 1e-6  # of a frame: what a sum of decimal fractions is off by
MOST_DIGITS = 9  # of a class


class Seen(NamedTuple):
    """A source from the listener's place, in degrees and m; distance_m: None where nobody knows."""

    azimuth_deg: float
    elevation_deg: float
    distance_m: float | None


def seld_lines(estimate: Estimate, recorded: Recorded) -> str:
    """The lines of an answer: each frame whose middle is in what it stands for, and of an event one at least."""
    assert recorded.listener is not None, "formats.py has asked for it"
    told = [
        f"{_class(estimate, source)},{number if source.track is None else source.track},{_cells(seen)}"
        for number, (source, seen) in enumerate(_seen(estimate, recorded.listener))
    ]
    return "".join(f"{frame},{line}\n" for frame in _frames(estimate, recorded) for line in told)


def _frames(estimate: Estimate, recorded: Recorded) -> range:
    start_s, end_s = recorded.span(estimate)
    first, last = (max(0, ceil(time_s / FRAME_S - 0.5 - EDGE)) for time_s in (start_s, end_s))
    return range(first, max(last, first + 1) if estimate.event else last)


def _seen(estimate: Estimate, listener: Listener) -> list[tuple[Source, Seen]]:
    """Of a direction the likelier side."""
    direction = estimate.direction
    if direction is None:
        return [(source, _from(listener, source)) for source in places(estimate)]
    if np.linalg.norm(direction.from_m - listener.position_m) > NEAR_M:
        return []
    seen = Seen(direction.azimuth_deg - listener.heading_deg, direction.elevation_deg, None)
    return [(estimate.sources[0], seen)]


def _from(listener: Listener, source: Source) -> Seen:
    x, y, z = (source.position_m - listener.position_m).tolist()
    azimuth, elevation = np.degrees([np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))])
    return Seen(azimuth - listener.heading_deg, elevation, float(np.linalg.norm([x, y, z])))


def _cells(seen: Seen) -> str:
    azimuth = round((seen.azimuth_deg + 180.0) % 360.0 - 180.0)
    distance = "" if seen.distance_m is None else f",{round(100 * seen.distance_m)}"
    return f"{azimuth},{round(seen.elevation_deg)}{distance}"


def _class(estimate: Estimate, source: Source) -> int:
    label = estimate.event.label if estimate.event else ""
    if label.isdecimal() and len(label) <= MOST_DIGITS:
        return int(label)
    kind = likeliest(source)
    return CLASSES.index(kind) if kind in CLASSES else OTHER
