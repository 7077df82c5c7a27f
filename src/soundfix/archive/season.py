"""`soundfix archive`, top to bottom: an inventory, pieces, each located once, and tables of all answers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import fsum
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple, Protocol, runtime_checkable

from soundfix.alone import alone_in
from soundfix.api.events import AROUND_S
from soundfix.archive.detections import detections, event_pieces
from soundfix.archive.inventory import LeftOut, take_inventory
from soundfix.archive.parts import Parts, settle
from soundfix.archive.pieces import Piece, Pieces, TimeLine
from soundfix.archive.tables import write_tables
from soundfix.archive.told import Report, write_report
from soundfix.archive.work import Asked, Located, worker
from soundfix.engines.engine import Engine
from soundfix.errors import AudioFileError, EngineError
from soundfix.files.digest import contents, digest
from soundfix.files.start_tables import read_starts
from soundfix.files.take import listed_microphones
from soundfix.microphones import Microphones
from soundfix.physics import chosen_speed
from soundfix.report.geojson import crs_of
from soundfix.report.parquet import arrow


@dataclass(frozen=True, kw_only=True)
class ArchiveRequest:
    """What was asked for. folder: of recordings. microphones: path of their list. starts: of a table of when files began.

    events: a table, or a folder of tables; without it all in which something stands out is located. crs: of the list's
    metres, for the map.
    """

    folder: Path
    microphones: Path
    out: Path
    asked: Asked = field(default_factory=Asked)
    events: Path | None = None
    starts: Path | None = None
    position_sigma_m: float | None = None
    clock_sigma_s: float | None = None
    crs: str | None = None

    def listed(self) -> Microphones:
        """The list, with usual errors where it says none."""
        return listed_microphones(self.microphones).with_errors(self.position_sigma_m, self.clock_sigma_s)

    def settings(self) -> dict[str, Any]:
        """All that answers depend on, but what pieces are made of: recordings, when they began, and events."""
        return self.asked.to_dict() | {
            "checkpoint": contents(self.asked.checkpoint),
            "microphones": digest(self.microphones).sha256,
            "position_sigma_m": self.position_sigma_m,
            "clock_sigma_s": self.clock_sigma_s,
            "crs": self.crs,
        }


@runtime_checkable
class Watch(Protocol):
    """What is told while an archive is located."""

    def opened(self) -> None:
        """A file was looked at."""

    def begun(self, hours: float, done_hours: float) -> None:
        """How much there is (h of sound over all microphones), and how much of it was done before."""

    def located(self, hours: float) -> None:
        """So much more (h)."""

    def stop(self) -> bool:
        """Whether to stop after the piece that was just located."""


def run(request: ArchiveRequest, engine: Engine, watch: Watch) -> Report:
    """Locate all that is not located yet, and write answers.parquet, answers.csv, answers.geojson and report.json.

    Raises SoundfixError on a list, a table or a folder that cannot be; a recording that cannot be used is reported.
    """
    arrow()  # that it is missing is found out now, not after the night
    microphones = request.listed()
    crs = crs_of(microphones, request.crs) if request.crs or microphones.crs else None
    with alone_in(request.out):
        settle(request.out, request.settings())
        pieces, report = _planned(request, microphones, watch)
        parts, started = Parts(request.out), monotonic()
        entries = [_Entry(piece.key, piece.audio_s / 3600, parts.is_done(piece.key)) for piece in pieces]
        watch.begun(fsum(each.hours for each in entries), fsum(each.hours for each in entries if each.is_done))
        make = partial(worker, request.asked, microphones, crs)
        missing = pieces.only([number for number, each in enumerate(entries) if not each.is_done])
        for located in _located(engine, make, missing, watch):
            parts.write(located)
            report.hear(located)
            watch.located(located.audio_s / 3600)
        report.seconds = monotonic() - started
        write_tables(request.out, parts, [each.key for each in entries], report, has_map=crs is not None)
        write_report(request.out, report)
    return report


class _Entry(NamedTuple):
    """Of a piece: its key, how much sound it has (h), and whether it was located before."""

    key: str
    hours: float
    is_done: bool


def _planned(request: ArchiveRequest, microphones: Microphones, watch: Watch) -> tuple[Pieces, Report]:
    """The pieces in order of time, and a report of what is left out."""
    starts = read_starts(request.starts) if request.starts else {}
    inventory = take_inventory(request.folder, microphones, starts, watch.opened)
    if not inventory.recorded:
        raise AudioFileError(f"{request.folder}: nothing can be used; {_first(inventory.left_out)}")
    line = TimeLine(inventory, microphones)
    report = Report.of(inventory, line)
    if request.events is None:
        return line.cut(), report
    found = detections(request.events, line, inventory)
    margin_s = (
        microphones.width_m / chosen_speed(request.asked.speed_of_sound_m_s, request.asked.temperature_c) + AROUND_S
    )
    pieces, others = event_pieces(found, line, margin_s)
    report.left_out += [*found.left_out, *others]
    return pieces, report


def _located(
    engine: Engine, make: Callable[[], Callable[[Piece], Located]], missing: Pieces, watch: Watch
) -> Iterator[Located]:
    """As they are finished; one that ends every process that locates it is trouble of its own."""
    for number, located in engine.map(make, missing):
        if isinstance(located, EngineError):
            located = Located(key=missing[number].key, audio_s=missing[number].audio_s, trouble=str(located))
        yield located
        if watch.stop():
            return


def _first(left_out: Sequence[LeftOut]) -> str:
    return f"{left_out[0].what}: {left_out[0].why}" if left_out else "there is no sound"
