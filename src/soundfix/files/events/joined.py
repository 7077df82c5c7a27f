"""One sound that several recorders list, each in a row of its own, is one event."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from soundfix.events import SoundEvent

LEAST_OVERLAP = 0.5  # of the shorter one: two calls in a row are two


def joined(events: Iterable[SoundEvent]) -> list[SoundEvent]:
    """In order of time. Rows of different recorders, with the same label, that are mostly at the same time are one event;
    one that names several recorders, or none, is whole as it is. Times are those of the recording."""
    kept: dict[str, list[SoundEvent]] = defaultdict(list)
    for event in sorted(events, key=_time):
        alike = kept[event.label]
        same = max(_candidates(alike, event), key=lambda number: _overlap_s(alike[number], event), default=None)
        if same is None:
            alike.append(event)
        else:
            alike[same] = alike[same].with_row(event)
    return sorted((event for alike in kept.values() for event in alike), key=_time)


def _candidates(alike: list[SoundEvent], event: SoundEvent) -> Iterator[int]:
    """Numbers of those that it may be, back to the last one that was over before it."""
    for number in range(len(alike) - 1, -1, -1):
        other = alike[number]
        if len(event.stations) != 1 or _time(other)[1] < _time(event)[0]:
            return
        is_new = bool(other.stations) and event.stations[0] not in other.stations
        shorter_s = min(other.end_s - other.start_s, event.end_s - event.start_s)
        if is_new and _overlap_s(other, event) > LEAST_OVERLAP * shorter_s:
            yield number


def _overlap_s(one: SoundEvent, other: SoundEvent) -> float:
    (start_s, end_s), (other_start_s, other_end_s) = _time(one), _time(other)
    return min(end_s, other_end_s) - max(start_s, other_start_s)


def _time(event: SoundEvent) -> tuple[float, float]:
    return event.start_s, event.end_s
