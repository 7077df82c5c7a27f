"""Who is who: every source of every window gets the number of its track, which stays through pauses and crossings.

`tracked` is for recordings: an answer waits until the windows of LAG_S after it have been heard. Tracker is live, and says
at once what is likeliest by now. Both follow several hypotheses (association.py). A track is told from its third fix on; in
a recording its first two have its number as well. Places stay those of the windows, or become the track's (smooth): smoothed
back over LAG_S, filtered where it is live.

Windows that abstain, and those that tell a direction only, have no places to follow.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from soundfix.estimate import AMBIGUITIES, Estimate, Finding, Source
from soundfix.tracking.association import (
    BEGINNING,
    BOTH,
    CONFIRMED,
    Alternative,
    Hypothesis,
    Reading,
    Said,
    Window,
    followed,
    settled,
)
from soundfix.tracking.kalman import Fix, State, smoothed_back
from soundfix.tracking.smoother import SMOOTHED
from soundfix.tracking.track import PAUSE_S, Track

LAG_S = 3.0
MARGIN_M, LEAST_BOX_M3 = 1.0, 30.0  # sources are so far beyond the box of the microphones; and in no smaller box
USUAL_BOX_M3 = 100.0  # where nothing is known of microphones
RETURNED, RESUMED = "track_returned", "track_resumed"


class Predicted(NamedTuple):
    """Where a track is expected: position_m (3,), covariance_m2 (3, 3)."""

    track: int
    position_m: Float[np.ndarray, "3"]
    covariance_m2: Float[np.ndarray, "3 3"]


def tracked(estimates: Iterable[Estimate], *, lag_s: float = LAG_S, smooth: bool = False) -> Iterator[Estimate]:
    """The estimates of a recording, whose sources say which track they are of; each after those of lag_s have come.

    smooth: their places and regions are those of the tracks, smoothed back over lag_s.
    """
    tracker, waiting = _Association(lag_s), deque[Estimate]()
    for estimate in estimates:
        waiting.append(estimate)
        tracker.hear(estimate)
        while waiting and _middle_s(waiting[0]) < _middle_s(estimate) - lag_s:
            yield tracker.settle(waiting.popleft(), smooth)
    while waiting:
        yield tracker.settle(waiting.popleft(), smooth)


class Tracker:
    """Live: estimates go in by `add`, one window after the other, and come out with the tracks that are likeliest by now.

    lag_s: how long other explanations of a window are kept. smooth: places are those of the tracks. Memory is bounded.
    """

    def __init__(self, *, lag_s: float = LAG_S, smooth: bool = False) -> None:
        self._lag_s, self._smooth = lag_s, smooth
        self._association = _Association(lag_s)
        self._times_s = deque[float]()

    def add(self, estimate: Estimate) -> Estimate:
        """The estimate, whose sources say which track they are of: None where that is not clear yet."""
        self._association.hear(estimate)
        self._times_s.append(_middle_s(estimate))
        said = self._association.latest(estimate, self._smooth)
        while self._times_s[0] < self._times_s[-1] - self._lag_s:
            self._association.forget()
            self._times_s.popleft()
        return said

    def predicted(self, time_s: float) -> tuple[Predicted, ...]:
        """Where the tracks that were heard lately (PAUSE_S) are expected at this time (s)."""
        return self._association.predicted(time_s)


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What one window says: of each source the number and the track, with what later windows made of its state."""

    number: int
    track: Track
    state: State


class _Association:
    """The hypotheses, and the numbers that tracks were told by."""

    def __init__(self, lag_s: float) -> None:
        self._lag_s = lag_s
        self._hypotheses: list[Hypothesis] = [BEGINNING]
        self._numbers: dict[int, int] = {}
        self._next_key, self._next_number, self._before_s = 0, 1, -np.inf
        self._box_m3 = USUAL_BOX_M3

    def hear(self, estimate: Estimate) -> None:
        """One window more."""
        self._box_m3 = _box_m3(estimate) or self._box_m3
        window = Window(
            time_s=_middle_s(estimate),
            before_s=self._before_s,
            readings=_readings(estimate),
            first_key=self._next_key,
            log_box=float(-np.log(self._box_m3)),
        )
        self._hypotheses = followed(self._hypotheses, window)
        self._next_key += len(estimate.sources)
        self._before_s = window.time_s
        self._forget_numbers()

    def latest(self, estimate: Estimate, smooth: bool) -> Estimate:
        """The last window, as the best hypothesis has it."""
        best = self._hypotheses[0]
        return _with_tracks(estimate, self._told(best.said[-1], best), smooth)

    def settle(self, estimate: Estimate, smooth: bool) -> Estimate:
        """The oldest window, as the best hypothesis has it; the others that have it otherwise are dropped."""
        told = self._told(self._hypotheses[0].said[0], self._hypotheses[0])
        self.forget()
        return _with_tracks(estimate, told, smooth)

    def forget(self) -> None:
        """The oldest window is settled."""
        _, self._hypotheses = settled(self._hypotheses)

    def predicted(self, time_s: float) -> tuple[Predicted, ...]:
        """Of the tracks of the best hypothesis."""
        heard = [
            each for each in self._hypotheses[0].tracks if each.hits >= CONFIRMED and time_s - each.time_s < PAUSE_S
        ]
        states = [(self._number(track.key), track.ways(time_s)[0].state) for track in heard]
        return tuple(Predicted(number, state.mean[:3], state.covariance[:3, :3]) for number, state in states)

    def _told(self, said: Said, best: Hypothesis) -> dict[int, _Told]:
        """By the source's number, of tracks that are confirmed by now."""
        found = {}
        for source, track in said.tracks.items():
            later = _later(track, best.said)
            if later[-1].hits >= CONFIRMED:
                found[source] = _Told(number=self._number(track.key), track=track, state=_seen_from_later(later))
        return found

    def _number(self, key: int) -> int:
        if key not in self._numbers:
            self._numbers[key] = self._next_number
            self._next_number += 1
        return self._numbers[key]

    def _forget_numbers(self) -> None:
        alive = {track.key for each in self._hypotheses for track in each.tracks}
        self._numbers = {key: number for key, number in self._numbers.items() if key in alive}


def _middle_s(estimate: Estimate) -> float:
    return float(estimate.start_s + estimate.end_s) / 2


def _readings(estimate: Estimate) -> list[Reading]:
    """What its sources may be: several at once, or alternatives of one; where an array cannot tell, only these."""
    if estimate.direction is not None:
        return [Reading(0.0, [])]
    each = [
        Alternative(number, Fix(source.position_m, source.covariance_m2))
        for number, source in enumerate(estimate.sources)
    ]
    apart = [[alternative] for alternative in each]
    if not any(code in AMBIGUITIES for code in estimate.reasons):
        return [Reading(0.0, apart)]
    if "several_places" not in estimate.reasons:
        return [Reading(0.0, [each])]
    return [Reading(float(np.log1p(-BOTH)), [each]), Reading(float(np.log(BOTH)), apart)]


def _box_m3(estimate: Estimate) -> float | None:
    """The volume in which sources are, by where microphones stand."""
    places = [each.position_m for each in estimate.microphones if each.position_m is not None]
    if len(places) < 2:
        return None
    return max(float(np.prod(np.ptp(places, axis=0) + 2 * MARGIN_M)), LEAST_BOX_M3)


def _later(track: Track, said: Sequence[Said]) -> list[Track]:
    """The track at its fix, and at all fixes after it."""
    after = [each for window in said for each in window.tracks.values() if each.key == track.key]
    return [track, *(each for each in after if each.time_s > track.time_s)]


def _seen_from_later(tracks: Sequence[Track]) -> State:
    """What all of them make of the first one's state."""
    state = tracks[-1].state
    for before, after in zip(tracks[-2::-1], tracks[:0:-1], strict=True):
        assert after.came is not None
        state = smoothed_back(before.state, after.came.move, after.came.state, state)
    return state


def _with_tracks(estimate: Estimate, told: dict[int, _Told], smooth: bool) -> Estimate:
    """The estimate, whose sources say their track; and which of them came back."""
    if not told:
        return estimate
    sources = [
        _of_track(source, told[number], smooth) if number in told else source
        for number, source in enumerate(estimate.sources)
    ]
    came_back = [finding for each in told.values() for finding in _came_back(each)]
    estimate = replace(estimate, sources=tuple(sources)).with_findings(*came_back)
    return replace(estimate, regions=SMOOTHED) if smooth else estimate


def _of_track(source: Source, told: _Told, smooth: bool) -> Source:
    source = replace(source, track=told.number)
    if not smooth:
        return source
    return replace(source, position_m=told.state.mean[:3]).spread(told.state.covariance[:3, :3])


def _came_back(told: _Told) -> list[Finding]:
    track = told.track
    if track.came is None or not track.has_paused:
        return []
    after = f"track {told.number}, silent for {track.paused_s:.1f} s,"
    if track.came.way == "stood":
        return [Finding(f"{RETURNED}:{told.number}", f"{after} is back within the region of its place", degrades=False)]
    return [Finding(f"{RESUMED}:{told.number}", f"{after} goes on elsewhere: it was on its way", degrades=False)]
