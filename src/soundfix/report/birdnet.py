"""Answers as BirdNET-Analyzer's CSV: a row a detection, with the place in columns behind BirdNET's own.

Answers to the events of a BirdNET table keep what the table says of them, a row for each row of it. Other answers have a
row a place; the common name is what it is called, and the confidence that of its kind of sound, blank where nobody said one.
"""

import csv
import io

from soundfix.estimate import Estimate, Source
from soundfix.files.events.detections import BIRDNET, is_birdnet
from soundfix.report.recorded import Recorded, called, places

NAMES = ("Scientific name", "Common name", "Confidence", "File")
PLACE = ("X (m)", "Y (m)", "Z (m)", "Radius 90 (m)", "Verdict")
COLUMNS = (*BIRDNET, *NAMES, *PLACE)


def header() -> str:
    """The first line."""
    return _line(COLUMNS)


def detection_lines(estimate: Estimate, recorded: Recorded) -> str:
    """The rows of an answer; of an event that has no place one without coordinates."""
    span = (_seconds(estimate.start_s), _seconds(estimate.end_s))
    found = places(estimate)
    if kept := _kept(estimate, recorded):
        place = _place(found[0]) if found else ("",) * 4
        return "".join(_line((*cells, *place, estimate.verdict)) for cells in kept)
    file = str(recorded.take.paths[0]) if recorded.take else ""
    return "".join(
        _line((*span, "", called(estimate, source), _confidence(source), file, *_place(source), estimate.verdict))
        for source in found
    )


def _kept(estimate: Estimate, recorded: Recorded) -> list[tuple[str, ...]]:
    """The rows of the table that list this event, as they were, if it is one of BirdNET."""
    if recorded.table is None or estimate.event is None or not is_birdnet(recorded.table.table):
        return []
    rows = [recorded.table.table.rows[number] for number in estimate.event.rows]
    return [tuple(row.cells.get(column, "") for column in (*BIRDNET, *NAMES)) for row in rows]


def _seconds(time_s: float) -> str:
    """To the microsecond, also after hours."""
    return f"{time_s:.6f}".rstrip("0").rstrip(".")


def _place(source: Source) -> tuple[str, ...]:
    return tuple(f"{number:.3f}" for number in (*source.position_m, source.radius90_m))


def _confidence(source: Source) -> str:
    return "" if source.kinds is None else f"{max(source.kinds.values()):.4f}"


def _line(cells: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([" ".join(cell.splitlines()) for cell in cells])
    return text.getvalue()
