"""The files of recorders on one line of time: seconds from where the first recorder begins.

Files of one recorder follow each other as their times say; between them there is no sound. No recorder hears a moment
twice: where the next file begins before the end of the one before, it is heard from there on. If that is so by less than
a second, though the times are whole seconds, they were cut to seconds, and files less than a second apart follow each
other directly. What a clock drifts in a file (DRIFT_S) is no such overlap.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import NamedTuple

from soundfix.errors import AudioFileError
from soundfix.files.decoding import AudioFile
from soundfix.files.start_times import StartTime

DRIFT_S = 0.1
SECOND_S = 1.0
LONGEST_PAUSE = timedelta(
    days=2
)  # of everybody; what is farther off has a clock that was never set, or is another session
Interval = tuple[float, float]  # from, to (s)


class Timed(NamedTuple):
    """A file, and when it began, where that is known."""

    file: AudioFile
    start: StartTime | None


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file of a recorder: where it begins, and where another takes over (s)."""

    file: AudioFile
    start_s: float = 0.0
    until_s: float = inf

    def covered(self, length_s: float) -> Interval:
        """What is heard of it, where it lasts `length_s`."""
        return self.start_s, min(self.start_s + length_s, self.until_s)


@dataclass(frozen=True, kw_only=True)
class Recorder:
    """What one recorder wrote. path: of the file, or of the folder; channels: how many; parts: in order of time, or none.

    names: what it goes by beside its path. trouble: why files of it are not among the parts.
    """

    path: Path
    channels: int
    parts: tuple[Part, ...] = ()
    names: tuple[Path, ...] = ()
    trouble: tuple[str, ...] = ()

    def spans(self, rate_hz: float) -> list[tuple[int, int]]:
        """Of each part the first sample, and the one after the last: rounded, but where one follows another directly."""
        found: list[tuple[int, int]] = []
        for part in self.parts:
            start = round(part.start_s * rate_hz)
            if found and abs(start - found[-1][1]) <= 1:
                start = found[-1][1]
            stop = start + part.file.frames_at(rate_hz)
            found.append((start, stop if part.until_s == inf else min(stop, round(part.until_s * rate_hz))))
        return found


def in_a_row(files: Sequence[Timed], origin: datetime | None) -> tuple[Part, ...]:
    """The files of one recorder from `origin` on; one without a time begins there."""
    if len(files) <= 1 or origin is None:
        return tuple(Part(file=each.file, start_s=_seconds(each.start, origin)) for each in files)
    files = sorted(files, key=lambda each: _seconds(each.start, origin))
    starts = _followed(
        [_seconds(each.start, origin) for each in files],
        [each.file.duration_s for each in files],
        is_fine=all(each.start and each.start.is_fine for each in files),
    )
    until = [*starts[1:], inf]
    return tuple(
        Part(file=each.file, start_s=start, until_s=stop)
        for each, start, stop in zip(files, starts, until, strict=True)
    )


def _seconds(start: StartTime | None, origin: datetime | None) -> float:
    return (start.at - origin).total_seconds() if start and origin else 0.0


def _followed(starts: list[float], lengths: list[float], *, is_fine: bool) -> list[float]:
    overlaps = [start + length - after for (start, after), length in zip(pairwise(starts), lengths, strict=False)]
    if is_fine or not any(DRIFT_S < overlap < SECOND_S for overlap in overlaps):
        return starts
    placed = starts[:1]
    for told, length in zip(starts[1:], lengths, strict=False):
        end = placed[-1] + length
        placed.append(end if abs(end - told) < SECOND_S else told)
    return placed


def session(recorders: Sequence[Sequence[Timed]]) -> list[Timed]:
    """Those files of all recorders that are of one session, which is what most recorders have without a pause of days.

    Files that tell no time are. Raises AudioFileError where no two recorders run at one time.
    """
    told = [_Told(m, each, each.start.at) for m, files in enumerate(recorders) for each in files if each.start]
    runs: list[list[_Told]] = []
    for each in sorted(told, key=lambda each: each.start):
        if runs and each.start - runs[-1][-1].end <= LONGEST_PAUSE:
            runs[-1].append(each)
        else:
            runs.append([each])
    kept = max(runs, key=lambda run: len({each.recorder for each in run}), default=[])
    if len({each.recorder for each in told}) > 1 and not any(_run_together(*pair) for pair in pairwise(kept)):
        raise _never_together(runs[0][0], runs[-1][-1])
    return [*(each.timed for each in kept), *(each for files in recorders for each in files if not each.start)]


class _Told(NamedTuple):
    recorder: int
    timed: Timed
    start: datetime

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=self.timed.file.duration_s)


def _run_together(first: _Told, second: _Told) -> bool:
    return first.recorder != second.recorder and second.start < first.end


def _never_together(first: _Told, last: _Told) -> AudioFileError:
    return AudioFileError(
        f"no two recorders run at one time: {first.timed.file.path} lasts from {first.start} to {first.end}, "
        f"{last.timed.file.path} begins at {last.start}; wanted recordings of the same time: was a clock not set?"
    )


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """In order of time, those that touch as one."""
    found: list[Interval] = []
    for start, stop in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        elif start < stop:
            found.append((start, stop))
    return found


def at_once(intervals: Iterable[Interval], count: int) -> list[Interval]:
    """When so many of the intervals overlap; each is merged with its like already."""
    edges = sorted([(start, 1) for start, _ in intervals] + [(stop, -1) for _, stop in intervals])
    found: list[Interval] = []
    running = 0
    for time_s, step in edges:
        if running + step == count and step == 1:
            found.append((time_s, time_s))
        running += step
        if running == count - 1 and step == -1:
            found[-1] = (found[-1][0], time_s)
    return merged(found)


def uncovered(covered: Sequence[Interval], end_s: float) -> list[Interval]:
    """What merged intervals leave of the time from 0 to end_s."""
    edges = [0.0, *(edge for interval in covered for edge in interval), end_s]
    return [(start, stop) for start, stop in zip(edges[::2], edges[1::2], strict=True) if start < min(stop, end_s)]


def shared_s(interval: Interval, covered: Sequence[Interval]) -> float:
    """How much of the interval these merged ones cover (s)."""
    first = max(0, bisect_right(covered, interval) - 1)
    total = 0.0
    for start, stop in covered[first:]:
        if start >= interval[1]:
            break
        total += max(0.0, min(stop, interval[1]) - max(start, interval[0]))
    return total
