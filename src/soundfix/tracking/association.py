"""Which fix is of which track: multiple hypotheses (Reid 1979), with the best K kept.

A hypothesis says of every fix of the last windows whose it was: of a track, of a new one, or of none (an outlier). It is as
probable as the densities of its fixes and the shares below say. With K = 1 this is the global nearest neighbour. What is
older than the lag is settled: hypotheses that have it otherwise than the best are dropped.

A window's fixes: places of several sources, each of another track; or alternatives of one source, of which one is right, or
sometimes all, where each is of a track of its own: a window has several readings.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from soundfix.tracking.kalman import Fix
from soundfix.tracking.track import PAUSE_S, Expected, Track, born

KEPT = 8  # hypotheses; see docs/tracks.md
UNLIKELY = 14.0  # nats behind the best
OUTLIER, BEGINS = 0.07, 0.1  # share of fixes that are nobody's, and of those with which somebody begins to sound
NEW = 0.2  # how often somebody new has begun before anybody did: turns are shared out as in the Chinese restaurant process
HEARD, AGAIN = 0.7, 0.3  # a track is heard after it just was, and after a pause that is none
CONFIRMED = 3  # fixes that make a track
UNCONFIRMED_S = 2.0  # a track of fewer is forgotten after this silence
MOST_TRACKS = 24  # that are remembered, the last heard
MOST_CHOICES, MOST_WAYS = 5, 6  # that one hypothesis has to take a fix, and a window
BOTH = 0.2  # share of windows with alternatives in which all of them sound


class Alternative(NamedTuple):
    """A place that a window's source number `number` may have."""

    number: int
    fix: Fix


class Said(NamedTuple):
    """Of one window: which track each of its sources is of, by the source's number; of the others, of none."""

    tracks: dict[int, Track]


class Hypothesis(NamedTuple):
    """score: log probability, but for a constant. tracks: all that are remembered. said: of the windows not settled."""

    score: float
    tracks: tuple[Track, ...]
    said: tuple[Said, ...]


class Reading(NamedTuple):
    """fixes: of each source the alternatives."""

    log_share: float
    fixes: Sequence[Sequence[Alternative]]


class Window(NamedTuple):
    """time_s: its middle; before_s: that of the window before. first_key: of tracks that begin here. log_box: log of one
    over the volume (m³) in which sources are."""

    time_s: float
    before_s: float
    readings: Sequence[Reading]
    first_key: int
    log_box: float


class _Choice(NamedTuple):
    """Of one fix: score, number of the track (-1: an outlier, -2: a new one), which alternative, and how it came there."""

    score: float
    track: int
    alternative: Alternative
    way: Expected | None


BEGINNING = Hypothesis(0.0, (), ())
Memory = dict[tuple[int, int], tuple[float, Expected]]  # of tracks and alternatives: the likelier way, computed once


def followed(hypotheses: Sequence[Hypothesis], window: Window, kept: int = KEPT) -> list[Hypothesis]:
    """The hypotheses after this window, the best first."""
    found, seen = list[Hypothesis](), set[frozenset[tuple[int, float, int]]]()
    memory: Memory = {}
    ways = [(score, parent, chosen) for parent in hypotheses for score, chosen in _ways(parent, window, memory)]
    ways.sort(key=lambda way: -way[0])
    for score, parent, chosen in ways:
        if len(found) == kept or score < ways[0][0] - UNLIKELY:
            break
        child = _child(score - ways[0][0], parent, chosen, window)
        alike = frozenset((track.key, track.time_s, track.hits) for track in child.tracks)
        if alike not in seen:
            seen.add(alike)
            found.append(child)
    return found


def settled(hypotheses: Sequence[Hypothesis]) -> tuple[Said, list[Hypothesis]]:
    """What the best one says of the oldest window, and those that agree with it, without that window."""
    oldest = hypotheses[0].said[0]
    agree = [each for each in hypotheses if _keys(each.said[0]) == _keys(oldest)]
    return oldest, [each._replace(said=each.said[1:]) for each in agree]


def _keys(said: Said) -> dict[int, int]:
    return {number: track.key for number, track in said.tracks.items()}


def _ways(parent: Hypothesis, window: Window, memory: Memory) -> list[tuple[float, tuple[_Choice, ...]]]:
    """The likeliest ways to take the window, with their scores."""
    ways = []
    for reading in window.readings:
        choices = [
            sorted(_choices(parent.tracks, fix, window, memory), key=lambda choice: -choice.score)[:MOST_CHOICES]
            for fix in reading.fixes
        ]
        before = parent.score + reading.log_share
        for chosen in _without_conflict(choices, frozenset()):
            score = before + sum(choice.score for choice in chosen) + _missed(parent.tracks, chosen, window)
            ways.append((score, chosen))
    return sorted(ways, key=lambda way: -way[0])[:MOST_WAYS]


def _choices(
    tracks: Sequence[Track], alternatives: Sequence[Alternative], window: Window, memory: Memory
) -> Iterator[_Choice]:
    """What one fix may be: an outlier, a new track, or of a track."""
    each, turns = -float(np.log(len(alternatives))), sum(track.turns for track in tracks)
    new = float(np.log(BEGINS * NEW / (turns + NEW))) + window.log_box + each
    outlier = float(np.log(OUTLIER)) + window.log_box
    yield _Choice(outlier, -1, alternatives[0], None)
    for alternative in alternatives:
        yield _Choice(new, -2, alternative, None)
        for place, track in enumerate(tracks):
            key = (id(track), alternative.number)
            if key not in memory:
                memory[key] = track.best_way(window.time_s, alternative.fix)
            density, way = memory[key]
            score = density + float(np.log(_is_heard(track, window, turns))) + each
            if score > outlier - UNLIKELY:
                yield _Choice(score, place, alternative, way)


def _is_heard(track: Track, window: Window, turns: int) -> float:
    """How probable it is that a track is heard in a window; turns: of all."""
    if track.time_s >= window.before_s:
        return HEARD
    if window.time_s - track.time_s < PAUSE_S:
        return AGAIN
    return BEGINS * track.turns / (turns + NEW)


def _missed(tracks: Sequence[Track], chosen: Sequence[_Choice], window: Window) -> float:
    """What it costs that tracks are not heard that just were; the rest of a silence costs nothing more."""
    heard = {choice.track for choice in chosen}
    fell_silent = [t for t, track in enumerate(tracks) if track.time_s >= window.before_s and t not in heard]
    return len(fell_silent) * float(np.log(1 - HEARD))


def _without_conflict(choices: list[list[_Choice]], taken: frozenset[int]) -> Iterator[tuple[_Choice, ...]]:
    """One choice a fix, no track twice."""
    if not choices:
        yield ()
        return
    for choice in choices[0]:
        if choice.track not in taken:
            rest = taken | {choice.track} if choice.track >= 0 else taken
            for others in _without_conflict(choices[1:], rest):
                yield (choice, *others)


def _child(score: float, parent: Hypothesis, chosen: Sequence[_Choice], window: Window) -> Hypothesis:
    tracks, said = list(parent.tracks), dict[int, Track]()
    for turn, choice in enumerate(chosen):
        if choice.track == -1:
            continue
        if choice.way is None:
            track = born(window.first_key + turn, window.time_s, choice.alternative.fix)
            tracks.append(track)
        else:
            track = tracks[choice.track].with_fix(window.time_s, choice.alternative.fix, choice.way)
            tracks[choice.track] = track
        said[choice.alternative.number] = track
    return Hypothesis(score, _remembered(tracks, window.time_s), (*parent.said, Said(said)))


def _remembered(tracks: Sequence[Track], time_s: float) -> tuple[Track, ...]:
    kept = [track for track in tracks if track.hits >= CONFIRMED or time_s - track.time_s < UNCONFIRMED_S]
    return tuple(sorted(kept, key=lambda track: -track.time_s)[:MOST_TRACKS])
