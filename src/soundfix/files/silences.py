"""When a recorder has no sound while others have, and why: in words, as of a cable that was pulled."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from soundfix.files.audio import Recording
from soundfix.files.timeline import Interval, Recorder, shared_s, uncovered

SHORTEST_TOLD_S = 0.25  # half of a usual window, by which a microphone is dead in it
MOST_TOLD = 3  # stretches of one microphone, each in a line of its own


class Silence(NamedTuple):
    """This microphone has no sound from start_s to end_s (s of the take); text: when, and why."""

    microphone: str
    start_s: float
    end_s: float
    text: str


def silences(recording: Recording, recorders: Sequence[Recorder | None], names: Sequence[str]) -> Iterator[Silence]:
    """Of every microphone, by its recorder; None: there is none. While too few have sound to locate nobody is missing."""
    enough = recording.enough()
    for recorder, name in zip(recorders, names, strict=True):
        found = list(_missing(recording, recorder, enough))
        if len(found) > MOST_TOLD:
            found = [(found[0][0], found[-1][1], _many(found, enough))]
        for start_s, end_s, text in found:
            yield Silence(name, start_s, end_s, text)


def _missing(
    recording: Recording, recorder: Recorder | None, enough: Sequence[Interval]
) -> Iterator[tuple[float, float, str]]:
    end_s = recording.duration_s
    if recorder is None or not recorder.parts:
        yield 0.0, end_s, f"no sound at all: {_trouble(recorder)}"
        return
    for start_s, stop_s in uncovered(recording.covered(recorder), end_s):
        if shared_s((start_s, stop_s), enough) < SHORTEST_TOLD_S:
            continue
        if start_s == 0.0:
            yield start_s, stop_s, f"no sound before {clock(stop_s)} ({recorder.parts[0].file.path.name} begins there)"
        elif stop_s == end_s:
            yield start_s, stop_s, f"no sound after {clock(start_s)} ({_how_it_ends(recording, recorder, start_s)})"
        else:
            why = _how_it_ends(recording, recorder, start_s)
            yield start_s, stop_s, f"no sound from {clock(start_s)} to {clock(stop_s)} ({why})"


def _trouble(recorder: Recorder | None) -> str:
    if recorder is None:
        return "it has no file"
    return "; ".join(recorder.trouble) or f"nothing in {recorder.path}"


def _how_it_ends(recording: Recording, recorder: Recorder, end_s: float) -> str:
    """What became of the last file that begins before."""
    file = [part.file for part in recorder.parts if part.start_s < end_s][-1]
    if file.path in recording.broken_s:
        return f"{file.path.name} is damaged there"
    return f"{file.path.name} {'is cut short' if file.header.is_cut else 'ends'} there"


def _many(found: Sequence[tuple[float, float, str]], enough: Sequence[Interval]) -> str:
    together_s = sum(shared_s((start_s, stop_s), enough) for start_s, stop_s, _ in found)
    return (
        f"no sound in {len(found)} stretches, {together_s:.1f} s together; {found[0][2].removeprefix('no sound ')}, ..."
    )


def clock(time_s: float) -> str:
    """Minutes and seconds, and hours where there are any; tenths where they matter."""
    minutes, seconds = divmod(round(time_s, 1), 60)
    shown = f"{seconds:02.0f}" if seconds == int(seconds) else f"{seconds:04.1f}"
    return f"{int(minutes // 60)}:{int(minutes % 60):02d}:{shown}" if minutes >= 60 else f"{int(minutes)}:{shown}"
