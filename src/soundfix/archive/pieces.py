"""An archive cut into pieces that are located one by one, in any order and on any machine.

Pieces begin at round clock times, wherever the archive begins: what is added to it later leaves those before as they are.
Nothing is cut where fewer than FEWEST microphones have sound. A piece goes by its time and a hash of what it is made of, so
that a file which is exchanged makes another piece.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from hashlib import sha256
from math import floor
from pathlib import Path

from soundfix.archive.inventory import Inventory, LeftOut, Recorded
from soundfix.events import SoundEvent
from soundfix.files.audio import Recording
from soundfix.files.recorders import FEWEST
from soundfix.files.silences import clock
from soundfix.files.take import Take
from soundfix.files.timeline import Interval, Part, Recorder, Timed, at_once, in_a_row, merged, shared_s
from soundfix.microphones import Microphones
from soundfix.resample import working_rate

PIECE_S = 300.0  # minutes of work, and enough pieces for many workers
SHORTEST_S = 0.1  # of a piece
LEAST_LOST_S = 1.0  # of a recorder's sound that is told to be left out


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A stretch of the archive. order: of each microphone the channel, counted through the recorders, or None.

    events: what is to be located in it, in seconds from its start; None: all of it. refs: where each row of the events
    stands, as "table, line".
    """

    key: str
    starts_at: datetime
    duration_s: float
    recorders: tuple[Recorder, ...]
    order: tuple[int | None, ...]
    events: tuple[SoundEvent, ...] | None = None
    refs: tuple[str, ...] = ()

    @property
    def audio_s(self) -> float:
        """Of sound, over all microphones."""
        spans = {r: sum(max(0.0, stop - start) for start, stop in self.heard(r)) for r in range(len(self.recorders))}
        owners = [r for r, recorder in enumerate(self.recorders) for _ in range(recorder.channels)]
        return sum(spans[owners[row]] for row in self.order if row is not None)

    def heard(self, recorder: int) -> list[Interval]:
        """When this recorder has sound (s from the start of the piece)."""
        covered = (part.covered(part.file.duration_s) for part in self.recorders[recorder].parts)
        return [(max(0.0, start), min(self.duration_s, stop)) for start, stop in merged(covered)]

    def take(self, microphones: Microphones) -> Take:
        """The piece as a recording."""
        files = [part.file for recorder in self.recorders for part in recorder.parts]
        recording = Recording(
            recorders=self.recorders,
            sample_rate=float(working_rate(max(file.sample_rate for file in files))),
            starts_at=self.starts_at,
        )
        return Take(microphones=microphones, recording=recording, order=self.order, notes=())


class Pieces(Sequence[Piece]):
    """Pieces that are made when they are asked for: of a season there are too many to keep."""

    def __init__(self, make: Sequence[Callable[[], Piece]]) -> None:
        self._make = make

    def __len__(self) -> int:
        return len(self._make)

    def __getitem__(self, number: int) -> Piece:  # type: ignore[override]  # no slices
        return self._make[number]()

    def only(self, numbers: Sequence[int]) -> "Pieces":
        """Those of these numbers."""
        return Pieces([self._make[number] for number in numbers])


class TimeLine:
    """All recorders of an archive on one line of time: seconds from `origin`, when the first file begins."""

    def __init__(self, inventory: Inventory, microphones: Microphones) -> None:
        self._inventory, self._count = inventory, len(microphones)
        self.origin = min(each.start.at for each in inventory.recorded)
        files: dict[str, list[Recorded]] = {}
        for each in inventory.recorded:
            files.setdefault(each.recorder, []).append(each)
        self.recorders = {name: _recorder(name, of_one, self.origin) for name, of_one in files.items()}
        self._glimpses = {each.file.path: each.glimpse for each in inventory.recorded}
        self._starts = {name: [part.start_s for part in each.parts] for name, each in self.recorders.items()}

    @cached_property
    def enough(self) -> list[Interval]:
        """When FEWEST microphones have sound."""
        each = [
            interval
            for name, recorder in self.recorders.items()
            for interval in _covered(recorder) * len(self._inventory.recorders[name])
        ]
        return at_once(each, FEWEST)

    def lonely(self) -> Iterator[LeftOut]:
        """Recorders that have sound where too few others have."""
        enough = self.enough
        for name, recorder in self.recorders.items():
            covered = _covered(recorder)
            lost_s = sum(stop - start - shared_s((start, stop), enough) for start, stop in covered)
            if lost_s >= LEAST_LOST_S:
                why = f"for {clock(lost_s)} fewer than {FEWEST} microphones have sound: was a clock not set?"
                yield LeftOut(name, why)

    def cut(self) -> Pieces:
        """All that can be located, in pieces that begin at round times."""
        return Pieces([partial(self.piece, *span) for span in self._spans()])

    def _spans(self) -> Iterator[Interval]:
        before_s = self._since_round_s()
        for start_s, stop_s in self.enough:
            edge = floor((start_s + before_s) / PIECE_S)
            while (from_s := max(start_s, edge * PIECE_S - before_s)) < stop_s:
                edge += 1
                until_s = min(stop_s, edge * PIECE_S - before_s)
                if until_s - from_s >= SHORTEST_S:
                    yield from_s, until_s

    def round_of(self, time_s: float) -> int:
        """Which round piece of time this is in."""
        return floor((time_s + self._since_round_s()) / PIECE_S)

    def piece(self, from_s: float, until_s: float) -> Piece:
        """The archive from, to these seconds."""
        recorders: list[Recorder] = []
        order: list[int | None] = [None] * self._count
        channels = 0
        for name, recorder in self.recorders.items():
            if parts := self._parts(name, from_s, until_s):
                for channel, m in self._inventory.recorders[name].items():
                    order[m] = channels + channel
                channels += recorder.channels
                recorders.append(replace(recorder, parts=parts))
        at = self.origin + timedelta(seconds=from_s)
        piece = Piece(key="", starts_at=at, duration_s=until_s - from_s, recorders=tuple(recorders), order=tuple(order))
        return self.keyed(piece)

    def keyed(self, piece: Piece) -> Piece:
        """The piece, which goes by its time and what it is made of."""
        made_of = [
            (
                str(recorder.path),
                part.file.path.name,
                self._glimpses[part.file.path],
                part.file.frames,
                part.file.sample_rate,
                round(part.start_s, 6),
            )
            for recorder in piece.recorders
            for part in recorder.parts
        ]
        events = [
            (event.start_s, event.end_s, event.label, event.band_hz, event.stations) for event in piece.events or ()
        ]
        told = repr((sorted(made_of), piece.order, round(piece.duration_s, 6), events, piece.refs))
        return replace(piece, key=f"{piece.starts_at:%Y%m%dT%H%M%S}-{sha256(told.encode()).hexdigest()[:12]}")

    def _parts(self, name: str, from_s: float, until_s: float) -> tuple[Part, ...]:
        parts, starts = self.recorders[name].parts, self._starts[name]
        first, last = max(0, bisect_right(starts, from_s) - 1), bisect_right(starts, until_s)
        return tuple(
            Part(file=part.file, start_s=part.start_s - from_s, until_s=min(part.until_s, until_s) - from_s)
            for part in parts[first:last]
            if part.covered(part.file.duration_s)[1] > from_s and part.start_s < until_s
        )

    def _since_round_s(self) -> float:
        """From midnight to the origin."""
        midnight = self.origin.replace(hour=0, minute=0, second=0, microsecond=0)
        return (self.origin - midnight).total_seconds()


def _recorder(name: str, files: Sequence[Recorded], origin: datetime) -> Recorder:
    parts = in_a_row([Timed(each.file, each.start) for each in files], origin)
    return Recorder(path=Path(name), channels=files[0].file.channels, parts=parts)


def _covered(recorder: Recorder) -> list[Interval]:
    return merged(part.covered(part.file.duration_s) for part in recorder.parts)
